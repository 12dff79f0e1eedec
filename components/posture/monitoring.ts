import { AlertName, MetricsScrape } from "../args";
import type { ProblemList } from "../problems";
import type { GuardConfig } from "../schema";
import type { Context } from "./context";
import { ALERT_DEFAULTS, POLICY_REPORTER } from "./monitoringDefaults";
import type { AlertSetting, KyvernoPlan, Monitoring, PolicyReporter } from "./types";

/** Where runbooks are unless the stack names a page: this project's own file. */
export const DEFAULT_RUNBOOKS = "docs/alerts.md";

/** Whether the cluster has the operator's kinds is the stack's word: a preview must not depend on who can ask it. */
export function resolveMonitoring({ config, problems }: Context, kyverno: KyvernoPlan): Monitoring | undefined {
  const given = config.monitoring;
  if (!given) return undefined;
  const prometheusOperator = given.prometheusOperator ?? false;
  const scrape = given.scrape ?? (prometheusOperator ? MetricsScrape.ServiceMonitors : MetricsScrape.Annotations);
  if (scrape === MetricsScrape.ServiceMonitors && !prometheusOperator) {
    problems.add(
      "monitoring.scrape",
      scrape,
      "annotations or none, without monitoring.prometheusOperator",
      "set monitoring.prometheusOperator: true if the cluster has the operator, else leave monitoring.scrape out",
    );
  }
  if (!prometheusOperator) {
    problems.warn(
      "monitoring: no PrometheusRule and no ServiceMonitors, because monitoring.prometheusOperator is not true; image-signing-guard render writes the rules and a scrape config as files for a plain Prometheus",
    );
  }
  return {
    prometheusOperator,
    scrape,
    scrapeInterval: given.scrapeInterval ?? "30s",
    evaluationInterval: given.evaluationInterval ?? "30s",
    window: given.window ?? "10m",
    scanWindow: given.scanWindow ?? "2h",
    objectLabels: sorted(given.objectLabels ?? {}),
    alertLabels: sorted(given.alertLabels ?? {}),
    runbookBaseUrl: given.runbookBaseUrl ?? DEFAULT_RUNBOOKS,
    dashboards: given.dashboards ?? true,
    alerts: resolveAlerts(given.alerts ?? [], problems),
    policyReporter: resolvePolicyReporter(given.policyReporter, kyverno, problems),
  };
}

type AlertConfig = NonNullable<NonNullable<GuardConfig["monitoring"]>["alerts"]>[number];

function resolveAlerts(given: readonly AlertConfig[], problems: ProblemList): AlertSetting[] {
  const byName = new Map<AlertName, AlertConfig>();
  given.forEach((entry, index) => {
    const key = `monitoring.alerts[${index}]`;
    const { threshold } = ALERT_DEFAULTS[entry.alert];
    if (byName.has(entry.alert)) {
      problems.add(`${key}.alert`, entry.alert, "one entry an alert", `merge ${key} with the entry before it`);
    }
    if (entry.threshold !== undefined && threshold === undefined) {
      problems.add(
        `${key}.threshold`,
        entry.threshold,
        `nothing: ${entry.alert} has no threshold`,
        `remove ${key}.threshold`,
      );
    }
    if (threshold?.max !== undefined && (entry.threshold ?? 0) > threshold.max) {
      problems.add(
        `${key}.threshold`,
        entry.threshold,
        `a number above 0 and at most ${threshold.max}: ${threshold.unit}`,
        `write ${key}.threshold as a share, e.g. ${threshold.value}`,
      );
    }
    byName.set(entry.alert, entry);
  });
  return Object.values(AlertName).flatMap((alert): AlertSetting[] => {
    const own = byName.get(alert);
    if (own?.enabled === false) return [];
    const { severity, for: duration, threshold } = ALERT_DEFAULTS[alert];
    return [
      {
        alert,
        severity: own?.severity ?? severity,
        for: own?.for ?? duration,
        ...(threshold ? { threshold: own?.threshold ?? threshold.value } : {}),
      },
    ];
  });
}

function resolvePolicyReporter(
  given: NonNullable<GuardConfig["monitoring"]>["policyReporter"],
  kyverno: KyvernoPlan,
  problems: ProblemList,
): PolicyReporter | "off" {
  if (!given?.enabled) return "off";
  const namespace = given.namespace ?? "policy-reporter";
  if (namespace === kyverno.namespace || namespace.startsWith("kube-") || namespace === "default") {
    problems.add(
      "monitoring.policyReporter.namespace",
      namespace,
      "a namespace of its own",
      "leave it out to use policy-reporter: the namespace is created, and Kyverno's must be Kyverno's alone",
    );
  }
  if (given.chart?.path && given.chart.repository) {
    problems.say(
      "monitoring.policyReporter.chart",
      "path and repository",
      "one of path, repository",
      "keep the one that the chart comes from",
    );
  }
  return {
    chart: given.chart?.path
      ? { name: given.chart.path }
      : { name: POLICY_REPORTER.chart, repository: given.chart?.repository ?? POLICY_REPORTER.repository },
    chartVersion: POLICY_REPORTER.chartVersion,
    namespace,
    ui: given.ui ?? false,
  };
}

function sorted(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
