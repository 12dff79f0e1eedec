import { type Json, MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import type { PolicyPlan } from "../posture/types";
import { ROLE_LABEL } from "./names";

export interface PolicyText {
  readonly title: string;
  readonly severity: "low" | "medium" | "high";
  readonly description: string;
}

/** The frame that every policy shares. Fields that Kyverno would default are written out, so that nothing drifts. */
export function clusterPolicy(
  plan: PolicyPlan,
  text: PolicyText,
  spec: { background: boolean; rules: Json[] },
): Manifest {
  return {
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    metadata: {
      name: plan.name,
      labels: { ...MANAGED_BY, [ROLE_LABEL]: plan.role },
      annotations: {
        "policies.kyverno.io/title": text.title,
        "policies.kyverno.io/category": "Software Supply Chain Security",
        "policies.kyverno.io/severity": text.severity,
        "policies.kyverno.io/subject": "Pod",
        "policies.kyverno.io/description": text.description,
      },
    },
    spec: {
      validationFailureAction: plan.mode === "enforce" ? "Enforce" : "Audit",
      background: spec.background,
      failurePolicy: plan.failurePolicy,
      webhookTimeoutSeconds: plan.timeoutSeconds,
      rules: spec.rules,
    },
  };
}
