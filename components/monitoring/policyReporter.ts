import type { Json } from "../kubernetes/manifest";
import { mergeValues } from "../kyverno/values";
import type { PolicyReporter, Resolved } from "../posture/types";

/** Helm values of its chart, with the user's merged over them. */
export function policyReporterValues({ posture, materials }: Resolved, reporter: PolicyReporter): Json {
  const { kyverno } = posture;
  const monitoring = posture.monitoring!;
  const image: Json = kyverno.imageRegistry ? { image: { registry: kyverno.imageRegistry } } : {};
  const own: Json = {
    ...image,
    metrics: { enabled: true },
    ui: { ...image, enabled: reporter.ui },
    plugin: { kyverno: { ...image, enabled: reporter.ui } },
    // Its ServiceMonitor would fail the release where the operator's kinds are missing.
    monitoring: {
      enabled: monitoring.prometheusOperator,
      serviceMonitor: { enabled: monitoring.prometheusOperator, labels: monitoring.objectLabels },
      grafana: { dashboards: { enabled: monitoring.dashboards } },
    },
  };
  return mergeValues(own, materials.policyReporterValues);
}
