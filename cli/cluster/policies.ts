import { isDeepStrictEqual } from "node:util";
import { globMatches } from "../../components/globs";
import { isManaged, type Json } from "../../components/kubernetes/manifest";
import {
  CLUSTER_POLICIES,
  type KubeObject,
  MUTATING_POLICIES,
  type Resource,
} from "../../components/kubernetes/resources";
import { attestations, attestorSet, verifierType } from "../../components/policies/attestors";
import { NAMESPACES_CONDITION, scopesHold } from "../../components/policies/cel/celPolicy";
import { requirementOfEntry, requirementsOfPolicy } from "../../components/policies/cel/demands";
import { isReady, POLICY_KINDS } from "../../components/policies/kinds";
import { ROLE_LABEL, withGenerated } from "../../components/policies/names";
import { KYVERNO_LINES } from "../../components/posture/kyvernoLines";
import type { ImageRule, Resolved } from "../../components/posture/types";
import type { PolicyVersion } from "./rows";
import { type Gap, type ObjectSource, readAll } from "./source";

/** A policy of the guard as the cluster has it. */
export interface DeployedPolicy extends PolicyVersion {
  readonly kind: string;
  readonly role: string;
  readonly action: "enforce" | "audit";
  readonly background: boolean;
  readonly ready: boolean;
  /** What each verifying rule requires. */
  readonly requirements: ReadonlyMap<string, Requirement>;
  readonly judges: (namespace: string) => boolean;
}

/** Whose signatures a rule wants. Two rules with equal requirements give every image the same verdict. */
export interface Requirement {
  readonly type: unknown;
  readonly attestors: unknown;
  readonly attestations: unknown;
  readonly repository: unknown;
}

interface Rule {
  readonly name?: string;
  readonly match?: { readonly any?: readonly { readonly resources?: { readonly namespaces?: readonly string[] } }[] };
  readonly exclude?: { readonly any?: readonly { readonly resources?: { readonly namespaces?: readonly string[] } }[] };
  readonly verifyImages?: readonly Record<string, unknown>[];
}

export async function readPolicies(source: ObjectSource): Promise<{ policies: DeployedPolicy[]; gaps: Gap[] }> {
  const policies: DeployedPolicy[] = [];
  const gaps: Gap[] = [];
  for (const kind of POLICY_KINDS) {
    const own = await readAll(source, kind, [], (page) => {
      for (const object of page) if (isManaged(object)) policies.push(deployed(kind, object));
    });
    // The newer kinds are nobody's loss where a cluster or a file has none.
    gaps.push(...(kind === CLUSTER_POLICIES ? own : own.filter(({ why }) => why !== "absent")));
  }
  // Pinning tags judges nothing, and goes by the name of the policy that judges.
  return { policies: policies.filter(({ kind }) => kind !== MUTATING_POLICIES.kind), gaps };
}

function deployed(resource: Resource, object: KubeObject): DeployedPolicy {
  const { metadata } = object;
  return {
    kind: resource.kind,
    name: metadata?.name ?? "",
    role: metadata?.labels?.[ROLE_LABEL] ?? metadata?.name ?? "",
    ready: isReady(object),
    resourceVersion: metadata?.resourceVersion ?? "",
    changedAt: changedAt(metadata),
    ...(resource === CLUSTER_POLICIES ? fromRules(object) : fromCel(object)),
  };
}

type Said = Pick<DeployedPolicy, "action" | "background" | "requirements" | "judges">;

function fromRules({ spec }: KubeObject): Said {
  const {
    rules = [],
    validationFailureAction,
    background,
  } = (spec ?? {}) as Record<string, unknown> & {
    rules?: readonly Rule[];
  };
  const namespacesOf = (part: Rule["match"]) =>
    part?.any?.flatMap(({ resources }) => resources?.namespaces ?? []) ?? [];
  const scopes = rules.map(({ match, exclude }) => ({ include: namespacesOf(match), exclude: namespacesOf(exclude) }));
  return {
    action: String(validationFailureAction).toLowerCase() === "enforce" ? "enforce" : "audit",
    background: background !== false,
    requirements: new Map(
      rules.flatMap(({ name = "", verifyImages }): [string, Requirement][] => {
        const [first] = verifyImages ?? [];
        return first?.attestors ? [[name, requirement(first)]] : [];
      }),
    ),
    judges: (namespace) => {
      const matches = (patterns: readonly string[]) => patterns.some((pattern) => globMatches(pattern, namespace));
      return scopes.some(({ include, exclude }) => (include.length === 0 || matches(include)) && !matches(exclude));
    },
  };
}

function fromCel({ spec }: KubeObject): Said {
  const {
    validationActions = [],
    evaluation,
    matchConditions = [],
  } = (spec ?? {}) as {
    validationActions?: readonly string[];
    evaluation?: { background?: { enabled?: boolean } };
    matchConditions?: readonly { name?: string; expression?: string }[];
  };
  const where = matchConditions.find(({ name }) => name === NAMESPACES_CONDITION)?.expression;
  return {
    action: validationActions.includes("Deny") ? "enforce" : "audit",
    background: evaluation?.background?.enabled !== false,
    requirements: new Map(
      [...requirementsOfPolicy((spec ?? {}) as Json)].map(([list, wanted]) => [list, celRequirement(wanted)]),
    ),
    judges: (namespace) => where === undefined || scopesHold(where, namespace),
  };
}

const celRequirement = (wanted: object): Requirement => ({
  type: "ImageValidatingPolicy",
  attestors: wanted,
  attestations: undefined,
  repository: undefined,
});

/** The status is written by itself, and all the time. */
function changedAt(metadata: KubeObject["metadata"]): number {
  const times = (metadata?.managedFields ?? [])
    .filter(({ subresource }) => !subresource)
    .map(({ time = "" }) => Date.parse(time) / 1000);
  return times.length === 0 || times.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...times);
}

function requirement({ type, attestors, attestations: wanted, repository }: Record<string, unknown>): Requirement {
  return { type, attestors, attestations: wanted, repository };
}

/** What the stack wants of an entry's images, in the form in which it is deployed. */
export function requirementOf(entry: ImageRule, resolved: Resolved): Requirement {
  if (resolved.posture.kyverno.policies) return celRequirement(requirementOfEntry(entry, resolved));
  return {
    type: verifierType(entry).type,
    attestors: [attestorSet(entry.signers, entry.threshold, resolved, entry.format)],
    attestations: entry.attestations.length > 0 ? attestations(entry, resolved) : undefined,
    repository: entry.signatureRepository,
  };
}

export const sameRequirement = (left: Requirement, right: Requirement): boolean =>
  isDeepStrictEqual(withoutAdded(left), withoutAdded(right));

/** Without what the API server adds by itself. */
function withoutAdded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAdded);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, own]) => !ADDED.some((added) => key in added && added[key] === own))
      .map(([key, own]) => [key, withoutAdded(own)]),
  );
}

const ADDED = Object.values(KYVERNO_LINES).map(({ addedToPolicies }) => addedToPolicies);

/** Kyverno makes rules for controllers out of those for pods, under a longer name. */
export function requirementOfRule(policy: DeployedPolicy, rule: string): Requirement | undefined {
  const direct = policy.requirements.get(rule);
  if (direct) return direct;
  for (const [name, wanted] of policy.requirements) {
    if (withGenerated(name).includes(rule)) return wanted;
  }
  return undefined;
}
