import { GuardMode } from "../args";
import type { PolicyPlan, Resolved } from "../posture/types";
import { judgesPodsByScan, ONLY_SCANS, reportingWebhook } from "./auditing";
import { type ClusterPolicy, clusterPolicy, type PolicyText } from "./clusterPolicy";
import { ROLE } from "./names";
import { DEBUG, type Place, PODS, TEMPLATES } from "./place";
import { sourceRules } from "./sourceRules";
import { verifyRules } from "./verifyRules";

export const JUDGE_TEXTS = {
  /** Production. What no signer covers is refused as well, unless the stack says otherwise. */
  [ROLE.production]: {
    title: "Require signed images in production",
    severity: "high",
    description: "Production namespaces run images only if a configured signer has signed them.",
  },
  /** Every other namespace but the system's. */
  [ROLE.applications]: {
    title: "Verify image signatures",
    severity: "high",
    description: "Images with a configured signer are verified in every namespace outside production and the system.",
  },
} as const satisfies Record<string, PolicyText>;

/** One policy for pods, one for the templates that pods are made from, and where it refuses one for debug containers. */
export function judges(plan: PolicyPlan, resolved: Resolved, text: PolicyText): ClusterPolicy[] {
  const byScan = judgesPodsByScan(plan, resolved.posture);
  const pods = byScan ? { ...plan, ...webhookOf(reportingWebhook(plan, resolved.posture)) } : plan;
  return [
    policyFor(PODS, pods, resolved, text, byScan),
    policyFor(TEMPLATES, plan, resolved, { ...text, title: `${text.title}: pod templates` }),
    ...(plan.mode === GuardMode.Enforce
      ? [policyFor(DEBUG, plan, resolved, { ...text, title: `${text.title}: debug containers` })]
      : []),
  ];
}

function policyFor(
  place: Place,
  plan: PolicyPlan,
  resolved: Resolved,
  text: PolicyText,
  byScan = false,
): ClusterPolicy {
  const context = { plan, resolved, place };
  const rules = plan.scopes.flatMap((scope) => [
    ...verifyRules(context, scope, byScan ? [ONLY_SCANS] : []),
    ...(place === DEBUG ? [] : sourceRules(context, scope)),
  ]);
  // What a debug container was allowed to be is the request's affair; a scan sees the pod.
  return clusterPolicy({ ...plan, name: `${plan.name}${place.suffix}` }, text, { background: place !== DEBUG, rules });
}

function webhookOf({ failurePolicy, timeoutSeconds }: Pick<PolicyPlan, "failurePolicy" | "timeoutSeconds">) {
  return { failurePolicy, timeoutSeconds };
}
