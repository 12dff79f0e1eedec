import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { GuardInputError, type Problem } from "./problems";
import { argsFromSettings, CONFIG_NAMESPACE, parseSetting } from "./settings";

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

/** A kubeconfig holds credentials; Pulumi forgets that a leaf of a block was secret, so it is marked again. */
function withSecrets(args: ImageSigningGuardArgs): ImageSigningGuardArgs {
  if (!args.readiness?.kubeconfig) return args;
  return { ...args, readiness: { ...args.readiness, kubeconfig: pulumi.secret(args.readiness.kubeconfig) } };
}
