import type { Json, Manifest } from "../kubernetes/manifest";
import { isGuard, ROLE, roleOf, tellsBypass, tellsEndedBypass, withGenerated } from "../policies/names";

/** What the alerts and panels are about: policies and rules by the names that Kyverno's metrics give them. */
export interface Subjects {
  readonly all: readonly string[];
  /** Policies of the guard that judge images and refuse. */
  readonly enforcing: readonly string[];
  readonly auditing: readonly string[];
  /** Everything that should refuse, guards included. */
  readonly refusing: readonly string[];
  /** The policy that says who may bypass; absent where nobody may. */
  readonly bypassGuard?: string;
  /** Rules that are skipped while a bypass runs, and for no other reason. */
  readonly bypassRules: readonly string[];
  /** Rules that are skipped when a bypass has ended, and for no other reason. */
  readonly endedRules: readonly string[];
}

/**
 * Taken from the manifests themselves, so that no alert asks for a name that is in no cluster. Rules that verify are not
 * among the bypass rules: they are skipped for debug containers too.
 */
export function subjectsOf(policies: readonly Manifest[]): Subjects {
  const own = policies.filter((policy) => roleOf(policy) !== undefined);
  const refuses = ({ spec }: Manifest) => (spec as Json).validationFailureAction === "Enforce";
  const judges = own.filter((policy) => !isGuard(roleOf(policy)));
  const enforcing = judges.filter(refuses);
  const guard = own.find((policy) => roleOf(policy) === ROLE.bypass);
  const rules = guard ? enforcing.flatMap(({ spec }) => (spec as { rules: { name: string }[] }).rules) : [];
  const named = (tells: (rule: string) => boolean) => [
    ...new Set(rules.map(({ name }) => name).filter((name) => tells(name))),
  ];
  return {
    all: names(policies),
    enforcing: names(enforcing),
    auditing: names(judges.filter((policy) => !refuses(policy))),
    refusing: names(own.filter(refuses)),
    ...(guard ? { bypassGuard: guard.metadata.name } : {}),
    bypassRules: named(tellsBypass).flatMap(withGenerated),
    endedRules: named(tellsEndedBypass).flatMap(withGenerated),
  };
}

function names(policies: readonly Manifest[]): string[] {
  return policies.map(({ metadata }) => metadata.name).sort();
}
