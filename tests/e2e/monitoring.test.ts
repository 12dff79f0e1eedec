import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { AlertName } from "../../components/args";
import { type Compiled, compilePosture, policiesOf } from "../../components/compile";
import { admissionController } from "../../components/monitoring/metrics";
import { dashboardPanels, RANGE } from "../../components/monitoring/panels";
import { RULE } from "../../components/policies/names";
import { KYVERNO_LINES } from "../../components/posture/kyvernoLines";
import type { Resolved } from "../../components/posture/types";
import { resolveSettings } from "../../components/resolve";
import type { ControlPlane } from "../../local/controlPlane";
import { type DrawnPanel, drawDashboard } from "../../local/dashboardPicture";
import { deployment, pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings, projectFolder } from "../../local/demo/settings";
import { helm } from "../../local/kyverno";
import { isCelForm } from "../../local/policyForm";
import {
  type FiringAlert,
  findPrometheus,
  type Prometheus,
  prometheusIsMissing,
  startPrometheus,
} from "../../local/prometheus";
import { requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { selectorsIn } from "../support/promSelectors";
import { create, grant, killKyverno, log, patch, refusal, registerWebhooks, withBuilds } from "./support";

const RECORDINGS = path.join(__dirname, "..", "unit", "fixtures", "metrics");
/** So quick that a run sees alerts come and go, and so low that real latencies and rates are above them. */
const MONITORING = {
  prometheusOperator: true,
  window: "1m",
  scanWindow: "1m",
  evaluationInterval: "1s",
  runbookBaseUrl: "https://wiki.example.com/alerts",
  alertLabels: { team: "platform" },
  alerts: Object.values(AlertName).map((alert) => ({
    alert,
    for: "0s",
    ...({
      ImageRefused: { threshold: 1 },
      ImageVerificationError: { threshold: 1 },
      ImageTrustExpiring: { threshold: 100_000 },
      KyvernoAdmissionSlow: { threshold: 0.00001 },
      KyvernoAdmissionNearTimeout: { threshold: 0.00001 },
      KyvernoReportFlood: { threshold: 0.00001 },
    }[alert as string] ?? {}),
  })),
};

const policies = "/apis/kyverno.io/v1/clusterpolicies";

/** The chart of 1.19 makes its ServiceMonitors wherever it is told to, operator or not. */
async function haveServiceMonitors({ client }: ControlPlane): Promise<void> {
  const group = "monitoring.coreos.com";
  const names = { kind: "ServiceMonitor", plural: "servicemonitors", singular: "servicemonitor" };
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  await requestObject(client, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `servicemonitors.${group}` },
    spec: { group, names, scope: "Namespaced", versions: [{ name: "v1", served: true, storage: true, schema }] },
  });
  await waitFor("ServiceMonitors are served", 30_000, async () => {
    await requestObject(client, "GET", `/apis/${group}/v1/servicemonitors`);
    return true;
  });
}

describe("monitoring: a real Prometheus on a real Kyverno", function () {
  this.timeout(200_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let settings: Record<string, unknown>;
  let resolved: Resolved;
  let compiled: Compiled;
  let prometheus: Prometheus;
  let begin = 0;
  let following = true;

  before(async function () {
    this.timeout(withBuilds);
    const unless = (reason: string, holds: boolean) => {
      if (holds) return;
      (this as { skipReason?: string }).skipReason = reason;
      this.skip();
    };
    const program = await findPrometheus("prometheus", log);
    unless(prometheusIsMissing("prometheus"), program !== undefined);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop", "dev-anna"]);
    settings = localSettings("prod", sigstore, node.kyverno);
    Object.assign(settings, {
      monitoring: MONITORING,
      kyverno: {
        ...(settings.kyverno as object),
        // An hour is the default.
        values: { features: { backgroundScan: { backgroundScanInterval: "30s" } } },
        allowUnsafeValues: true,
      },
    });
    resolved = resolveSettings(settings);
    compiled = compilePosture(resolved);
    await haveServiceMonitors(plane);
    await applyRendered(plane, node.kyverno, settings);
    for (const group of ["platform-oncall", "developers"]) await grant(plane, group, "edit");
    prometheus = await startPrometheus(plane, compiled.monitoring!.ruleGroups, program);
    begin = Date.now() / 1000;
    void followProcesses();
    await waitFor("Prometheus sees Kyverno", 30_000, async () => {
      return (await prometheus.query(admissionController(resolved.posture))).length > 0;
    });
  });

  after(async function () {
    this.timeout(60_000);
    following = false;
    await cluster?.stop();
  });

  const asksIgnoringFirst = () => cluster.node.kyverno.version.startsWith("1.10.");

  /** Everything that the alerts and panels could ask for, as the fixture of tests/unit/components/monitoring/labels.test.ts. */
  async function recording(): Promise<string> {
    const names = [
      ...["image_validating_policy_results_total", "mutating_policy_results_total", "validating_policy_results_total"],
      ...["policy_results_total", "policy_rule_info_total", "admission_requests_total", "client_queries_total"],
      ...["controller_reconcile_total", "http_requests_duration_seconds_bucket"],
    ].map((name) => `kyverno_${name}`);
    names.push("apiserver_admission_webhook_rejection_count", "apiserver_admission_webhook_fail_open_count");
    names.push("apiserver_validating_admission_policy_check_total");
    const series = await prometheus.query(`last_over_time({__name__=~"${names.join("|")}"}[1h])`);
    const left = new Set(["__name__", "job", "instance", "otel_scope_name", "otel_scope_version"]);
    const lines = series.map(({ metric }) => {
      const own = Object.entries(metric).filter(([label]) => !left.has(label));
      const text = own
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      return `${metric.__name__}{${text.join(",")}}`;
    });
    // One bucket tells as much as all.
    const kept = lines.filter((line) => !line.includes("_bucket{") || line.includes('le="+Inf"'));
    return `${[...new Set(kept)].sort().join("\n")}\n`;
  }

  /** Plays service discovery: processes come back on other ports. */
  async function followProcesses() {
    while (following) {
      const targets = cluster.node.processes().map(({ binary, metricsUrl }) => ({
        job: binary,
        address: new URL(metricsUrl).host,
      }));
      prometheus.scrape(targets);
      await sleep(500);
    }
  }

  /** Waits until an alert with these labels fires, and checks what every alert has. */
  async function fires(alert: AlertName, labels: Record<string, string> = {}, timeout = 60_000): Promise<FiringAlert> {
    const found = await waitFor(
      `alert ${alert} with ${JSON.stringify(labels)}`,
      timeout,
      async () =>
        (await prometheus.alerts()).find(
          (one) =>
            one.state === "firing" &&
            one.labels.alertname === alert &&
            Object.entries(labels).every(([name, value]) => one.labels[name] === value),
        ),
      500,
    );
    const text = `${found.annotations.summary} ${found.annotations.description}`;
    for (const name of ["policy_name", "resource_namespace", "resource_kind"])
      if (found.labels[name]) assert.ok(text.includes(found.labels[name]), `${alert}: ${name} in "${text}"`);
    assert.ok(!/\{\{|<no value>|<error/.test(text), text);
    assert.equal(found.annotations.runbook_url, `https://wiki.example.com/alerts#${alert.toLowerCase()}`);
    assert.equal(found.labels.team, "platform");
    log(`${alert}: ${text}`);
    return found;
  }

  const bypass = (policy: string, seconds: number) => ({
    "policies.kyverno.io/skip": policy,
    "policies.kyverno.io/skip-reason": "INC-1234: the signing service is down",
    "policies.kyverno.io/skip-until": new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z"),
  });
  const annotated = (name: string, annotations: Record<string, string>) => {
    const object = pod(name, images.unsigned);
    return { ...object, metadata: { ...object.metadata, annotations } };
  };
  const scale = (deployment: string, replicas: number) =>
    requestObject(
      cluster.plane.client,
      "PATCH",
      `/apis/apps/v1/namespaces/kyverno/deployments/${deployment}`,
      { spec: { replicas } },
      "application/merge-patch+json",
    );

  it("is quiet about bypasses, missing policies and a dead Kyverno before anything happened", async () => {
    const quiet: string[] = ["ImageBypassUsed", "ImageBypassExpired", "ImagePolicyMissing", "ImagePolicyWeakened"];
    quiet.push("KyvernoAdmissionDown", "KyvernoWebhookFailing", "ImageViolation");
    await sleep(3000);
    const firing = (await prometheus.alerts()).map(({ labels }) => labels.alertname!);
    assert.deepEqual(
      firing.filter((name) => quiet.includes(name)),
      [],
    );
  });

  it("fires when an unsigned pod is refused, with policy and namespace", async () => {
    await refusal(create(cluster.plane.client, "production", pod("unsigned", images.unsigned)));
    await fires("ImageRefused", {
      policy_name: "require-signed-images",
      resource_namespace: "production",
      resource_kind: "Pod",
      severity: "warning",
    });
    await refusal(create(cluster.plane.client, "shop", deployment("unsigned", images.unsigned)));
    await fires("ImageRefused", { policy_name: "verify-image-signatures-templates", resource_kind: "Deployment" });
  });

  it("fires when an audited namespace admits an unsigned pod", async () => {
    await create(cluster.plane.client, "dev-anna", deployment("unsigned", images.unsigned));
    const where = { resource_namespace: "dev-anna", severity: "info" };
    await fires("ImageViolation", { ...where, policy_name: "verify-image-signatures-audit-templates" });
    // Its pods are judged by scans alone.
    await fires("ImageViolation", { ...where, policy_name: "verify-image-signatures-audit" }, 145_000);
  });

  it("tells an image that can't be verified from one that is not signed", async () => {
    const missing = images.unsigned.replace(/:.*/, ":not-there");
    await refusal(create(cluster.plane.client, "production", pod("missing", missing)));
    await fires("ImageVerificationError", { resource_namespace: "production" });
    // Of a tag that is to be pinned another policy says so.
    const digest = `${images.signed.replace(/:[^/]*$/, "")}@sha256:${"0".repeat(64)}`;
    await refusal(create(cluster.plane.client, "production", pod("missing-digest", digest)));
  });

  it("fires when a bypass is used, and when an outsider's is refused", async () => {
    const olga = await cluster.plane.asUser("olga", ["platform-oncall"]);
    await create(olga, "production", annotated("bypassed", bypass("require-signed-images", 75)));
    const used = isCelForm ? "guard-image-bypass" : "require-signed-images";
    await fires("ImageBypassUsed", { policy_name: used, resource_namespace: "production" });
    const mallory = await cluster.plane.asUser("mallory", ["developers"]);
    await refusal(create(mallory, "production", annotated("mallory", bypass("require-signed-images", 75))));
    const rule: Record<string, string> = isCelForm ? {} : { rule_name: RULE.bypassIsAllowed };
    await fires("ImageBypassRefused", { policy_name: "guard-image-bypass", ...rule });
  });

  it("measures latency, reports and the trust bundle", async () => {
    // Judged by policies of both kinds.
    await create(cluster.plane.client, "dev-anna", deployment("measured", images.signed));
    for (const failure_policy of ["Fail", "Ignore"]) {
      await fires("KyvernoAdmissionSlow", { failure_policy });
      await fires("KyvernoAdmissionNearTimeout", { failure_policy });
    }
    await fires("KyvernoReportFlood");
    await fires("ImageTrustExpiring", { trust_root: "custom" });
  });

  it("fires when a workload runs on after its bypass has ended", async () => {
    const policy_name = isCelForm ? "guard-image-bypass-ended" : "require-signed-images";
    await fires("ImageBypassExpired", { policy_name, resource_kind: "Pod" }, 145_000);
  });

  /** Without it there are no such alerts. */
  function needsRuleInfo(test: Mocha.Context): void {
    if (!isCelForm) return;
    test.skipReason = "needs ClusterPolicies: Kyverno counts no policies of the other kinds";
    test.skip();
  }

  it("fires when somebody weakens a policy in the cluster", async function () {
    needsRuleInfo(this);
    await patch(
      cluster.plane.client,
      `${policies}/guard-image-bypass`,
      { spec: { validationFailureAction: "Audit" } },
      "merge",
    );
    await fires("ImagePolicyWeakened", { policy_name: "guard-image-bypass", severity: "critical" });
  });

  it("fires when a policy is not ready", async function () {
    needsRuleInfo(this);
    const lastTransitionTime = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const condition = { type: "Ready", status: "False", reason: "Failed", message: "a test", lastTransitionTime };
    const status = { conditions: [condition] };
    const notReady = () =>
      requestObject(
        cluster.plane.client,
        "PATCH",
        `${policies}/audit-unsigned-images/status`,
        { status },
        "application/merge-patch+json",
      );
    // Kyverno mends it; the alert needs one scrape in which it has not yet.
    let mending = true;
    void (async () => {
      while (mending) {
        await notReady();
        await sleep(50);
      }
    })();
    await fires("ImagePolicyNotReady", { policy_name: "audit-unsigned-images" }).finally(() => {
      mending = false;
    });
  });

  it("fires when a policy is deleted", async function () {
    needsRuleInfo(this);
    await requestObject(cluster.plane.client, "DELETE", `${policies}/verify-image-signatures-debug`);
    await fires("ImagePolicyMissing", { policy_name: "verify-image-signatures-debug", severity: "critical" });
  });

  it("fires when Kyverno has died, and when the API server then can't call it", async () => {
    const { node, plane } = cluster;
    killKyverno(node);
    const down = await fires("KyvernoAdmissionDown", { namespace: "kyverno", severity: "critical" });
    assert.match(down.annotations.description!, /namespace kyverno/);
    // Both webhooks look at workloads.
    await refusal(create(plane.client, "production", deployment("while-down", images.signed)));
    const name = isCelForm
      ? "mpol.validate.kyverno.svc-fail-finegrained-require-signed-images-templates"
      : "mutate.kyverno.svc-fail";
    const failing = await fires("KyvernoWebhookFailing", { name });
    assert.ok(failing.annotations.summary!.includes(name));
    // 1.19 names the webhook that fails closed first, and the API server asks no other after it.
    if (asksIgnoringFirst()) await fires("KyvernoWebhookFailing", { name: "mutate.kyverno.svc-ignore" });
  });

  it("fires when Kyverno's webhooks are empty, as its watchdog leaves them, and the backstop holds a pod back", async () => {
    const { client } = cluster.plane;
    await registerWebhooks(client, "mutating", []);
    await waitFor("the backstop refuses", 60_000, async () => {
      const offered = create(client, "production", pod("held", images.signed), "?dryRun=All");
      return /(?:mutate|mpol\.validate)\.kyverno\.svc-fail\S* is not registered/.test(await refusal(offered));
    });
    await fires("KyvernoWebhooksGone", { seen_by: "backstop", severity: "critical" });
  });

  it("fires when nothing is scanned any more", async () => {
    await scale("kyverno-reports-controller", 0);
    await fires("KyvernoReportsStale", {}, 120_000);
  });

  it("asks for label values that this Kyverno has written", async () => {
    const { ruleGroups } = compiled.monitoring!;
    const panels = dashboardPanels(resolved.posture, policiesOf(compiled));
    const exprs = [
      ...ruleGroups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
      ...panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
    ];
    const selectors = exprs.flatMap(selectorsIn);
    assert.ok(selectors.length > 40, `${selectors.length} selectors`);
    for (const { text } of selectors.filter(
      (one) => asksIgnoringFirst() || !one.text.includes("webhook_fail_open_count"),
    ))
      assert.ok((await prometheus.query(`last_over_time(${text}[1h])`)).length > 0, `nothing ever matched ${text}`);
    if (process.env.IMAGE_SIGNING_GUARD_RECORD === "1") {
      const file = path.join(
        RECORDINGS,
        `kyverno-${cluster.node.kyverno.version}${isCelForm ? "-celPolicies" : ""}.txt`,
      );
      fs.writeFileSync(file, await recording());
    }
    // What people copy from the internet.
    const copied = 'kyverno_policy_results_total{policy_type="ClusterPolicy"}';
    assert.deepEqual(await prometheus.query(`last_over_time(${copied}[1h])`), []);
  });

  it("has a dashboard of which every query returned data", async () => {
    const end = Date.now() / 1000;
    const panels = dashboardPanels(resolved.posture, policiesOf(compiled));
    const drawn: DrawnPanel[] = [];
    for (const panel of panels) {
      const results = [];
      for (const { expr, legend } of panel.queries) {
        if (!asksIgnoringFirst() && expr.includes("webhook_fail_open_count")) continue;
        const samples = await prometheus.queryRange(expr.replaceAll(RANGE, "15s"), begin, end, 2);
        const numbers = samples.flatMap(({ values }) => values.map(([, value]) => value)).filter(Number.isFinite);
        assert.ok(numbers.length > 0, `${panel.title} (${legend}): no data for ${expr}`);
        assert.ok(Math.max(...numbers) > 0, `${panel.title} (${legend}): nothing but zeros for ${expr}`);
        results.push({ legend, samples });
      }
      drawn.push({ panel, results });
    }
    const version = cluster.node.kyverno.version;
    const caption = `Image signing guard: the dashboard's queries over one end-to-end run, Kyverno ${version}, minutes since its start`;
    const picture = drawDashboard(drawn, begin, end, caption);
    assert.ok(picture.includes("require-signed-images, production"));
    if (process.env.UPDATE_DASHBOARD_PICTURE)
      fs.writeFileSync(path.join(projectFolder, "docs", "images", "dashboard.svg"), picture);
  });

  it("lets the chart make ServiceMonitors, but only where the operator's kinds are", async () => {
    const { plane, node } = cluster;
    const values = path.join(plane.workDir, "monitoring-values.json");
    fs.writeFileSync(values, JSON.stringify(compiled.chartValues));
    const template = (...more: string[]) =>
      helm(plane, ["template", "kyverno", node.kyverno.chart, "--namespace=kyverno", `--values=${values}`, ...more]);
    // Where the chart does not look for itself, up does (preflight.ts).
    const { chartLooksForOperator } = KYVERNO_LINES[resolved.posture.kyverno.target];
    if (chartLooksForOperator) assert.ok(!(await template()).includes("kind: ServiceMonitor"));
    const monitors = await template("--api-versions=monitoring.coreos.com/v1", "--kube-version=1.30.0");
    assert.equal(monitors.match(/kind: ServiceMonitor/g)?.length, 4);
  });
});
