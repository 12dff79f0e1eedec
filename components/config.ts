import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { withSecrets } from "./outputs";
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
  const { name } = config;
  try {
    const settings = settingsFromConfig(pulumi.runtime.allConfig(), name, projectName());
    return markSecrets(argsFromSettings(settings, `${name}:`), (setting) => isConfigSecret(`${name}:${setting}`));
  } catch (error) {
    throw error instanceof GuardInputError ? new GuardConfigError(withoutSecrets(error, isConfigSecret)) : error;
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

/** Pulumi hands encrypted settings over in clear, so they are marked again. A kubeconfig holds credentials in any case. */
function markSecrets(args: ImageSigningGuardArgs, isSecret: (setting: string) => boolean): ImageSigningGuardArgs {
  const marked = Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, isSecret(name) ? withSecrets(value, [name]) : value]),
  ) as unknown as ImageSigningGuardArgs;
  const { kubeconfig } = args.readiness ?? {};
  return kubeconfig ? { ...marked, readiness: { ...marked.readiness, kubeconfig: pulumi.secret(kubeconfig) } } : marked;
}

/** What is wrong with an encrypted setting is told without it. */
function withoutSecrets(error: GuardInputError, isSecret: (key: string) => boolean): GuardInputError {
  const keyOf = ({ key }: Problem) => /^[^:]*:\w+/.exec(key)?.[0] ?? key;
  return new GuardInputError(
    error.problems.map((problem) =>
      isSecret(keyOf(problem)) ? { ...problem, found: "something else in an encrypted setting (not shown)" } : problem,
    ),
  );
}

/** The SDK's own, of which it has no declaration; it is asked by `getSecret` only in part. */
function isConfigSecret(key: string): boolean {
  return (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(key);
}

/** Unit tests of a program may have none. */
function projectName(): string | undefined {
  try {
    return pulumi.getProject();
  } catch {
    return undefined;
  }
}
