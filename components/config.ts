import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { GuardInputError, type Problem } from "./problems";
import { argsFromSettings, CONFIG_NAMESPACE, settingsFromConfig } from "./settings";

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
    return withSecrets(
      argsFromSettings(settingsFromConfig(pulumi.runtime.allConfig(), config.name, projectName()), `${config.name}:`),
    );
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

/** A kubeconfig holds credentials; Pulumi forgets that a leaf of a block was secret, so it is marked again. */
function withSecrets(args: ImageSigningGuardArgs): ImageSigningGuardArgs {
  if (!args.readiness?.kubeconfig) return args;
  return { ...args, readiness: { ...args.readiness, kubeconfig: pulumi.secret(args.readiness.kubeconfig) } };
}

/** Unit tests of a program may have none. */
function projectName(): string | undefined {
  try {
    return pulumi.getProject();
  } catch {
    return undefined;
  }
}
