import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import type { ControlPlane } from "../../local/controlPlane";
import { type DemoCluster, startCluster } from "../../local/demo/cluster";
import { type Engine, findEngine } from "../../local/engine";
import { findProgram } from "../package/pulumiCli";

export const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

/** A cluster, and an engine for it; skips, with the reason, where there is no engine. */
export async function startEngine(
  hook: Mocha.Context,
  options: Parameters<typeof startCluster>[0] = {},
): Promise<{ cluster: DemoCluster; engine: Engine }> {
  // Long enough for a first run that has to build everything.
  hook.timeout(40 * 60_000);
  const engine = await findEngine(log);
  if ("missing" in engine) {
    hook.skipReason = engine.missing;
    return hook.skip();
  }
  return { cluster: await startCluster({ log, ...options }), engine };
}

/** `pulumi import` asks it about the program, though none is run. */
const NODE_HOST = "pulumi-language-nodejs";

export function needsNodeHost(hook: Mocha.Context): void {
  if (findProgram(NODE_HOST)) return;
  hook.skipReason = `no ${NODE_HOST} on PATH or in IMAGE_SIGNING_GUARD_BIN`;
  hook.skip();
}

/** A folder with a project whose stack prod has these settings, for commands that read files. */
export function projectOf({ workDir }: Pick<ControlPlane, "workDir">, settings: Record<string, unknown>): string {
  const folder = fs.mkdtempSync(path.join(workDir, "project-"));
  const config = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`image-signing-guard:${key}`, value]),
  );
  fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: image-signing-guard\nruntime: nodejs\n");
  fs.writeFileSync(path.join(folder, "Pulumi.prod.yaml"), stringify({ config }));
  return folder;
}
