import { spawnSync } from "node:child_process";
import { mayBeLate, type Path } from "../../components/late";
import { GuardInputError } from "../../components/problems";
import type { StackConfig } from "../../components/settings";
import { Encrypted } from "./stackConfig";

interface Listed {
  readonly value?: string;
  readonly secret?: boolean;
}

/** A stack's config from Pulumi itself, which decrypts and opens environments. What was secret stays marked. */
export function askPulumi(stack: string, folder: string): StackConfig {
  const args = ["config", "--json", "--show-secrets", "--non-interactive", "--stack", stack];
  const run = spawnSync("pulumi", args, { cwd: folder, encoding: "utf8", maxBuffer: 64 << 20 });
  if (run.error || run.status !== 0)
    throw notAnswered(run.error as NodeJS.ErrnoException | undefined, run.stderr ?? "");
  let listed: Record<string, Listed>;
  try {
    listed = JSON.parse(run.stdout);
  } catch {
    throw notAnswered(undefined, "it printed no JSON");
  }
  return Object.fromEntries(
    Object.entries(listed).map(([key, { value = "", secret }]) => [key, secret ? sealed(key, value) : value]),
  );
}

/** Pulumi says that something in a value is secret, not what: so it is every text that may be one. */
function sealed(key: string, text: string): unknown {
  let value: unknown = text;
  try {
    value = JSON.parse(text);
  } catch {
    // A plain word.
  }
  return seal(value, [key.slice(key.indexOf(":") + 1)]);
}

function seal(value: unknown, path: Path): unknown {
  if (typeof value === "string") return mayBeLate(path) ? new Encrypted(value) : value;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item, index) => seal(item, [...path, index]));
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, seal(child, [...path, name])]));
}

function notAnswered(error: NodeJS.ErrnoException | undefined, said: string): GuardInputError {
  const last = said.trim().split("\n").at(-1) || "it said nothing";
  return new GuardInputError([
    {
      key: "--ask-pulumi",
      found: error?.code === "ENOENT" ? "no program pulumi on PATH" : `pulumi config failed: ${last.slice(0, 300)}`,
      allowed: "a pulumi that is logged in and can open the stack's environments",
      fix: "run pulumi config there first, or leave --ask-pulumi out",
    },
  ]);
}
