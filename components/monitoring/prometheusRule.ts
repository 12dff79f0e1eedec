import type { Json, Manifest } from "../kubernetes/manifest";
import { MANAGED_BY } from "../kubernetes/manifest";
import { DEFAULT_RUNBOOKS } from "../posture/monitoring";
import type { AlertSetting, Monitoring, Posture } from "../posture/types";
import { alertBodies } from "./alerts";
import { subjectsOf } from "./subjects";

/** A rule as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Record<string, string>;
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: AlertRule[];
}

/** The alerts in two groups: what happens to images, and how Kyverno is. */
export function ruleGroups(posture: Posture, monitoring: Monitoring, policies: readonly Manifest[]): RuleGroup[] {
  const subjects = subjectsOf(policies);
  const rules = monitoring.alerts.flatMap((setting) =>
    alertBodies(setting, posture, monitoring, subjects).map(
      ({ expr, labels = {}, summary, description }): AlertRule => ({
        alert: setting.alert,
        expr,
        for: setting.for,
        labels: { ...monitoring.alertLabels, ...labels, severity: setting.severity },
        annotations: { summary, description, runbook_url: runbookOf(setting, monitoring) },
      }),
    ),
  );
  return [
    ["image-signing-guard.images", "Image"],
    ["image-signing-guard.kyverno", "Kyverno"],
  ].flatMap(([name, prefix]) => {
    const own = rules.filter(({ alert }) => alert.startsWith(prefix!));
    return own.length > 0 ? [{ name: name!, interval: monitoring.evaluationInterval, rules: own }] : [];
  });
}

/** The section of an alert, as GitHub and most wikis name the anchors of headings. */
export function runbookOf({ alert }: AlertSetting, { runbookBaseUrl }: Monitoring): string {
  const page = `${runbookBaseUrl}#${alert.toLowerCase()}`;
  return runbookBaseUrl === DEFAULT_RUNBOOKS ? `${page} of image-signing-guard` : page;
}

/** The same groups for the Prometheus Operator. */
export function prometheusRule({ kyverno }: Posture, monitoring: Monitoring, groups: readonly RuleGroup[]): Manifest {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: {
      name: "image-signing-guard",
      namespace: kyverno.namespace,
      labels: { ...monitoring.objectLabels, ...MANAGED_BY },
    },
    spec: { groups: groups as unknown as Json[] },
  };
}
