import type { Json, Manifest } from "../kubernetes/manifest";
import { MANAGED_BY } from "../kubernetes/manifest";
import type { PolicyReporter, Resolved } from "../posture/types";
import { dashboardConfigMap } from "./dashboard";
import { policyReporterValues } from "./policyReporter";
import { prometheusRule, type RuleGroup, ruleGroups } from "./prometheusRule";

/** What monitoring adds to the cluster. */
export interface CompiledMonitoring {
  /** The alerts themselves; the PrometheusRule holds the same. */
  readonly ruleGroups: RuleGroup[];
  /** Absent without the operator, or without alerts. */
  readonly prometheusRule?: Manifest;
  readonly dashboard?: Manifest;
  readonly policyReporter?: {
    readonly plan: PolicyReporter;
    readonly namespace: Manifest;
    readonly chartValues: Json;
  };
}

export function compileMonitoring(resolved: Resolved, policies: readonly Manifest[]): CompiledMonitoring | undefined {
  const { posture } = resolved;
  const { monitoring } = posture;
  if (!monitoring) return undefined;
  const groups = ruleGroups(posture, monitoring, policies);
  const { policyReporter } = monitoring;
  return {
    ruleGroups: groups,
    ...(monitoring.prometheusOperator && groups.length > 0
      ? { prometheusRule: prometheusRule(posture, monitoring, groups) }
      : {}),
    ...(monitoring.dashboards ? { dashboard: dashboardConfigMap(posture, policies) } : {}),
    ...(policyReporter === "off"
      ? {}
      : {
          policyReporter: {
            plan: policyReporter,
            namespace: {
              apiVersion: "v1",
              kind: "Namespace",
              metadata: { name: policyReporter.namespace, labels: { ...MANAGED_BY } },
            },
            chartValues: policyReporterValues(resolved, policyReporter),
          },
        }),
  };
}
