import * as fs from "node:fs";
import * as path from "node:path";
import { ensureTool } from "../../local/build";
import type { Log } from "../../local/log";
import { PROJECT } from "../../local/packaging/schema";
import { newFolder, type Ran, run } from "./support";

/** A Pulumi CLI with its own home and state. Its Kubernetes provider is the stand-in, as no cluster is asked anything. */
export interface Cli {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  run(args: readonly string[], cwd: string): Ran;
  /** Fails the test with everything that was printed. */
  runOrThrow(args: readonly string[], cwd: string): string;
}

/** A program of that name in the folder of ready binaries or on PATH. Language hosts come with a Pulumi installation. */
export function findProgram(name: string): string | undefined {
  const folders = [process.env.IMAGE_SIGNING_GUARD_BIN ?? "", ...(process.env.PATH ?? "").split(path.delimiter)];
  return folders
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .find((file) => fs.existsSync(file));
}

/** The CLI, or why there is none. The language hosts that are named must be there; they can't be built from modules. */
export async function openCli(log: Log, needs: readonly string[]): Promise<Cli | { missing: string }> {
  const without = needs.filter((name) => !findProgram(name));
  if (without.length > 0) return { missing: `no ${without.join(", no ")} on PATH or in IMAGE_SIGNING_GUARD_BIN` };
  let program = findProgram("pulumi");
  try {
    program ??= await ensureTool("pulumi", log);
  } catch (error) {
    return { missing: `there is no Pulumi CLI, and building it failed: ${(error as Error).message.split("\n")[0]}` };
  }
  return cliOf(program);
}

function cliOf(program: string): Cli {
  const home = newFolder("pulumi");
  const state = path.join(home, "state");
  fs.mkdirSync(state);
  const search = [standIn(home), process.env.IMAGE_SIGNING_GUARD_BIN ?? "", process.env.PATH ?? ""];
  const env: NodeJS.ProcessEnv = {
    PATH: search.filter((folder) => folder !== "").join(path.delimiter),
    PULUMI_HOME: home,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // A cluster that happens to be configured has no part in this.
    KUBECONFIG: path.join(home, "none"),
  };
  const runIn = (args: readonly string[], cwd: string) => run(program, [...args, "--non-interactive"], cwd, env);
  return {
    program,
    env,
    run: runIn,
    runOrThrow: (args, cwd) => {
      const ran = runIn(args, cwd);
      if (ran.code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${ran.code}:\n${ran.all}`);
      return ran.stdout;
    },
  };
}

/** A folder whose `pulumi-resource-kubernetes` the engine prefers to any installed one. */
export function standIn(home: string): string {
  const folder = path.join(home, "stand-in");
  fs.mkdirSync(folder, { recursive: true });
  const script = path.join(PROJECT, "tests", "support", "kubernetesStandIn.cjs");
  const file = path.join(folder, "pulumi-resource-kubernetes");
  fs.writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, { mode: 0o755 });
  return folder;
}

export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly provider?: string;
  readonly newState?: { readonly type: string; readonly inputs?: Record<string, unknown>; readonly outputs?: unknown };
}

/** What a preview would do, without the stack and the providers. */
export function preview(cli: Cli, cwd: string, args: readonly string[] = []): Step[] {
  const out = cli.runOrThrow(["preview", "--json", ...args], cwd);
  const { steps } = JSON.parse(out.slice(out.indexOf("{"))) as { steps: Step[] };
  return steps.filter(({ urn }) => !urn.includes("::pulumi:"));
}

/** `op type name`, in no order that the engine would change from run to run. */
export const summaryOf = (steps: readonly Step[]): string[] =>
  steps.map(({ op, urn }) => `${op} ${urn.split("::").slice(-2).join(" ").replace(/^.*\$/, "")}`).sort();
