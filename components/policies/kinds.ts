import {
  CLUSTER_POLICIES,
  IMAGE_VALIDATING_POLICIES,
  type KubeObject,
  MUTATING_POLICIES,
  type Resource,
  VALIDATING_POLICIES,
} from "../kubernetes/resources";

/** Every kind of a policy that the guard writes. */
export const POLICY_KINDS: readonly Resource[] = [
  CLUSTER_POLICIES,
  IMAGE_VALIDATING_POLICIES,
  VALIDATING_POLICIES,
  MUTATING_POLICIES,
];

export function policyKind({ kind }: { readonly kind?: string }): Resource {
  return POLICY_KINDS.find((resource) => resource.kind === kind) ?? CLUSTER_POLICIES;
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** A policy's conditions; those of the newer kinds lie a step deeper, beside one word that sums them up. */
function conditionsOf({ status }: KubeObject): { readonly conditions: readonly Condition[]; readonly ready?: boolean } {
  const { conditions = [], conditionStatus } = (status ?? {}) as {
    conditions?: readonly Condition[];
    conditionStatus?: { conditions?: readonly Condition[]; ready?: boolean };
  };
  if (!conditionStatus) return { conditions };
  return { conditions: conditionStatus.conditions ?? [], ready: conditionStatus.ready === true };
}

/** Whether Kyverno says that it judges by the policy. */
export function isReady(policy: KubeObject): boolean {
  const { conditions, ready } = conditionsOf(policy);
  return ready ?? conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/** Since when, in milliseconds; NaN where it is not. */
export function readySince(policy: KubeObject): number {
  if (!isReady(policy)) return Number.NaN;
  const { conditions, ready } = conditionsOf(policy);
  const counted = ready === undefined ? conditions.filter(({ type }) => type === "Ready") : conditions;
  return Math.max(...counted.map(({ lastTransitionTime = "" }) => Date.parse(lastTransitionTime)));
}

/** What keeps it from being ready, in Kyverno's words. */
export function notReadyBecause(policy: KubeObject): string | undefined {
  return conditionsOf(policy).conditions.find(({ status }) => status !== "True")?.message;
}
