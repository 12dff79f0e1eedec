import type { Manifest } from "../kubernetes/manifest";
import { isJudgedByScans } from "../policies/auditing";
import { ENDED, REVISIONS } from "../policies/cel/guardImageBypass";
import type { ClusterPolicy } from "../policies/clusterPolicy";
import { isGuard, isJudge, ROLE, roleOf, tellsBypass, tellsEndedBypass } from "../policies/names";
import { namesOf, type PolicyName } from "./metrics";

/** What the alerts and panels are about: policies and rules by the names that Kyverno's metrics give them. */
export interface Subjects {
  /** Those that Kyverno tells the state of in its metrics, other people's among them. */
  readonly all: readonly string[];
  /** Policies of the guard that judge images and refuse. */
  readonly enforcing: readonly PolicyName[];
  readonly auditing: readonly PolicyName[];
  /** Those of them that see requests, be it for a part of their rules. */
  readonly reporting: readonly PolicyName[];
  /** Those of them that judge pods by scans alone. */
  readonly scanning: readonly PolicyName[];
  /** Those that may end without a verdict; of the kinds that ask no registry, none does. */
  readonly verifying: readonly PolicyName[];
  /** Everything that should refuse, guards included, as far as metrics tell its state. */
  readonly refusing: readonly string[];
  /** Policies that say who may bypass; none where nobody may. */
  readonly bypassGuards: readonly PolicyName[];
  /** Those whose assent tells that a bypass was used, where no rules tell it. */
  readonly bypassGrants: readonly PolicyName[];
  /** Rules that are skipped while a bypass runs, and for no other reason. */
  readonly bypassRules: readonly string[];
  /** Rules that are skipped when a bypass has ended, and for no other reason. */
  readonly endedRules: readonly string[];
  /** Policies that find a bypass which has ended, where no rules tell it. */
  readonly endedBypasses: readonly PolicyName[];
}

/** Taken from the manifests themselves, so that no alert asks for a name that is in no cluster. */
export function subjectsOf(policies: readonly Manifest[]): Subjects {
  const ours = policies.filter((policy) => roleOf(policy) !== undefined);
  const own = ours.filter(({ kind }) => kind !== "MutatingPolicy");
  const judges = own.filter((policy) => !isGuard(roleOf(policy)));
  const enforcing = judges.filter(refuses);
  const auditing = judges.filter((policy) => !refuses(policy));
  const bypassing = own.filter((policy) => roleOf(policy) === ROLE.bypass);
  const rules = bypassing.length > 0 ? enforcing.filter(isClusterPolicy).flatMap(({ spec }) => spec.rules) : [];
  const ruleNames = [...new Set(rules.map(({ name }) => name))];
  const isAboutRevisions = ({ metadata }: Manifest) => metadata.name.endsWith(REVISIONS.suffix);
  const isEnd = ({ metadata }: Manifest) => metadata.name.endsWith(ENDED);
  return {
    all: namesOf(names(policies.filter(isClusterPolicy))),
    enforcing: names(enforcing),
    auditing: names(auditing),
    reporting: names(auditing.filter((policy) => isClusterPolicy(policy) || !byScans(policy))),
    // What nobody is configured to sign is in reports: always, and in Kyverno's own namespace too.
    scanning: names(auditing.filter((policy) => byScans(policy) && isJudge(roleOf(policy)))),
    verifying: names([
      ...judges.filter(({ kind }) => kind !== "ValidatingPolicy"),
      // What only pins tags judges nothing, but fails where an image can't be found.
      ...ours.filter(({ kind }) => kind === "MutatingPolicy"),
    ]),
    refusing: namesOf(names(own.filter(isClusterPolicy).filter(refuses))),
    bypassGuards: names(bypassing.filter((policy) => !isEnd(policy))),
    bypassGrants: names(
      bypassing.filter((policy) => !isClusterPolicy(policy) && !isEnd(policy) && !isAboutRevisions(policy)),
    ),
    bypassRules: ruleNames.filter(tellsBypass),
    endedRules: ruleNames.filter(tellsEndedBypass),
    endedBypasses: names(bypassing.filter(isEnd)),
  };
}

function isClusterPolicy(policy: Manifest): policy is ClusterPolicy {
  return policy.kind === "ClusterPolicy";
}

interface CelSpec {
  readonly validationActions?: readonly string[];
  readonly evaluation?: { readonly admission?: { readonly enabled?: boolean } };
}

function refuses(policy: Manifest): boolean {
  if (isClusterPolicy(policy)) return policy.spec.validationFailureAction === "Enforce";
  return (policy.spec as CelSpec).validationActions?.includes("Deny") ?? false;
}

function byScans(policy: Manifest): boolean {
  if (isClusterPolicy(policy)) return isJudgedByScans(policy);
  return (policy.spec as CelSpec).evaluation?.admission?.enabled === false;
}

function names(policies: readonly Manifest[]): PolicyName[] {
  return policies
    .map(({ kind, metadata }) => ({ kind, name: metadata.name }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
