import type { ImageSigningGuardArgs } from "./args";
import { GuardInputError, type Problem } from "./problems";
import { guardSchema, parseGuardConfig } from "./schema";

/** The config namespace of the guard's settings: `image-signing-guard:mode` and so on. */
export const CONFIG_NAMESPACE = "image-signing-guard";

/** Settings whose value is a plain word in the stack's config; all others are YAML or JSON blocks. */
const TEXT_SETTINGS = ["mode", "tags", "runbookUrl"];

/** Settings as the stack file has them (`mode`, `images`, ...) to arguments. Pure; also used where no engine runs. */
export function argsFromSettings(
  settings: Record<string, unknown>,
  prefix = `${CONFIG_NAMESPACE}:`,
): ImageSigningGuardArgs {
  const parsed = parseGuardConfig(settings);
  if ("config" in parsed) return parsed.config as ImageSigningGuardArgs;
  throw new GuardInputError(parsed.problems.map((problem) => ({ ...problem, key: `${prefix}${problem.key}` })));
}

/** Pulumi hands every setting over as text. */
export function parseSetting(name: string, text: string): { value: unknown } | { problem: Omit<Problem, "key"> } {
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
