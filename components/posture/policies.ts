import { FailurePolicy, GuardMode, UncoveredAction } from "../args";
import { globContains, globsIntersect } from "../globs";
import { isGuard, POLICY_ROLES, type PolicyRole, ROLE } from "../policies/names";
import type { GuardConfig } from "../schema";
import type { Context } from "./context";
import { KYVERNO_LINES } from "./kyvernoLines";
import { applicationScopes, type NamespacePartition, productionScopes } from "./namespaces";
import { peopleOf } from "./people";
import type { Bypass, KyvernoPlan, NamespaceScope, PolicyPlan, Suspension } from "./types";

/**
 * Which policies exist. Modes partition namespaces, so a policy and its sibling in the other mode share no namespace:
 * in Kyverno 1.10 two policies that judge one image overwrite each other's verdict.
 */
export function planPolicies(
  config: GuardConfig,
  partition: NamespacePartition,
  kyverno: KyvernoPlan,
  bypass: Bypass | "off",
  suspended: readonly Suspension[],
): PolicyPlan[] {
  const judging = [GuardMode.Enforce, GuardMode.Audit].flatMap((mode) => [
    plan(
      config,
      ROLE.production,
      mode,
      partition.mode,
      productionScopes(partition, mode),
      uncoveredIn(config, "production"),
    ),
    plan(
      config,
      ROLE.applications,
      mode,
      partition.mode,
      applicationScopes(partition, mode),
      uncoveredIn(config, "applications"),
    ),
  ]);
  const audit = plan(
    config,
    ROLE.uncovered,
    GuardMode.Audit,
    GuardMode.Audit,
    [{ name: "cluster", include: [], exclude: [] }],
    UncoveredAction.Report,
  );
  const active = [...judging, audit].filter(
    (policy) => policy.scopes.length > 0 && !isSuspended(policy.role, suspended),
  );
  const enforced = foldScopes(
    active.filter((policy) => policy.mode === GuardMode.Enforce).flatMap((policy) => policy.scopes),
  );
  return [...active, ...planGuards(config, enforced, kyverno, bypass)].sort((a, b) => a.name.localeCompare(b.name));
}

/** Guards stand wherever something is enforced, and fail the same way, so that one call of the webhook runs both. */
function planGuards(
  config: GuardConfig,
  enforced: readonly NamespaceScope[],
  kyverno: KyvernoPlan,
  bypass: Bypass | "off",
): PolicyPlan[] {
  if (enforced.length === 0) return [];
  const roles: PolicyRole[] = [
    ...(KYVERNO_LINES[kyverno.target].trustsRequestAnnotation ? [ROLE.verdicts] : []),
    ...(bypass === "off" ? [] : [ROLE.bypass]),
  ];
  return roles.map((role) =>
    plan(config, role, GuardMode.Enforce, GuardMode.Enforce, [...enforced], UncoveredAction.Report),
  );
}

/**
 * "All but production and development" and "production" together are "all but development". Only where that is exact: a
 * pattern that stays excluded, or that the folded scope leaves out itself, must not take a namespace away.
 */
export function foldScopes(scopes: readonly NamespaceScope[]): NamespaceScope[] {
  const rest = scopes.find(({ include }) => include.length === 0);
  if (!rest) return [...scopes];
  let folded = scopes.filter((scope) => scope !== rest && scope.include.every((one) => rest.exclude.includes(one)));
  for (;;) {
    const stays = rest.exclude.filter((pattern) => !folded.some(({ include }) => include.includes(pattern)));
    const exact = folded.filter((scope) => isExact(scope, stays, folded));
    if (exact.length === folded.length) {
      const exclude = [...stays, ...folded.flatMap((scope) => scope.exclude)];
      return [
        { name: "enforced", include: [], exclude: [...new Set(exclude)].sort() },
        ...scopes.filter((scope) => scope !== rest && !folded.includes(scope)),
      ];
    }
    folded = exact;
  }
}

function isExact(scope: NamespaceScope, stays: readonly string[], folded: readonly NamespaceScope[]): boolean {
  const meets = (pattern: string, { include }: NamespaceScope) => include.some((one) => globsIntersect(one, pattern));
  return (
    !stays.some((pattern) => meets(pattern, scope) && !scope.exclude.some((own) => globContains(own, pattern))) &&
    scope.exclude.every(
      (own) =>
        scope.include.some((one) => globContains(one, own)) &&
        !folded.some((other) => other !== scope && meets(own, other)),
    )
  );
}

function plan(
  config: GuardConfig,
  role: PolicyRole,
  mode: GuardMode,
  usualMode: GuardMode,
  scopes: NamespaceScope[],
  uncovered: UncoveredAction,
): PolicyPlan {
  const failure = config.failure ?? {};
  const enforcing = mode === GuardMode.Enforce;
  return {
    name: mode === usualMode ? role : `${role}-${mode}`,
    role,
    mode,
    failurePolicy: enforcing ? (failure.enforce ?? FailurePolicy.Fail) : (failure.audit ?? FailurePolicy.Ignore),
    timeoutSeconds: enforcing ? (failure.enforceTimeoutSeconds ?? 30) : (failure.auditTimeoutSeconds ?? 10),
    scopes,
    uncovered,
  };
}

function uncoveredIn(config: GuardConfig, where: "production" | "applications"): UncoveredAction {
  const given = config.uncovered?.[where];
  return given ?? (where === "production" ? UncoveredAction.Refuse : UncoveredAction.Report);
}

function isSuspended(role: PolicyRole, suspended: readonly Suspension[]): boolean {
  return suspended.some(({ policy }) => policy === role || policy === "all");
}

/** Suspensions that are still running. One that has ended fails: a forgotten suspension must not look like a policy. */
export function resolveSuspensions({ config, now, problems }: Context): Suspension[] {
  // Guards can't be suspended: without them anybody could bypass, which is not what "suspended" says.
  const allowed = [...POLICY_ROLES.filter((role) => !isGuard(role)), "all"];
  return (config.suspend ?? []).map((suspension, index) => {
    const key = `suspend[${index}]`;
    if (!allowed.includes(suspension.policy)) {
      problems.add(
        `${key}.policy`,
        suspension.policy,
        `one of ${allowed.join(", ")}`,
        "write the policy's name without -audit or -enforce",
      );
    }
    if (Date.parse(suspension.until) <= now.getTime()) {
      problems.add(
        `${key}.until`,
        suspension.until,
        `a time after ${now.toISOString()}`,
        `remove ${key} to put ${suspension.policy} back in force, or prolong it`,
      );
    }
    return { policy: suspension.policy, reason: suspension.reason, until: suspension.until };
  });
}

export const DEFAULT_BYPASS_HOURS = 4;

export function resolveBypass({ config, problems }: Context): Bypass | "off" {
  const given = config.bypass;
  if (!given) return "off";
  const { groups, users } = peopleOf(given, "bypass", "bypass", problems);
  if (groups.length + users.length === 0) {
    problems.say(
      "bypass",
      "nobody who may use it",
      "at least one of groups, users, serviceAccounts",
      "name who may bypass, or remove the bypass block",
    );
  }
  return { groups, users, maxHours: given.maxHours ?? DEFAULT_BYPASS_HOURS };
}
