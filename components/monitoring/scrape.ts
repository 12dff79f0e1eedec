import type { Json } from "../kubernetes/manifest";
import type { KyvernoPlan, Monitoring } from "../posture/types";

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
