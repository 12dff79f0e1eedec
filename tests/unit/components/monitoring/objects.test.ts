import * as assert from "node:assert/strict";
import { parse, stringify } from "yaml";
import { renderStack } from "../../../../cli/render/run";
import type { Json } from "../../../../components/kubernetes/manifest";
import { needPromtool, promtool } from "../../../support/promtool";
import { compile, settings } from "../../../support/settings";

const valuesOf = (monitoring?: Record<string, unknown>) =>
  compile(settings(monitoring ? { monitoring } : {})).chartValues as Record<string, Json>;
const CONTROLLERS = ["admissionController", "backgroundController", "cleanupController", "reportsController"];
const filesOf = (monitoring: Record<string, unknown>) =>
  new Map(renderStack(settings({ monitoring })).files.map(({ name, text }) => [name, text]));

interface Target {
  expr: string;
  legendFormat: string;
}

describe("monitoring's objects", () => {
  it("leave the chart alone without the block", () => {
    for (const controller of CONTROLLERS) {
      const values = valuesOf()[controller]!;
      assert.ok(!("serviceMonitor" in values) && !("metricsService" in values), controller);
    }
  });

  it("let the chart make ServiceMonitors for all four controllers, with the labels that select them", () => {
    const values = valuesOf({ prometheusOperator: true, objectLabels: { release: "prom" }, scrapeInterval: "10s" });
    for (const controller of CONTROLLERS)
      assert.deepEqual(values[controller]!.serviceMonitor, {
        enabled: true,
        additionalLabels: { release: "prom" },
        interval: "10s",
        scrapeTimeout: "10s",
      });
  });

  it("annotate the metrics Services without the operator, and nothing on request", () => {
    for (const controller of CONTROLLERS) {
      assert.deepEqual(valuesOf({})[controller]!.metricsService, {
        annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8000" },
      });
      assert.ok(!("metricsService" in valuesOf({ scrape: "none" })[controller]!));
    }
  });

  it("give the rule the operator's labels and Kyverno's namespace", () => {
    const { prometheusRule } = compile(
      settings({
        monitoring: { prometheusOperator: true, objectLabels: { release: "prom" } },
        kyverno: { namespace: "policy" },
      }),
    ).monitoring!;
    assert.deepEqual(prometheusRule!.metadata, {
      name: "image-signing-guard",
      namespace: "policy",
      labels: { release: "prom", "app.kubernetes.io/managed-by": "image-signing-guard" },
    });
  });

  it("make a dashboard that Grafana's sidecar finds, of panels with queries, in a grid without overlap", () => {
    const { dashboard } = compile(settings({ monitoring: {}, mode: "enforce", bypass: { groups: ["a"] } })).monitoring!;
    assert.equal(dashboard!.metadata.labels!.grafana_dashboard, "1");
    const model = JSON.parse((dashboard!.data as Record<string, string>)["image-signing-guard.json"]!);
    assert.ok(model.panels.length >= 12, `${model.panels.length} panels`);
    const places = model.panels.map(({ gridPos }: { gridPos: unknown }) => JSON.stringify(gridPos));
    assert.equal(new Set(places).size, places.length);
    for (const { title, targets } of model.panels as { title: string; targets: Target[] }[]) {
      assert.ok(targets.length > 0, title);
      for (const { expr, legendFormat } of targets) assert.ok(expr && legendFormat, title);
    }
  });

  it("are rendered as files that a Prometheus without operator reads", async function () {
    this.timeout(120_000);
    const files = filesOf({});
    assert.deepEqual([...files.keys()].slice(3), [
      "4-monitoring.yaml",
      "prometheus-rules.yaml",
      "prometheus-scrape.yaml",
    ]);
    assert.ok(!files.get("4-monitoring.yaml")!.includes("PrometheusRule"));
    await needPromtool(this);
    promtool(["check", "rules", "rules.yaml"], { "rules.yaml": files.get("prometheus-rules.yaml")! });
    const scrape = parse(files.get("prometheus-scrape.yaml")!) as { scrape_configs: Record<string, unknown>[] };
    const [{ kubernetes_sd_configs: discovery, ...job }] = scrape.scrape_configs as [Record<string, unknown>];
    assert.deepEqual(discovery, [{ role: "endpoints", namespaces: { names: ["kyverno"] } }]);
    // Some distributions build Prometheus without discovery in Kubernetes.
    const config = { scrape_configs: [{ ...job, static_configs: [{ targets: ["127.0.0.1:8000"] }] }] };
    promtool(["check", "config", "prometheus.yaml"], { "prometheus.yaml": stringify(config) });
  });

  it("are rendered as a PrometheusRule with the operator, and with policy-reporter's values", () => {
    const files = filesOf({ prometheusOperator: true, policyReporter: { enabled: true } });
    assert.deepEqual([...files.keys()].slice(3), ["4-monitoring.yaml", "5-policy-reporter-values.yaml"]);
    assert.match(files.get("4-monitoring.yaml")!, /kind: PrometheusRule/);
    assert.match(files.get("5-policy-reporter-values.yaml")!, /helm upgrade --install policy-reporter .*--repo/);
    assert.match(files.get("5-policy-reporter-values.yaml")!, /--version 3\.9\.1 --namespace policy-reporter/);
  });

  it("take policy-reporter's images from the mirror", () => {
    const { policyReporter } = compile(
      settings({ kyverno: { imageRegistry: "mirror.example.com" }, monitoring: { policyReporter: { enabled: true } } }),
    ).monitoring!;
    assert.match(stringify(policyReporter!.chartValues), /registry: mirror\.example\.com/);
  });
});
