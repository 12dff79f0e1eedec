import * as assert from "node:assert/strict";
import { AlertName } from "../../../../components/args";
import { problemsOf } from "../../../support/problems";
import { postureOf, settings, warningsOf } from "../../../support/settings";

const monitored = (monitoring: Record<string, unknown>) => settings({ monitoring });
const planOf = (monitoring: Record<string, unknown>) => postureOf(monitored(monitoring)).monitoring!;
const alerts = (...list: unknown[]) => monitored({ alerts: list });

/** What is wrong, the configuration, the key that the one problem names, and a word of what would be right. */
const TABLE: [what: string, raw: Record<string, unknown>, key: string, says: RegExp][] = [
  ["an unknown alert", alerts({ alert: "ImageRefuse" }), "monitoring.alerts[0].alert", /ImageRefused/],
  [
    "an unknown severity",
    alerts({ alert: "ImageRefused", severity: "page" }),
    "monitoring.alerts[0].severity",
    /critical, warning, info/,
  ],
  ["a duration in words", monitored({ window: "ten minutes" }), "monitoring.window", /30s, 5m/],
  ["a duration without unit", monitored({ scrapeInterval: "30" }), "monitoring.scrapeInterval", /30s, 5m/],
  ["a duration with a fraction", monitored({ window: "1.5h" }), "monitoring.window", /1h30m/],
  ["units in the wrong order", monitored({ scanWindow: "30m1h" }), "monitoring.scanWindow", /1h30m/],
  ["an empty duration", monitored({ evaluationInterval: "" }), "monitoring.evaluationInterval", /30s, 5m/],
  ["a window of nothing", monitored({ window: "0s" }), "monitoring.window", /above zero/],
  [
    "a bad duration of an alert",
    alerts({ alert: "ImageRefused", for: "5 m" }),
    "monitoring.alerts[0].for",
    /Prometheus duration/,
  ],
  [
    "a threshold of zero",
    alerts({ alert: "ImageRefused", threshold: 0 }),
    "monitoring.alerts[0].threshold",
    /above zero/,
  ],
  [
    "a threshold of an alert that has none",
    alerts({ alert: "ImagePolicyMissing", threshold: 2 }),
    "monitoring.alerts[0].threshold",
    /no threshold/,
  ],
  [
    "a share above one",
    alerts({ alert: "KyvernoAdmissionSlow", threshold: 50 }),
    "monitoring.alerts[0].threshold",
    /at most 1/,
  ],
  [
    "an alert twice",
    alerts({ alert: "ImageRefused" }, { alert: "ImageRefused", severity: "info" }),
    "monitoring.alerts[1].alert",
    /one entry/,
  ],
  [
    "a label with a dash",
    monitored({ alertLabels: { "my-team": "a" } }),
    "monitoring.alertLabels.my-team",
    /letters, digits/,
  ],
  [
    "a label of Prometheus' own",
    monitored({ alertLabels: { __name__: "a" } }),
    "monitoring.alertLabels.__name__",
    /letters/,
  ],
  [
    "a label that alerts have",
    monitored({ alertLabels: { severity: "a" } }),
    "monitoring.alertLabels.severity",
    /other than/,
  ],
  [
    "a template in a label",
    monitored({ alertLabels: { team: "{{ $labels.x }}" } }),
    "monitoring.alertLabels.team",
    /plain texts/,
  ],
  [
    "a Kubernetes label with blanks",
    monitored({ objectLabels: { release: "kube prometheus" } }),
    "monitoring.objectLabels.release",
    /Kubernetes labels/,
  ],
  ["a runbook page that is none", monitored({ runbookBaseUrl: "docs" }), "monitoring.runbookBaseUrl", /web address/],
  [
    "a runbook page with an anchor",
    monitored({ runbookBaseUrl: "https://a.b/#c" }),
    "monitoring.runbookBaseUrl",
    /without #/,
  ],
  [
    "ServiceMonitors without the operator",
    monitored({ scrape: "serviceMonitors" }),
    "monitoring.scrape",
    /prometheusOperator/,
  ],
  [
    "policy-reporter beside Kyverno",
    monitored({ policyReporter: { enabled: true, namespace: "kyverno" } }),
    "monitoring.policyReporter.namespace",
    /of its own/,
  ],
  [
    "policy-reporter from two places",
    monitored({ policyReporter: { enabled: true, chart: { path: "./a", repository: "https://a.b" } } }),
    "monitoring.policyReporter.chart",
    /one of/,
  ],
];

describe("monitoring settings", () => {
  for (const [what, raw, key, says] of TABLE) {
    it(`refuse ${what} with one clear error`, () => {
      const problems = problemsOf(() => postureOf(raw));
      assert.deepEqual(
        problems.map((problem) => problem.key),
        [key],
      );
      assert.match(`${problems[0]!.allowed} ${problems[0]!.fix}`, says);
    });
  }

  it("are off without a block, and the posture then says nothing of them", () => {
    assert.ok(!("monitoring" in postureOf(settings())));
    assert.deepEqual(
      warningsOf(settings()).filter((text) => text.includes("monitoring")),
      [],
    );
  });

  it("say in one line what is missing without the operator", () => {
    const lines = warningsOf(monitored({})).filter((text) => text.startsWith("monitoring"));
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /no PrometheusRule and no ServiceMonitors/);
    assert.ok(!warningsOf(monitored({ prometheusOperator: true })).some((text) => text.startsWith("monitoring")));
  });

  it("scrape by what the cluster has", () => {
    assert.equal(planOf({}).scrape, "annotations");
    assert.equal(planOf({ prometheusOperator: true }).scrape, "serviceMonitors");
    assert.equal(planOf({ prometheusOperator: true, scrape: "none" }).scrape, "none");
  });

  it("name every alert with its defaults", () => {
    const { alerts: settled } = planOf({});
    assert.deepEqual(
      settled.map(({ alert }) => alert),
      Object.values(AlertName),
    );
    assert.deepEqual(
      settled.find(({ alert }) => alert === "ImageTrustExpiring"),
      { alert: "ImageTrustExpiring", severity: "warning", for: "1h", threshold: 30 },
    );
    assert.ok(!("threshold" in settled.find(({ alert }) => alert === "ImagePolicyMissing")!));
  });

  it("change and switch off single alerts", () => {
    const { alerts: settled } = planOf({
      alerts: [
        { alert: "ImageRefused", severity: "critical", for: "1h30m", threshold: 10 },
        { alert: "ImageViolation", enabled: false },
      ],
    });
    assert.deepEqual(settled[0], { alert: "ImageRefused", severity: "critical", for: "1h30m", threshold: 10 });
    assert.equal(settled.length, Object.values(AlertName).length - 1);
  });

  it("take every duration that Prometheus takes", () => {
    for (const window of ["1m", "90s", "1h30m", "1d", "2w", "500ms", "1y2w3d4h5m6s7ms"])
      assert.equal(planOf({ window }).window, window);
    assert.equal(planOf({ alerts: [{ alert: "ImageViolation", for: "0s" }] }).alerts[0]!.for, "0s");
  });

  it("do not depend on the order of labels", () => {
    const forth = planOf({ alertLabels: { a: "1", b: "2" }, objectLabels: { x: "1", y: "2" } });
    const back = planOf({ objectLabels: { y: "2", x: "1" }, alertLabels: { b: "2", a: "1" } });
    assert.equal(JSON.stringify(forth), JSON.stringify(back));
  });
});
