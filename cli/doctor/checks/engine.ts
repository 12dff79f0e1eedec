import type { Facts } from "../facts";
import { type Finding, finding, ok } from "../finding";

/** The oldest engine that knows what the component uses. */
const OLDEST_ENGINE = 3;

export function engineChecks({ engine }: Facts): Finding[] {
  return [cli(engine), plugin(engine), ...pathPlugin(engine)];
}

function cli({ cli: version }: Facts["engine"]): Finding {
  if (version === undefined)
    return finding(
      "note",
      "engine.cli",
      "no pulumi on PATH: this machine can look, but not preview or update",
      "curl -fsSL https://get.pulumi.com | sh",
    );
  const major = Number(/^v?(\d+)/.exec(version)?.[1] ?? Number.NaN);
  return major >= OLDEST_ENGINE
    ? ok("engine.cli", `pulumi ${version}`)
    : finding("warning", "engine.cli", `pulumi ${version} is too old`, "curl -fsSL https://get.pulumi.com | sh");
}

function plugin({ plugins, wantedPlugin, cli: version }: Facts["engine"]): Finding {
  const id = "engine.plugin";
  if (plugins.includes(wantedPlugin)) return ok(id, `kubernetes provider ${wantedPlugin}`);
  const found = plugins.length > 0 ? `only ${plugins.join(", ")}` : "none";
  const evidence = `kubernetes provider ${wantedPlugin} is wanted, ${found} is installed; the engine would fetch it`;
  return finding(
    "note",
    id,
    evidence,
    version === undefined ? undefined : `pulumi plugin install resource kubernetes ${wantedPlugin}`,
  );
}

function pathPlugin({ pluginOnPath }: Facts["engine"]): Finding[] {
  if (!pluginOnPath) return [];
  return [
    finding(
      "warning",
      "engine.pluginOnPath",
      `${pluginOnPath} is on PATH, and the engine uses it in place of the version that the stack asks for`,
      `mv ${pluginOnPath} ${pluginOnPath}.unused`,
    ),
  ];
}
