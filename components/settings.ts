import type { ImageSigningGuardArgs } from "./args";
import { misspeltSettings } from "./misspelt";
import { GuardInputError, type Problem } from "./problems";
import { type GuardConfig, guardSchema, parseGuardConfig } from "./schema";

/** The type token under which the guard appears in every preview. */
export const GUARD_TYPE = "image-signing-guard:index:ImageSigningGuard";

/** The config namespace of the guard's settings: `image-signing-guard:mode` and so on. */
export const CONFIG_NAMESPACE = "image-signing-guard";

/** Settings whose value is a plain word in the stack's config; all others are YAML or JSON blocks. */
const TEXT_SETTINGS = ["mode", "tags", "runbookUrl"];

/**
 * A stack's config as Pulumi hands it to a program, by whole key: texts, in which everything but a text is JSON. Where
 * no engine runs, blocks may still be blocks.
 */
export type StackConfig = Readonly<Record<string, unknown>>;

/**
 * The guard's settings among a stack's config. Pure; engine and command line both read with it. Throws one error that
 * names every setting that can't be read or that stands where nothing reads it.
 *
 * @param project whose namespace keys without one belong to.
 */
export function settingsFromConfig(
  config: StackConfig,
  namespace = CONFIG_NAMESPACE,
  project?: string,
): Record<string, unknown> {
  const prefix = `${namespace}:`;
  const settings: Record<string, unknown> = {};
  const problems: Problem[] = misspeltSettings(config, namespace, Object.keys(guardSchema.shape), project);
  for (const [key, value] of Object.entries(config)) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    const parsed = typeof value === "string" ? parseSetting(name, value) : { value };
    if ("problem" in parsed) problems.push({ ...parsed.problem, key });
    else settings[name] = parsed.value;
  }
  if (problems.length > 0) throw new GuardInputError(problems);
  return settings;
}

function parseSetting(name: string, text: string): { value: unknown } | { problem: Omit<Problem, "key"> } {
  // A name that the schema does not know is the schema's to complain about: it may be a word with a typo in its name.
  if (TEXT_SETTINGS.includes(name) || !(name in guardSchema.shape)) return { value: text };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return {
      problem: {
        found: `a text of ${text.length} characters that is neither YAML block nor JSON`,
        allowed: "a block in Pulumi.<stack>.yaml, or JSON with pulumi config set",
        fix: `write ${name} as a block below the key, or use pulumi config set --path`,
      },
    };
  }
}

/**
 * Settings as the stack file has them (`mode`, `images`, ...), checked one by one. Pure; also used where no engine runs.
 *
 * @param prefix stands before each key in an error.
 */
export function configFromSettings(settings: Record<string, unknown>, prefix = `${CONFIG_NAMESPACE}:`): GuardConfig {
  const parsed = parseGuardConfig(settings);
  if ("config" in parsed) return parsed.config;
  throw new GuardInputError(parsed.problems.map((problem) => ({ ...problem, key: `${prefix}${problem.key}` })));
}

/** The same for a program that hands them to the component, which checks whatever it is given. */
export function argsFromSettings(settings: Record<string, unknown>, prefix?: string): ImageSigningGuardArgs {
  return configFromSettings(settings, prefix) as ImageSigningGuardArgs;
}
