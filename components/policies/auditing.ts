import { GuardMode } from "../args";
import { globContains } from "../globs";
import type { PolicyPlan, Posture } from "../posture/types";
import type { ClusterPolicy, Condition } from "./clusterPolicy";
import { isJudge } from "./names";

type Webhook = Pick<PolicyPlan, "failurePolicy" | "timeoutSeconds">;

/**
 * Policies that only report join the webhook of those that refuse, where there are such: Kyverno carries them out after
 * its answer, so they can't stop anything, and a webhook of their own would cost every request a call more.
 */
export function reportingWebhook(plan: PolicyPlan, { policies }: Posture): Webhook {
  return policies.find(({ role, mode }) => isJudge(role) && mode === GuardMode.Enforce) ?? plan;
}

/**
 * In a stack that enforces, pods of development namespaces are judged by scans alone, within about a minute: judged at
 * admission they would cost every request of the cluster a webhook more. Their workloads still are. A stack that audits,
 * and a namespace that is audited by an override (somebody is migrating), are judged at admission.
 */
export function judgesPodsByScan(plan: PolicyPlan, posture: Posture): boolean {
  if (plan.mode !== GuardMode.Audit) return false;
  const webhook = reportingWebhook(plan, posture);
  if (webhook === plan || webhook.failurePolicy === plan.failurePolicy) return false;
  const development = posture.namespaces.find(({ name }) => name === "development")?.patterns ?? [];
  const isDevelopment = (pattern: string) => development.some((known) => globContains(known, pattern));
  return posture.policies
    .filter(({ role, mode }) => isJudge(role) && mode === GuardMode.Audit)
    .flatMap(({ scopes }) => scopes)
    .every(({ include }) => include.length > 0 && include.every(isDevelopment));
}

/** Only a request has an ID. */
export const ONLY_SCANS: Condition = {
  key: "{{ request.uid || '' }}",
  operator: "Equals",
  value: "",
  message: "judged by scans",
};

/** Policies with rules that no request ever meets. */
export function isJudgedByScans({ spec }: ClusterPolicy): boolean {
  return spec.rules.some(({ preconditions }) => preconditions?.all.some(({ key }) => key === ONLY_SCANS.key));
}
