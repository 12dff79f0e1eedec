import { compileBackstop } from "./backstop/compile";
import { type Json, MANAGED_BY, type Manifest } from "./kubernetes/manifest";
import { leftoverGuards } from "./kyverno/leftovers";
import { admissionNetworkPolicy } from "./kyverno/networkPolicy";
import { trustFiles } from "./kyverno/trustFiles";
import { chartValues } from "./kyverno/values";
import { type CompiledMonitoring, compileMonitoring } from "./monitoring/compile";
import { auditUnsignedImages } from "./policies/auditUnsignedImages";
import { celPolicies } from "./policies/cel/compile";
import { type ClusterPolicy, excusingNothing } from "./policies/clusterPolicy";
import { guardImageBypass } from "./policies/guardImageBypass";
import { guardImageVerdicts } from "./policies/guardImageVerdicts";
import { JUDGE_TEXTS, judges } from "./policies/judges";
import { isGuard, type PolicyRole, ROLE, roleOf } from "./policies/names";
import { inParts } from "./policies/parts";
import { KYVERNO_LINES } from "./posture/kyvernoLines";
import type { KyvernoPlan, PolicyPlan, Resolved } from "./posture/types";

/** Everything that goes into the cluster, in the order in which it must. */
export interface Compiled {
  /** Objects that see to it that destroy leaves nothing. */
  readonly leftoverGuards: Manifest[];
  /** Absent where somebody else runs Kyverno. */
  readonly namespace?: Manifest;
  /** ConfigMap with the trust anchors' files; absent when no file is needed. */
  readonly trust?: Manifest;
  /** Keeps strangers from Kyverno's webhooks; absent where the API server's addresses are not known. */
  readonly networkPolicy?: Manifest;
  readonly chartValues: Json;
  /** Policies without which the judges could be fooled: applied first and removed last. */
  readonly guards: Manifest[];
  /** All other policies, the user's own among them. */
  readonly judges: Manifest[];
  /** What the API server itself refuses; made last and removed first. */
  readonly backstop: Manifest[];
  /** Absent where the stack has no monitoring. */
  readonly monitoring?: CompiledMonitoring;
}

const POLICIES: Record<PolicyRole, (plan: PolicyPlan, resolved: Resolved) => ClusterPolicy[]> = {
  [ROLE.production]: (plan, resolved) => judges(plan, resolved, JUDGE_TEXTS[ROLE.production]),
  [ROLE.applications]: (plan, resolved) => judges(plan, resolved, JUDGE_TEXTS[ROLE.applications]),
  [ROLE.uncovered]: auditUnsignedImages,
  [ROLE.verdicts]: (plan) => [guardImageVerdicts(plan)],
  [ROLE.bypass]: guardImageBypass,
};

/** Posture to manifests. Pure: the same posture always gives the same text. */
export function compilePosture(resolved: Resolved): Compiled {
  const { posture, materials } = resolved;
  const trust = trustFiles(resolved);
  const policies = [...ownPolicies(resolved), ...(materials.extraPolicies as unknown as Manifest[])];
  const networkPolicy = admissionNetworkPolicy(posture.kyverno);
  const monitoring = compileMonitoring(resolved, policies);
  return {
    ...(posture.kyverno.install === false
      ? { leftoverGuards: [] }
      : { leftoverGuards: leftoverGuards(posture.kyverno), namespace: namespaceOf(posture.kyverno) }),
    ...(trust ? { trust } : {}),
    ...(networkPolicy ? { networkPolicy } : {}),
    chartValues: chartValues(resolved, trust),
    guards: policies.filter((policy) => isGuard(roleOf(policy))).sort(byName),
    judges: policies.filter((policy) => !isGuard(roleOf(policy))).sort(byName),
    backstop: compileBackstop(posture, policies),
    ...(monitoring ? { monitoring } : {}),
  };
}

function ownPolicies(resolved: Resolved): Manifest[] {
  const { policies, kyverno } = resolved.posture;
  if (kyverno.policies) return celPolicies(resolved);
  const { excusesUpdates } = KYVERNO_LINES[kyverno.target];
  return policies
    .flatMap((plan) => POLICIES[plan.role](plan, resolved))
    .map((policy) => (excusesUpdates ? excusingNothing(policy) : policy))
    .flatMap(inParts);
}

function namespaceOf({ namespace }: KyvernoPlan): Manifest {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { ...MANAGED_BY } } };
}

/** All policies, in the order in which they are applied. */
export function policiesOf({ guards, judges }: Pick<Compiled, "guards" | "judges">): Manifest[] {
  return [...guards, ...judges];
}

function byName(a: Manifest, b: Manifest): number {
  return a.metadata.name.localeCompare(b.metadata.name);
}
