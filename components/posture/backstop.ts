import { FailurePolicy, GuardMode } from "../args";
import type { Context } from "./context";
import { peopleOf } from "./people";
import { foldScopes } from "./policies";
import type { Backstop, KyvernoPlan, PolicyPlan } from "./types";

export const DEFAULT_MAX_CONTAINERS = 50;

/** Unsafe chart values with which Kyverno registers other webhooks than the backstop would ask for. */
const OTHER_WEBHOOKS =
  /^(config(\.webhooks.*)?|features|.*featuresOverride|admissionController(\.container(\.extraArgs)?)?)$|forceFailurePolicyIgnore|autoUpdateWebhooks/;

/** What the API server itself refuses. A stack that only audits refuses nothing, but for what it asks for itself. */
export function resolveBackstop(
  { config, problems }: Context,
  policies: readonly PolicyPlan[],
  kyverno: KyvernoPlan,
): Backstop | undefined {
  const { enabled = true, policyAuthors, maxContainers = DEFAULT_MAX_CONTAINERS } = config.backstop ?? {};
  const authors = peopleOf(
    policyAuthors ?? {},
    "backstop.policyAuthors",
    "write policies that run as Kyverno",
    problems,
  );
  if (!enabled) return undefined;
  const enforced = policies.filter(({ mode, role }) => mode === GuardMode.Enforce && !role.startsWith("guard-"));
  if (enforced.length === 0) return policyAuthors ? { scopes: [], policyAuthors: authors } : undefined;
  const others = kyverno.unsafeValues.filter((path) => OTHER_WEBHOOKS.test(path));
  if (others.length > 0)
    problems.warn(
      `kyverno.values.${others.join(", ")} changes Kyverno's webhooks, so the backstop does not watch them: while they are gone, pods get in unverified`,
    );
  // Where the stack lets everything in while Kyverno is down, nothing is claimed.
  const closed = enforced.filter(({ failurePolicy }) => failurePolicy === FailurePolicy.Fail && others.length === 0);
  return { scopes: foldScopes(closed.flatMap(({ scopes }) => scopes)), policyAuthors: authors, maxContainers };
}
