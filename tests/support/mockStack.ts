import * as pulumi from "@pulumi/pulumi";

/** A resource as it was sent to the engine. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Secrets and unknown values are unwrapped; see `secretInputs`. */
  readonly inputs: Record<string, unknown>;
  /** The inputs as a preview shows them, without what is secret. */
  readonly readable: unknown;
  /** Top-level inputs in which something is secret. */
  readonly secretInputs: string[];
  /** Names of the resources that it depends on, and of its parent. */
  readonly dependsOn: string[];
  readonly parent: string;
  readonly provider: string;
  readonly custom: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly timeouts: { readonly create: string; readonly update: string };
}

export interface MockStack {
  readonly resources: Registered[];
  readonly warnings: string[];
}

interface Request {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getProvider(): string;
  getDependenciesList(): string[];
  getDeletebeforereplace(): boolean;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getCustomtimeouts(): { getCreate(): string; getUpdate(): string } | undefined;
}

type Register = (request: Request, callback: (error: unknown, response: unknown) => void) => Promise<void>;

const SECRET_MARK = "4dabf18193072939515e22adb298388d";

/** What a provider would answer with: the inputs, and the status of a release. */
const provider: pulumi.runtime.Mocks = {
  newResource: ({ type, name, inputs }) => ({
    id: `${name}-id`,
    state: type.includes("helm") ? { ...inputs, status: { status: "deployed" } } : inputs,
  }),
  call: ({ inputs }) => inputs,
};

/**
 * Runs a program against a mocked engine and waits until everything is registered. What goes wrong after the program
 * itself, in an `apply`, is thrown too.
 */
export async function runStack(program: () => unknown, options: { preview?: boolean } = {}): Promise<MockStack> {
  await pulumi.runtime.setMocks(provider, "project", "stack", options.preview ?? false);
  const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Register };
  const resources: Registered[] = [];
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    if (!request.getType().startsWith("pulumi:")) resources.push(describe(request));
    return register(request, callback);
  };
  const warnings: string[] = [];
  const warn = console.warn;
  console.warn = (text: string) => warnings.push(text);
  let fail = (_: unknown): void => undefined;
  // Pulumi leaves what an `apply` throws to the process; resources that depend on it then wait for ever.
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
    process.on("unhandledRejection", fail);
  });
  try {
    program();
    // What is rejected last is told after that.
    const ended = pulumi.runtime.disconnect().then(() => new Promise((resolve) => setTimeout(resolve, 10)));
    await Promise.race([ended, failed]);
  } catch (error) {
    await forgetWaiting();
    throw error;
  } finally {
    process.off("unhandledRejection", fail);
    console.warn = warn;
  }
  return { resources, warnings };
}

/** Lets the other resources fail too, and keeps Pulumi from ending the test run for those that wait for ever. */
async function forgetWaiting(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { leakedPromises } = require("@pulumi/pulumi/runtime/debuggable") as { leakedPromises(): unknown };
  leakedPromises();
}

/** The value of an Output; undefined while it is unknown. */
export async function promiseOf<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const inner = output as unknown as { promise(withUnknowns?: boolean): Promise<T>; isKnown: Promise<boolean> };
  return (await inner.isKnown) ? inner.promise() : undefined;
}

/** An Output as a preview has it before `up` makes its value. */
export function unknownOutput<T>(): pulumi.Output<T> {
  const unknown = pulumi.output(undefined as T) as unknown as { isKnown: Promise<boolean> };
  unknown.isKnown = Promise.resolve(false);
  return unknown as unknown as pulumi.Output<T>;
}

const nameOf = (urn: string) => urn.split("::").at(-1) ?? "";

function describe(request: Request): Registered {
  const raw = request.getObject().toJavaScript();
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: unwrap(raw) as Record<string, unknown>,
    readable: unwrap(raw, true),
    secretInputs: Object.keys(raw).filter((key) => JSON.stringify(raw[key]).includes(SECRET_MARK)),
    dependsOn: request.getDependenciesList().map(nameOf).sort(),
    parent: nameOf(request.getParent()),
    provider: nameOf(request.getProvider().replace(/::[^:]*$/, "")),
    custom: request.getCustom(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    timeouts: {
      create: request.getCustomtimeouts()?.getCreate() ?? "",
      update: request.getCustomtimeouts()?.getUpdate() ?? "",
    },
  };
}

function unwrap(value: unknown, hide = false): unknown {
  if (Array.isArray(value)) return value.map((item) => unwrap(item, hide));
  if (value === null || typeof value !== "object") return value;
  if (SECRET_MARK in value) return hide ? "[secret]" : unwrap((value as Record<string, unknown>).value);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, unwrap(child, hide)]));
}
