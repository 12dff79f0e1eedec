import { MetricsScrape } from "../args";
import type { Json } from "../kubernetes/manifest";
import type { KyvernoPlan, Monitoring, Posture } from "../posture/types";

const CONTROLLERS = ["admissionController", "backgroundController", "cleanupController", "reportsController"] as const;

const METRICS_PORT = 8000;

/** Chart values that let Prometheus find Kyverno's four controllers. */
export function scrapeValues({ monitoring }: Posture): Record<(typeof CONTROLLERS)[number], Json> {
  const own = (): Json => {
    if (monitoring?.scrape === MetricsScrape.ServiceMonitors) {
      const { objectLabels, scrapeInterval } = monitoring;
      // The chart's own 25 s would be refused beside a shorter interval.
      const timeout = { interval: scrapeInterval, scrapeTimeout: scrapeInterval };
      return { serviceMonitor: { enabled: true, additionalLabels: objectLabels, ...timeout } };
    }
    if (monitoring?.scrape === MetricsScrape.Annotations) {
      const annotations = { "prometheus.io/scrape": "true", "prometheus.io/port": String(METRICS_PORT) };
      return { metricsService: { annotations } };
    }
    return {};
  };
  const values = Object.fromEntries(CONTROLLERS.map((controller) => [controller, own()]));
  return values as Record<(typeof CONTROLLERS)[number], Json>;
}

/** A job for a Prometheus without the operator, with the labels that a ServiceMonitor would give. */
export function scrapeConfig(kyverno: KyvernoPlan, monitoring: Monitoring): Json {
  return {
    scrape_configs: [
      {
        job_name: "kyverno",
        scrape_interval: monitoring.scrapeInterval,
        scrape_timeout: monitoring.scrapeInterval,
        kubernetes_sd_configs: [{ role: "endpoints", namespaces: { names: [kyverno.namespace] } }],
        relabel_configs: [
          {
            source_labels: ["__meta_kubernetes_endpoint_port_name"],
            regex: "metrics-port",
            action: "keep",
          },
          { source_labels: ["__meta_kubernetes_service_name"], target_label: "job" },
          { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
          { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
        ],
      },
    ],
  };
}
