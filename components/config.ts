import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { GuardInputError, type Problem } from "./problems";
import { guardSchema, parseGuardConfig } from "./schema";

/** The config namespace of the guard's settings: `image-signing-guard:mode` and so on. */
export const CONFIG_NAMESPACE = "image-signing-guard";

/** Settings whose value is a plain word in the stack's config; all others are YAML or JSON blocks. */
const TEXT_SETTINGS = ["mode", "tags", "runbookUrl"];

/**
 * The component's arguments from the running stack's config. Checks everything that can be checked without a cluster
 * and throws one error that names every problem.
 *
 * @param config the namespace to read. Default: `new pulumi.Config("image-signing-guard")`.
 */
export function guardArgsFromConfig(
  config: pulumi.Config = new pulumi.Config(CONFIG_NAMESPACE),
): ImageSigningGuardArgs {
  try {
    return withSecrets(argsFromSettings(readSettings(config.name), `${config.name}:`));
  } catch (error) {
    throw error instanceof GuardInputError ? new GuardConfigError(error) : error;
  }
}

/** A mistake in the stack's config. Pulumi prints a `RunError` as it is, without a stack trace. */
export class GuardConfigError extends pulumi.RunError {
  readonly problems: readonly Problem[];

  constructor(error: GuardInputError) {
    super(error.message);
    this.problems = error.problems;
  }
}

function readSettings(namespace: string): Record<string, unknown> {
  const prefix = `${namespace}:`;
  const settings: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [key, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length);
    const parsed = parseSetting(name, text);
    if ("problem" in parsed) problems.push({ ...parsed.problem, key });
    else settings[name] = parsed.value;
  }
  if (problems.length > 0) throw new GuardInputError(problems);
  return settings;
}

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

/** A kubeconfig holds credentials; Pulumi forgets that a leaf of a block was secret, so it is marked again. */
function withSecrets(args: ImageSigningGuardArgs): ImageSigningGuardArgs {
  if (!args.readiness?.kubeconfig) return args;
  return { ...args, readiness: { ...args.readiness, kubeconfig: pulumi.secret(args.readiness.kubeconfig) } };
}
