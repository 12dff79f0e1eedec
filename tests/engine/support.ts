import { type DemoCluster, startCluster } from "../../local/demo/cluster";
import { type Engine, findEngine } from "../../local/engine";

export const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

/** A cluster, and an engine for it; skips, with the reason, where there is no engine. */
export async function startEngine(hook: Mocha.Context): Promise<{ cluster: DemoCluster; engine: Engine }> {
  // Long enough for a first run that has to build everything.
  hook.timeout(40 * 60_000);
  const engine = await findEngine(log);
  if ("missing" in engine) {
    hook.skipReason = engine.missing;
    return hook.skip();
  }
  return { cluster: await startCluster({ log }), engine };
}
