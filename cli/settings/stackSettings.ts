import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { GuardInputError, type Problem } from "../../components/problems";
import { CONFIG_NAMESPACE } from "../../components/settings";

/** The guard's settings of a stack, read from `Pulumi.<stack>.yaml` without an engine. */
export function readStackSettings(stack: string, folder: string): Record<string, unknown> {
  const file = path.join(folder, `Pulumi.${stack}.yaml`);
  if (!fs.existsSync(file)) throw new GuardInputError([missingFile(file, stack, folder)]);
  let config: unknown;
  try {
    config = (parse(fs.readFileSync(file, "utf8")) as { config?: unknown } | null)?.config ?? {};
  } catch (error) {
    throw new GuardInputError([
      {
        key: file,
        found: (error as Error).message.split("\n")[0]!,
        allowed: "YAML",
        fix: "mend the file at that line",
      },
    ]);
  }
  const prefix = `${CONFIG_NAMESPACE}:`;
  const settings: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [key, value] of Object.entries(config as Record<string, unknown>)) {
    if (!key.startsWith(prefix)) continue;
    settings[key.slice(prefix.length)] = value;
    if (holdsSecret(value)) {
      problems.push({
        key,
        found: "an encrypted value",
        allowed: "plain values, where the engine does not run",
        fix: "only pulumi can decrypt it; keep secrets to readiness.kubeconfig and leave that out here",
      });
    }
  }
  if (problems.length > 0) throw new GuardInputError(problems);
  return settings;
}

function missingFile(file: string, stack: string, folder: string): Problem {
  const stacks = fs.existsSync(folder)
    ? fs.readdirSync(folder).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    : [];
  return {
    key: "--stack",
    found: `"${stack}", but there is no ${file}`,
    allowed: stacks.length > 0 ? `one of ${stacks.join(", ")}` : "a stack with a Pulumi.<stack>.yaml",
    fix: "name a stack of this folder, or give the folder with --cwd",
  };
}

function holdsSecret(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  return "secure" in value || Object.values(value).some(holdsSecret);
}
