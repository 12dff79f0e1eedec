import { MetricsScrape } from "../args";
import type { Json } from "../kubernetes/manifest";
import type { Posture } from "../posture/types";

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
