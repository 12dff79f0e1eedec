import type { Manifest } from "../kubernetes/manifest";
import { isJudgedByScans } from "../policies/auditing";
import type { ClusterPolicy } from "../policies/clusterPolicy";
import { isGuard, ROLE, roleOf, tellsBypass, tellsEndedBypass } from "../policies/names";

/** What the alerts and panels are about: policies and rules by the names that Kyverno's metrics give them. */
export interface Subjects {
  readonly all: readonly string[];
  /** Policies of the guard that judge images and refuse. */
  readonly enforcing: readonly string[];
  readonly auditing: readonly string[];
  /** Those of them that judge pods by scans alone. */
  readonly scanning: readonly string[];
  /** Everything that should refuse, guards included. */
  readonly refusing: readonly string[];
  /** Policies that say who may bypass; none where nobody may. */
  readonly bypassGuards: readonly string[];
  /** Rules that are skipped while a bypass runs, and for no other reason. */
  readonly bypassRules: readonly string[];
  /** Rules that are skipped when a bypass has ended, and for no other reason. */
  readonly endedRules: readonly string[];
}

/** Taken from the manifests themselves, so that no alert asks for a name that is in no cluster. */
export function subjectsOf(policies: readonly Manifest[]): Subjects {
  const own = policies.filter((policy): policy is ClusterPolicy => roleOf(policy) !== undefined);
  const refuses = ({ spec }: ClusterPolicy) => spec.validationFailureAction === "Enforce";
  const judges = own.filter((policy) => !isGuard(roleOf(policy)));
  const enforcing = judges.filter(refuses);
  const auditing = judges.filter((policy) => !refuses(policy));
  const bypassGuards = own.filter((policy) => roleOf(policy) === ROLE.bypass);
  const rules = bypassGuards.length > 0 ? enforcing.flatMap(({ spec }) => spec.rules.map(({ name }) => name)) : [];
  return {
    all: names(policies),
    enforcing: names(enforcing),
    auditing: names(auditing),
    scanning: names(auditing.filter(isJudgedByScans)),
    refusing: names(own.filter(refuses)),
    bypassGuards: names(bypassGuards),
    bypassRules: [...new Set(rules.filter(tellsBypass))],
    endedRules: [...new Set(rules.filter(tellsEndedBypass))],
  };
}

function names(policies: readonly Manifest[]): string[] {
  return policies.map(({ metadata }) => metadata.name).sort();
}
