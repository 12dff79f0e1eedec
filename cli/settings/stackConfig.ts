import { GuardInputError } from "../../components/problems";
import { CONFIG_NAMESPACE } from "../../components/settings";
import { readDocument, Timestamp } from "./goYaml";
import { isBlock, type Project } from "./project";

/** An encrypted value; what it says is known only where Pulumi was asked. */
export class Encrypted {
  constructor(readonly plain?: string) {}
}

export interface StackFile {
  /** Texts, and blocks with `Encrypted` in them; by namespace and name. */
  readonly config: Map<string, unknown>;
  /** Environments of Pulumi ESC that may add settings, as the file names them. */
  readonly environments: readonly string[];
}

/**
 * A stack's config as the engine would have it: the stack's file, and below it the project's. The model is
 * `ApplyProjectConfig` of Pulumi; what it does with keys, scalars and defaults is repeated here, oddities included.
 */
export function stackConfig(text: string | undefined, file: string, project: Project | undefined): StackFile {
  const document = text === undefined ? null : readDocument(text, file);
  if (document !== null && !isBlock(document)) throw wrong(file, "no block", "a block with config:", "write config:");
  const { config: written = {}, environment, ...others } = document ?? {};
  // Pulumi passes over what it does not know here, and the stack would audit in silence.
  const stray = Object.keys(others).find((key) => key.startsWith(CONFIG_NAMESPACE));
  if (stray !== undefined)
    throw wrong(
      `${file}: ${stray}`,
      "a setting that nothing reads there",
      "settings below config:",
      "indent it below config:",
    );
  if (written !== null && !isBlock(written))
    throw wrong(`${file}: config`, "no block", "a block of settings", "write key: value below config:");
  const config = new Map<string, unknown>();
  for (const [key, value] of Object.entries(written ?? {}))
    config.set(wholeKey(key, project?.name, file), configValue(value));
  // In Pulumi's order, which counts where one key is a path into another.
  for (const { key, value, type } of [...(project?.config ?? [])].sort((a, b) => (a.key < b.key ? -1 : 1)))
    addDefault(config, wholeKey(key, project!.name, project!.file), value, type, project!.file);
  return { config, environments: environmentsOf(environment, file) };
}

/** `namespace:name`; the old form `namespace:config:name` and names without a namespace become it. */
function wholeKey(key: string, project: string | undefined, file: string): string {
  const parts = key.split(":");
  if (parts.length === 2) return key;
  if (parts.length === 3 && parts[1] === "config") return `${parts[0]}:${parts[2]}`;
  if (parts.length === 1 && project !== undefined) return `${project}:${key}`;
  throw wrong(
    `${file}: ${key}`,
    parts.length === 1 ? "a key without namespace, and no Pulumi.yaml that says whose" : "a key with several colons",
    "keys such as image-signing-guard:mode",
    parts.length === 1
      ? "write its namespace, or give the project's folder with --cwd"
      : "keep one colon, and put a space before the value",
  );
}

/** A text as it is, nothing as an empty text, numbers and the like as texts, blocks as blocks. */
function configValue(value: unknown): unknown {
  if (value === null) return "";
  const inner = inStack(value);
  return ["number", "boolean"].includes(typeof inner) ? JSON.stringify(inner) : inner;
}

function inStack(value: unknown): unknown {
  if (value instanceof Timestamp) return value.inStack();
  if (Array.isArray(value)) return value.map(inStack);
  if (!isBlock(value)) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && typeof value.secure === "string") return new Encrypted();
  return Object.fromEntries(entries.map(([key, child]) => [key, inStack(child)]));
}

function addDefault(
  config: Map<string, unknown>,
  key: string,
  value: unknown,
  type: string | undefined,
  file: string,
): void {
  const [space, name] = key.split(":") as [string, string];
  const [first, ...rest] = pathOf(name, `${file}: ${key}`);
  const whole = `${space}:${first}`;
  if (rest.length === 0) {
    if (config.has(whole)) checkType(config.get(whole), type, whole);
    else if (value !== undefined) config.set(whole, configValue(value));
    return;
  }
  if (value === undefined || at(config.get(whole), rest) !== undefined) return;
  config.set(whole, withValue(config.get(whole), rest, coerced(configValue(value)), `${file}: ${key}`, true));
}

/** What Pulumi itself says of a value of another type than the project declares. */
function checkType(value: unknown, type: string | undefined, key: string): void {
  const fits: Record<string, (value: unknown) => boolean> = {
    string: (one) => typeof one === "string",
    integer: (one) => typeof one === "string" && /^[-+]?\d+$/.test(one),
    boolean: (one) => one === "true" || one === "false",
    array: Array.isArray,
    object: isBlock,
  };
  if (type === undefined || value instanceof Encrypted || (fits[type]?.(value) ?? true)) return;
  throw wrong(key, `no ${type}, which Pulumi.yaml says it is`, `a value of the type ${type}`, "change one of the two");
}

type Step = string | number;

/** A key's name is a path: `kyverno.replicas`, `images[0].name`, `kyverno["a.b"]`. */
function pathOf(name: string, key: string): Step[] {
  const steps: Step[] = [];
  const form = /^(?:\.?([^.[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\])/;
  for (let left = name; left !== ""; ) {
    const step = form.exec(left);
    if (!step) throw wrong(key, "a key that is no path", "names, dots and [0]", "write it as a block with value:");
    steps.push(step[1] ?? (step[2] === undefined ? step[3]!.replace(/\\(.)/g, "$1") : Number(step[2])));
    left = left.slice(step[0].length);
  }
  return steps;
}

function at(value: unknown, path: readonly Step[]): unknown {
  return path.reduce<unknown>((node, step) => {
    if (Array.isArray(node)) return typeof step === "number" ? node[step] : undefined;
    return isBlock(node) && typeof step === "string" && Object.hasOwn(node, step) ? node[step] : undefined;
  }, value);
}

function withValue(into: unknown, path: readonly Step[], value: unknown, key: string, isFirst = false): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const isContainer = Array.isArray(into) || (isBlock(into) && !(into instanceof Encrypted));
  // At the first level Pulumi writes over what is no block; deeper it refuses.
  const container = isContainer ? into : typeof step === "number" ? [] : {};
  if ((!isContainer && into !== undefined && !isFirst) || Array.isArray(container) !== (typeof step === "number"))
    throw wrong(key, "a path into a value of another kind", "a path that fits the stack's own value", "remove one");
  if (Array.isArray(container)) {
    const list = [...container];
    list[step as number] = withValue(list[step as number], rest, value, key);
    return list;
  }
  return {
    ...(container as object),
    [step]: withValue((container as Record<string, unknown>)[step], rest, value, key),
  };
}

/** Below a path, words that look like numbers or true and false become them. */
function coerced(value: unknown): unknown {
  if (value === "true" || value === "false") return value === "true";
  return typeof value === "string" && /^(0|[-+]?[1-9]\d*)$/.test(value) ? Number(value) : value;
}

/** An environment without imports and without config of its own adds nothing. */
function environmentsOf(environment: unknown, file: string): string[] {
  if (environment === undefined || environment === null) return [];
  if (Array.isArray(environment)) return environment.map(String);
  if (!isBlock(environment))
    throw wrong(`${file}: environment`, "a text", "a list of environments, or a block", "write it as a list, [NAME]");
  const imports = Array.isArray(environment.imports) ? environment.imports : [];
  const own = isBlock(environment.values) && environment.values.pulumiConfig !== undefined;
  return [...imports.map((one) => (isBlock(one) ? Object.keys(one).join() : String(one))), ...(own ? ["its own"] : [])];
}

function wrong(key: string, found: string, allowed: string, fix: string): GuardInputError {
  return new GuardInputError([{ key, found, allowed, fix }]);
}
