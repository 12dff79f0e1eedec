import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
  type EngineEvent,
  type ImportResource,
  LocalWorkspace,
  type OpType,
  PulumiCommand,
  type PulumiFn,
  type Stack,
} from "@pulumi/pulumi/automation";
import type { ImageSigningGuardArgs } from "../components/args";
import { ensureTool } from "./build";
import type { ControlPlane } from "./controlPlane";
import type { Log } from "./log";

/** A Pulumi CLI and the Kubernetes provider plugin that fits the SDK. */
export interface Engine {
  readonly cli: string;
  readonly pluginVersion: string;
}

const plugin = "pulumi-resource-kubernetes";

/** The engine of this machine, or why there is none. The CLI is built only where the plugin is there to use it. */
export async function findEngine(log: Log): Promise<Engine | { missing: string }> {
  const wanted = `v${(require("@pulumi/kubernetes/package.json") as { version: string }).version}`;
  const pluginVersion = findPlugin(wanted);
  if (pluginVersion === undefined) {
    return {
      missing: `no plugin (pulumi plugin install resource kubernetes ${wanted})`,
    };
  }
  const ready = process.env.IMAGE_SIGNING_GUARD_BIN;
  const cli = (ready && existing(path.join(ready, "pulumi"))) || onPath("pulumi");
  if (cli) return { cli, pluginVersion };
  try {
    return { cli: await ensureTool("pulumi", log), pluginVersion };
  } catch (error) {
    return { missing: `there is no Pulumi CLI, and building it failed: ${(error as Error).message.split("\n")[0]}` };
  }
}

/** On PATH any version is taken by the engine; in its own folder the one that the SDK asks for or a later one. */
function findPlugin(wanted: string): string | undefined {
  if (onPath(plugin)) return "on PATH";
  const versions = fs.existsSync(pluginFolder())
    ? fs.readdirSync(pluginFolder()).flatMap((name) => /^resource-kubernetes-(v\d+\.\d+\.\d+)$/.exec(name)?.[1] ?? [])
    : [];
  return versions.find((version) => version === wanted);
}

const pluginFolder = () => path.join(process.env.PULUMI_HOME ?? path.join(os.homedir(), ".pulumi"), "plugins");

function onPath(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const found = folder === "" ? undefined : existing(path.join(folder, program));
    if (found) return found;
  }
  return undefined;
}

const existing = (file: string) => (fs.existsSync(file) ? file : undefined);

/** What one run of the engine did. */
export interface EngineRun {
  /** Operations by resource name, without those on providers and the stack itself. */
  readonly operations: { readonly name: string; readonly type: string; readonly op: OpType }[];
  /** The component's outputs as the stack exports them. */
  readonly outputs: Record<string, unknown>;
  /** What a person sees: messages, which with `--diff` go to stderr, and what is done. */
  readonly text: string;
}

/** A stack of its own for one control plane; its state is in the plane's folder and goes with it. */
export interface EngineStack {
  up(args: ImageSigningGuardArgs, onStart?: (resource: string) => void): Promise<EngineRun>;
  /** Ends the engine and the plugins that it runs at once, as when its machine is lost. */
  kill(): void;
  /** `pulumi cancel`: the lock of a run that was killed goes. */
  cancel(): Promise<void>;
  preview(args: ImageSigningGuardArgs, options?: { expectNoChanges?: boolean }): Promise<EngineRun>;
  /** With arguments as `--run-program`: the program is asked too. */
  refresh(args?: ImageSigningGuardArgs): Promise<void>;
  destroy(args?: ImageSigningGuardArgs): Promise<void>;
  /** What `pulumi import --file` does with such a file's list. */
  import(resources: readonly ImportResource[]): Promise<void>;
  /** The checkpoint without what is secret, which its backend keeps encrypted. */
  state(): Promise<string>;
}

export async function openStack(
  plane: Pick<ControlPlane, "workDir" | "kubeconfig">,
  engine: Engine,
  name: string,
  program: (args: ImageSigningGuardArgs) => PulumiFn = guardProgram,
): Promise<EngineStack> {
  const folder = path.join(plane.workDir, "pulumi", name);
  const home = path.join(folder, "home");
  const root = path.join(folder, "cli");
  for (const dir of [home, path.join(root, "bin"), path.join(folder, "state")]) fs.mkdirSync(dir, { recursive: true });
  // A home of our own, so that nothing is left in the user's; it borrows the plugins.
  if (fs.existsSync(pluginFolder())) fs.symlinkSync(pluginFolder(), path.join(home, "plugins"));
  // The SDK looks for bin/pulumi.
  fs.symlinkSync(engine.cli, path.join(root, "bin", "pulumi"));
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: name, projectName: "image-signing-guard", program: async () => {} },
    {
      pulumiCommand: await PulumiCommand.get({ root, skipVersionCheck: true }),
      pulumiHome: home,
      workDir: fs.mkdtempSync(path.join(folder, "work-")),
      envVars: {
        KUBECONFIG: plane.kubeconfig,
        PULUMI_BACKEND_URL: `file://${path.join(folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "local",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_OPTION_NON_INTERACTIVE: "true",
      },
    },
  );
  return engineStack(plane, stack, program, folder);
}

function engineStack(
  plane: Pick<ControlPlane, "kubeconfig">,
  stack: Stack,
  program: (args: ImageSigningGuardArgs) => PulumiFn,
  home: string,
): EngineStack {
  const operations = (events: readonly EngineEvent[]) =>
    events.flatMap(({ resourcePreEvent }) => {
      const metadata = resourcePreEvent?.metadata;
      if (!metadata || metadata.type.startsWith("pulumi:")) return [];
      return [{ name: metadata.urn.split("::").pop() ?? "", type: metadata.type, op: metadata.op }];
    });
  /** The automation API gives its inline program to up and preview alone; a refresh asks the workspace for it. */
  const withProgram = async (
    args: ImageSigningGuardArgs | undefined,
    action: (options: { color: "never"; runProgram?: boolean }) => Promise<unknown>,
  ) => {
    if (args === undefined) return action({ color: "never" });
    const before = stack.workspace.program;
    stack.workspace.program = program(args);
    try {
      return await action({ color: "never", runProgram: true });
    } finally {
      stack.workspace.program = before;
    }
  };
  return {
    up: async (args, onStart = () => {}) => {
      const events: EngineEvent[] = [];
      const onEvent = (event: EngineEvent) => {
        events.push(event);
        for (const { name } of operations([event])) onStart(name);
      };
      const { outputs, stdout } = await withKubeconfig(plane, () =>
        stack.up({ program: program(args), onEvent, color: "never" }),
      );
      return {
        operations: operations(events),
        outputs: Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value])),
        text: stdout,
      };
    },
    preview: async (args, { expectNoChanges = false } = {}) => {
      const events: EngineEvent[] = [];
      const { stdout, stderr } = await withKubeconfig(plane, () =>
        stack.preview({
          program: program(args),
          onEvent: (event) => events.push(event),
          expectNoChanges,
          diff: true,
          color: "never",
        }),
      );
      return { operations: operations(events), outputs: {}, text: `${stderr}\n${stdout}` };
    },
    refresh: async (args) => {
      await withKubeconfig(plane, () => withProgram(args, (run) => stack.refresh(run)));
    },
    destroy: async (args) => {
      await withKubeconfig(plane, () => withProgram(args, (run) => stack.destroy(run)));
    },
    kill: () => {
      for (const pid of processesOf(home)) process.kill(pid, "SIGKILL");
    },
    cancel: () => stack.cancel(),
    import: async (resources) => {
      await withKubeconfig(plane, () =>
        stack.import({ resources: [...resources], protect: false, generateCode: false, color: "never" }),
      );
    },
    state: async () => {
      const { deployment } = await stack.exportStack();
      return JSON.stringify(deployment, (key, value) => (key === "plaintext" || key === "ciphertext" ? "" : value));
    },
  };
}

/** Processes whose command lies in a folder: the CLI and the plugins that were started with its home. */
function processesOf(folder: string): number[] {
  return fs.readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const [command = ""] = fs.readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      return command.startsWith(folder) ? [Number(entry)] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** The program of index.ts with arguments that are given, not read from the stack's config. */
export function guardProgram(args: ImageSigningGuardArgs): PulumiFn {
  return async () => {
    // Loaded late: it brings the whole Kubernetes SDK along.
    const { ImageSigningGuard } = await import("../components/imageSigningGuard");
    const guard = new ImageSigningGuard("guard", args);
    return {
      mode: guard.mode,
      policies: guard.policyNames,
      releaseStatus: guard.releaseStatus,
      kyvernoVersion: guard.kyvernoVersion,
      readiness: guard.readiness,
    };
  };
}

/** An inline program runs in this process, and so does its readiness check. */
async function withKubeconfig<T>(plane: Pick<ControlPlane, "kubeconfig">, action: () => Promise<T>): Promise<T> {
  const before = process.env.KUBECONFIG;
  process.env.KUBECONFIG = plane.kubeconfig;
  try {
    return await action();
  } finally {
    if (before === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = before;
  }
}
