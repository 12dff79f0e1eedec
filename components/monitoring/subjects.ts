import type { Json, Manifest } from "../kubernetes/manifest";
import { POLICY_ROLES } from "../posture/types";

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
  const own = policies.filter(({ metadata }) => roleOf(metadata) !== undefined);
  const refuses = ({ spec }: Manifest) => (spec as Json).validationFailureAction === "Enforce";
  const judges = own.filter(({ metadata }) => !roleOf(metadata)!.startsWith("guard-"));
  const enforcing = judges.filter(refuses);
  const guard = own.find(({ metadata }) => roleOf(metadata) === "guard-image-bypass");
  const rules = guard ? enforcing.flatMap(({ spec }) => (spec as { rules: { name: string }[] }).rules) : [];
  const named = (prefix: string) => [
    ...new Set(rules.map(({ name }) => name).filter((name) => name.startsWith(prefix))),
  ];
  return {
    all: names(policies),
    enforcing: names(enforcing),
    auditing: names(judges.filter((policy) => !refuses(policy))),
    refusing: names(own.filter(refuses)),
    ...(guard ? { bypassGuard: guard.metadata.name } : {}),
    bypassRules: named("no-image-volumes").flatMap(withGenerated),
    endedRules: named("bypass-ended-").flatMap(withGenerated),
  };
}

function roleOf({ labels }: Manifest["metadata"]): string | undefined {
  return POLICY_ROLES.find((role) => role === labels?.["image-signing-guard/role"]);
}

function names(policies: readonly Manifest[]): string[] {
  return policies.map(({ metadata }) => metadata.name).sort();
}

const LONGEST_RULE_NAME = 63;

/** Kyverno makes a rule for controllers and one for CronJobs out of a rule for pods, and cuts their names. */
function withGenerated(rule: string): string[] {
  return [rule, `autogen-${rule}`, `autogen-cronjob-${rule}`].map((name) => name.slice(0, LONGEST_RULE_NAME));
}
