import * as assert from "node:assert/strict";
import { stringify } from "yaml";
import { AlertName } from "../../../../components/args";
import { entryRule, orBypassed, ROLE, RULE, SUFFIX } from "../../../../components/policies/names";
import { needPromtool, promtool } from "../../../support/promtool";
import { compile, settings, stackSettings } from "../../../support/settings";

const BYPASS_RULE = orBypassed(RULE.everyImageHasASigner);
/** Kyverno judges pods for this at admission; for the other it only scans them. */
const AUDITED = `${ROLE.applications}-audit${SUFFIX.templates}`;
const SCANNED = `${ROLE.applications}-audit`;

/** One series: name, labels, and values in promtool's notation, a value a minute. */
type Series = readonly [metric: string, labels: Record<string, string>, values: string];

interface Case {
  readonly series: readonly Series[];
  /** When it is looked at. */
  readonly at: string;
  /** Labels of the alerts that fire then, without those that every alert has. */
  readonly fires: readonly Record<string, string>[];
  /** Thresholds and the like that differ from the defaults. */
  readonly setting?: Record<string, unknown>;
}

const MONITORING = { prometheusOperator: true, alertLabels: { team: "platform" } };

function groupsOf(setting?: Record<string, unknown>) {
  const monitoring = { ...MONITORING, ...(setting ? { alerts: [setting] } : {}) };
  return compile({ ...stackSettings("prod"), monitoring }).monitoring!.ruleGroups;
}

const RULES = groupsOf().flatMap(({ rules }) => rules);
const severityOf = (alert: string) => RULES.find((rule) => rule.alert === alert)!.labels.severity!;
const textOf = (metric: string, labels: Record<string, string>) =>
  `${metric}{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",")}}`;

/** Has promtool evaluate the rules, and throws when other alerts fire than expected. */
function evaluate(alert: AlertName, { series, at, fires, setting }: Case): void {
  const labels = { alertname: alert, alertstate: "firing", team: "platform", severity: severityOf(alert) };
  const test = {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: series.map(([metric, own, values]) => ({ series: textOf(metric, own), values })),
        promql_expr_test: [
          {
            expr: `ALERTS{alertname="${alert}",alertstate="firing"}`,
            eval_time: at,
            exp_samples: fires.map((own) => ({ labels: textOf("ALERTS", { ...labels, ...own }), value: 1 })),
          },
        ],
      },
    ],
  };
  promtool(["test", "rules", "test.yaml"], {
    "rules.yaml": stringify({ groups: groupsOf(setting && { alert, ...setting }) }),
    "test.yaml": stringify(test),
  });
}

/** As Kyverno 1.10.7 writes it. */
const RESULT = {
  instance: "10.0.0.7:8000",
  policy_background_mode: "true",
  policy_namespace: "-",
  policy_type: "cluster",
  resource_kind: "Pod",
  resource_request_operation: "create",
  rule_execution_cause: "admission_request",
  rule_type: "imageVerify",
};
const result = (labels: Record<string, string>, values: string): Series => [
  "kyverno_policy_results_total",
  { ...RESULT, ...labels },
  values,
];
const audited = (labels: Record<string, string>, values: string) =>
  result(
    {
      policy_name: AUDITED,
      policy_validation_mode: "audit",
      resource_namespace: "dev-anna",
      rule_name: entryRule("signedBy", "modulo"),
      rule_result: "fail",
      ...labels,
    },
    values,
  );
const enforced = (labels: Record<string, string>, values: string) =>
  result(
    {
      policy_name: "require-signed-images",
      policy_validation_mode: "enforce",
      resource_namespace: "production",
      rule_name: entryRule("signedBy", "modulo"),
      rule_result: "fail",
      ...labels,
    },
    values,
  );
const bypassed = (labels: Record<string, string>, values: string) =>
  enforced({ rule_name: BYPASS_RULE, rule_result: "skip", rule_type: "validate", ...labels }, values);
const guarded = (labels: Record<string, string>, values: string) =>
  enforced(
    { policy_name: "guard-image-bypass", rule_name: RULE.bypassIsAllowed, rule_type: "validate", ...labels },
    values,
  );
const ended = (labels: Record<string, string>, values: string) =>
  enforced(
    { rule_name: RULE.bypassEnded, rule_result: "skip", rule_execution_cause: "background_scan", ...labels },
    values,
  );
const info = (policy: string, labels: Record<string, string>, values: string): Series => [
  "kyverno_policy_rule_info_total",
  {
    policy_name: policy,
    policy_type: "cluster",
    policy_validation_mode: "enforce",
    rule_name: "a",
    status_ready: "true",
    ...labels,
  },
  values,
];
const calls = (url: string, counts: Record<string, string>): Series[] =>
  Object.entries(counts).map(([le, values]) => [
    "kyverno_http_requests_duration_seconds_bucket",
    { http_method: "POST", http_url: url, le },
    values,
  ]);
const cycles = (controller: string, values: string): Series => [
  "kyverno_controller_reconcile_total",
  { controller_name: controller, instance: "10.0.0.7:8000" },
  values,
];
const failedCall = (labels: Record<string, string>, values: string): Series => [
  "apiserver_admission_webhook_rejection_count",
  {
    error_type: "calling_webhook_error",
    name: "validate.kyverno.svc-fail",
    operation: "CREATE",
    rejection_code: "0",
    type: "validating",
    ...labels,
  },
  values,
];
const reports = (values: string): Series => [
  "kyverno_client_queries_total",
  { client_type: "kyverno", operation: "create", resource_kind: "AdmissionReport", resource_namespace: "shop" },
  values,
];

const AUDIT = { policy_name: AUDITED, resource_namespace: "dev-anna", resource_kind: "Pod" };
const REQUIRE = { policy_name: "require-signed-images", resource_namespace: "production", resource_kind: "Pod" };
const ALL = compile(stackSettings("prod")).policies.map(({ metadata }) => metadata.name);
const allBut = (missing: string) => ALL.filter((name) => name !== missing);
/** A new series that counts one event at 5 minutes. */
const ONCE = "_x5 1x200";

/** Two cases at least for every alert: it fires, and it does not for what looks alike. */
const heartbeats = (values: string): Series => [
  "kyverno_http_requests_duration_seconds_bucket",
  { http_method: "POST", http_url: "/verifymutate?timeout=10s", le: "+Inf" },
  values,
];
const heldBack = (labels: Record<string, string>, values: string): Series => [
  "apiserver_validating_admission_policy_check_total",
  {
    enforcement_action: "deny",
    error_type: "no_error",
    policy: "image-signing-guard-mutating-webhook",
    policy_binding: "run-image-signing-guard-doctor-mutating",
    ...labels,
  },
  values,
];

const CASES: Record<AlertName, Record<string, Case>> = {
  ImageViolation: {
    "fires at the first violation, whose series begins at 1": {
      series: [audited({}, ONCE)],
      at: "6m",
      fires: [AUDIT],
    },
    "fires at a later one": { series: [audited({}, "7x20 8x30")], at: "25m", fires: [AUDIT] },
    "ends when the window is over": { series: [audited({}, ONCE)], at: "20m", fires: [] },
    "fires again after Kyverno's counters began anew": {
      series: [audited({}, "7x20 1x40")],
      at: "25m",
      fires: [AUDIT],
    },
    "is quiet when a target comes back that was away": {
      series: [audited({}, "7x30 _x14 7x40")],
      at: "47m",
      fires: [],
    },
    "is quiet for what a scan finds again": {
      series: [audited({ rule_execution_cause: "background_scan" }, ONCE)],
      at: "6m",
      fires: [],
    },
    "fires for what a scan finds where only scans judge pods, for as long as scans find it": {
      series: [audited({ policy_name: SCANNED, rule_execution_cause: "background_scan" }, "_x5 1x59 2x59 3x59")],
      at: "3h",
      fires: [{ ...AUDIT, policy_name: SCANNED }],
    },
    "is quiet for other people's policies": {
      series: [audited({ policy_name: "require-labels" }, ONCE)],
      at: "6m",
      fires: [],
    },
  },
  ImageRefused: {
    "fires from the third failed check on": { series: [enforced({}, "_x5 1 2 3x90")], at: "8m", fires: [REQUIRE] },
    "is quiet for the canary of an up": { series: [enforced({}, "_x5 1x90")], at: "8m", fires: [] },
    "is quiet for old refusals": { series: [enforced({}, "50x90")], at: "80m", fires: [] },
    "has a threshold": { series: [enforced({}, ONCE)], at: "6m", fires: [REQUIRE], setting: { threshold: 1 } },
  },
  ImageVerificationError: {
    "fires when verdicts can't be had": {
      series: [enforced({ rule_result: "error" }, "_x5 1 2 3x90")],
      at: "8m",
      fires: [{ ...REQUIRE, rule_execution_cause: "admission_request" }],
    },
    "is quiet for the canary of an up": {
      series: [enforced({ rule_result: "error" }, ONCE)],
      at: "8m",
      fires: [],
    },
    "is quiet for unsigned images": { series: [enforced({}, "_x5 1 2 3x90")], at: "8m", fires: [] },
  },
  ImageBypassUsed: {
    "fires for a pod": { series: [bypassed({}, ONCE)], at: "6m", fires: [REQUIRE] },
    "fires for a Deployment, by the policy of templates": {
      series: [
        bypassed(
          {
            policy_name: `${ROLE.applications}${SUFFIX.templates}`,
            resource_namespace: "shop",
            resource_kind: "Deployment",
            rule_name: RULE.imagesAreSpelledPlainly,
          },
          ONCE,
        ),
      ],
      at: "6m",
      fires: [
        {
          policy_name: `${ROLE.applications}${SUFFIX.templates}`,
          resource_namespace: "shop",
          resource_kind: "Deployment",
        },
      ],
    },
    "is quiet for a debug container, which skips the verification too": {
      series: [bypassed({ rule_name: entryRule("signedBy", "modulo"), resource_request_operation: "update" }, ONCE)],
      at: "6m",
      fires: [],
    },
    "is quiet when the pod is deleted": {
      series: [bypassed({ resource_request_operation: "delete" }, ONCE)],
      at: "6m",
      fires: [],
    },
    "is quiet for a workload without a bypass": {
      series: [bypassed({ rule_result: "pass" }, ONCE)],
      at: "6m",
      fires: [],
    },
  },
  ImageBypassRefused: {
    "fires with the rule that refused": {
      series: [guarded({}, ONCE)],
      at: "6m",
      fires: [{ ...REQUIRE, policy_name: ROLE.bypass, rule_name: RULE.bypassIsAllowed }],
    },
    "is quiet for a bypass in order": { series: [guarded({ rule_result: "pass" }, ONCE)], at: "6m", fires: [] },
  },
  ImageBypassExpired: {
    "fires for what a scan finds, for as long as scans find it": {
      series: [ended({}, "_x5 1x59 2x59 3x59")],
      at: "3h",
      fires: [REQUIRE],
    },
    "is quiet two hours after the last finding": { series: [ended({}, "_x5 1x200")], at: "2h30m", fires: [] },
    "is quiet while the bypass runs": {
      series: [bypassed({ rule_execution_cause: "background_scan" }, ONCE)],
      at: "6m",
      fires: [],
    },
    "is quiet for a refusal at admission": {
      series: [ended({ rule_execution_cause: "admission_request" }, ONCE)],
      at: "6m",
      fires: [],
    },
  },
  ImagePolicyMissing: {
    "fires with the policy's name": {
      series: allBut("guard-image-verdicts").map((name) => info(name, {}, "1x60")),
      at: "6m",
      fires: [{ policy_name: "guard-image-verdicts", policy_type: "cluster" }],
    },
    "fires after a policy was deleted": {
      series: ALL.map((name) => info(name, {}, name === "require-signed-images" ? "1x20 stale" : "1x60")),
      at: "30m",
      fires: [{ policy_name: "require-signed-images", policy_type: "cluster" }],
    },
    "is quiet while all are there": { series: ALL.map((name) => info(name, {}, "1x60")), at: "30m", fires: [] },
    "is quiet for the first minutes": { series: [], at: "4m", fires: [] },
  },
  ImagePolicyNotReady: {
    "fires with the policy's name": {
      series: [info("require-signed-images", { status_ready: "false" }, "1x60")],
      at: "6m",
      fires: [{ policy_name: "require-signed-images" }],
    },
    "is quiet when it became ready": {
      series: [
        info("require-signed-images", { status_ready: "false" }, "1 1 stale"),
        info("require-signed-images", {}, "_ _ 1x60"),
      ],
      at: "30m",
      fires: [],
    },
  },
  ImagePolicyWeakened: {
    "fires when a policy that refuses only audits": {
      series: [info("require-signed-images", { policy_validation_mode: "audit" }, "1x60")],
      at: "6m",
      fires: [{ policy_name: "require-signed-images" }],
    },
    "is quiet for one that is meant to audit": {
      series: [info("verify-image-signatures-audit", { policy_validation_mode: "audit" }, "1x60")],
      at: "6m",
      fires: [],
    },
  },
  ImageTrustExpiring: {
    // promtool's clock begins in 1970, so the end is moved near by the threshold.
    "fires when fewer days are left": {
      series: [],
      at: "2h",
      fires: [{ trust_root: "publicGood" }],
      setting: { threshold: 40_000 },
    },
    "is quiet while there are more": { series: [], at: "2h", fires: [], setting: { threshold: 20_000 } },
  },
  KyvernoAdmissionSlow: {
    "fires when the slow calls take half the timeout": {
      series: calls("/validate/fail?timeout=30s", { "15": "0x90", "20": "0+9x90", "30": "0+9x90", "+Inf": "0+9x90" }),
      at: "30m",
      fires: [{ failure_policy: "Fail" }],
    },
    "judges the two webhooks by their own timeouts": {
      series: calls("/mutate/ignore?timeout=10s", { "5": "0x90", "10": "0+9x90", "+Inf": "0+9x90" }),
      at: "30m",
      fires: [{ failure_policy: "Ignore" }],
    },
    "is quiet for quick calls": {
      series: calls("/validate/fail?timeout=30s", { "0.1": "0+9x90", "30": "0+9x90", "+Inf": "0+9x90" }),
      at: "30m",
      fires: [],
    },
    "is quiet for Kyverno's slow checks of policies": {
      series: calls("/policyvalidate?timeout=10s", { "5": "0x90", "10": "0+9x90", "+Inf": "0+9x90" }),
      at: "30m",
      fires: [],
    },
    "is quiet when nobody calls": {
      series: calls("/validate/fail?timeout=30s", { "15": "0x90", "20": "9x90", "+Inf": "9x90" }),
      at: "30m",
      fires: [],
    },
  },
  KyvernoAdmissionNearTimeout: {
    "fires when one call in fifty nears the timeout": {
      series: calls("/validate/fail?timeout=30s", {
        "0.1": "0+98x90",
        "25": "0+98x90",
        "30": "0+100x90",
        "+Inf": "0+100x90",
      }),
      at: "30m",
      fires: [{ failure_policy: "Fail" }],
    },
    "is quiet when calls take half of it": {
      series: calls("/validate/fail?timeout=30s", { "10": "0x90", "15": "0+9x90", "30": "0+9x90", "+Inf": "0+9x90" }),
      at: "30m",
      fires: [],
    },
  },
  KyvernoAdmissionDown: {
    "fires when the last one is gone": {
      series: [cycles("policycache-controller", "1x20 stale"), cycles("background-scan-controller", "0+1x90")],
      at: "24m",
      fires: [{ namespace: "kyverno" }],
    },
    "is quiet for a restart of a minute": {
      series: [cycles("policycache-controller", "1x20 stale 1x60")],
      at: "30m",
      fires: [],
    },
  },
  KyvernoWebhookFailing: {
    "fires with the webhook's name": {
      series: [failedCall({}, ONCE)],
      at: "6m",
      fires: [{ name: "validate.kyverno.svc-fail", type: "validating" }],
    },
    "fires for calls that were let through": {
      series: [
        [
          "apiserver_admission_webhook_fail_open_count",
          { name: "mutate.kyverno.svc-ignore", type: "admit" },
          "_x5 1 2x90",
        ],
      ],
      at: "7m",
      fires: [{ name: "mutate.kyverno.svc-ignore", type: "admit" }],
    },
    "is quiet for Kyverno's own refusals": {
      series: [failedCall({ error_type: "no_error", rejection_code: "400" }, ONCE)],
      at: "6m",
      fires: [],
    },
    "is quiet for other webhooks": {
      series: [failedCall({ name: "validate.nginx.ingress.kubernetes.io" }, ONCE)],
      at: "6m",
      fires: [],
    },
  },
  KyvernoWebhooksGone: {
    "fires when Kyverno no longer hears itself": {
      series: [heartbeats("0+6x10 60x20")],
      at: "16m",
      fires: [{ seen_by: "heartbeat" }],
    },
    "is quiet while it does": { series: [heartbeats("0+6x60")], at: "40m", fires: [] },
    "fires when the backstop holds a pod back": {
      series: [heldBack({}, ONCE)],
      at: "6m",
      fires: [{ seen_by: "backstop", policy: "image-signing-guard-mutating-webhook" }],
    },
    "is quiet for somebody else's admission policy, and for our other ones": {
      series: [
        heldBack({ policy: "other" }, ONCE),
        heldBack({ policy: "image-signing-guard-namespaced-policies" }, ONCE),
      ],
      at: "6m",
      fires: [],
    },
  },
  KyvernoReportsStale: {
    "fires when nothing is scanned": {
      series: [cycles("background-scan-controller", "70x200")],
      at: "3h",
      fires: [{}],
    },
    "fires when nobody is there to scan": { series: [], at: "20m", fires: [{}] },
    "is quiet for a scan an hour": {
      series: [cycles("background-scan-controller", "10x59 20x59 30x59 40x59")],
      at: "3h",
      fires: [],
    },
    "is quiet while other controllers work": {
      series: [cycles("background-scan-controller", "0+1x300"), cycles("aggregate-report-controller", "1x300")],
      at: "3h",
      fires: [],
    },
  },
  KyvernoReportFlood: {
    "fires with the kind": {
      series: [reports("0+1800x90")],
      at: "40m",
      fires: [{ resource_kind: "AdmissionReport" }],
    },
    "is quiet for a busy afternoon": { series: [reports("0+300x90")], at: "40m", fires: [] },
  },
};

describe("alerts, evaluated by promtool", () => {
  before(async function () {
    this.timeout(120_000);
    await needPromtool(this);
  });

  for (const [alert, cases] of Object.entries(CASES) as [AlertName, Record<string, Case>][]) {
    describe(alert, () => {
      for (const [name, given] of Object.entries(cases)) it(name, () => evaluate(alert, given));
    });
  }

  it("are rules that Prometheus loads, for every kind of stack", () => {
    for (const given of [
      stackSettings("prod"),
      stackSettings("dev"),
      settings({ mode: "enforce", failure: { enforce: "Ignore" } }),
      settings({ kyverno: { target: "1.19" } }),
    ]) {
      const { ruleGroups } = compile({ ...given, monitoring: MONITORING }).monitoring!;
      promtool(["check", "rules", "rules.yaml"], { "rules.yaml": stringify({ groups: ruleGroups }) });
    }
  });
});

describe("alerts", () => {
  it("are all there for a stack that enforces and has a bypass", () => {
    assert.deepEqual([...new Set(RULES.map(({ alert }) => alert))].sort(), Object.values(AlertName).sort());
  });

  it("have cases of both kinds", () => {
    for (const [alert, cases] of Object.entries(CASES)) {
      const firing = Object.values(cases).map(({ fires }) => fires.length > 0);
      assert.ok(firing.includes(true) && firing.includes(false), alert);
    }
  });

  it("are left out where nothing could fire", () => {
    const { ruleGroups } = compile(settings({ mode: "audit", monitoring: MONITORING })).monitoring!;
    const names = ruleGroups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    for (const none of ["ImageRefused", "ImageBypassUsed", "ImageBypassRefused", "ImageBypassExpired"])
      assert.ok(!names.includes(none), none);
    assert.ok(names.includes("ImageViolation"));
  });

  it("name policy and namespace in their text, and say where the image stands", () => {
    for (const { alert, annotations } of RULES.filter(({ expr }) => expr.includes("resource_namespace"))) {
      const text = `${annotations.summary} ${annotations.description}`;
      for (const label of ["policy_name", "resource_namespace", "resource_kind"])
        assert.ok(annotations.summary.includes(`$labels.${label}`), `${alert}: ${label}`);
      assert.match(text, /image-signing-guard bypass list|kubectl get|registry|refused/, alert);
    }
  });
});
