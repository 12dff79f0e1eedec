import { PolicyForm } from "../../args";
import type { Monitoring, Posture } from "../types";
import type { Change } from "./result";
import { listChanges } from "./signers";
import { list, type Part, parts } from "./words";

/** What changes how the guard runs, but not what gets in. */
export function neutralChanges(a: Posture, b: Posture): Change[] {
  const lines = (about: string, texts: readonly Part[][]): Change[] =>
    texts.map((text) => ({ about, strength: "none", text }));
  return [
    ...lines("Kyverno", [...lineChange(a, b), ...kyvernoChanges(a, b)]),
    ...lines("timeouts", timeoutChanges(a, b)),
    ...lines("trust", [
      ...valueChange("root", a.trust.root, b.trust.root),
      ...valueChange("transparency log", a.trust.rekor?.url, b.trust.rekor?.url),
      ...valueChange("valid until", a.trust.validUntil, b.trust.validUntil),
    ]),
    ...lines("extra policies (not judged here)", listChanges("policies", a.extraPolicies, b.extraPolicies)),
    ...lines("runbook", valueChange("page", a.runbookUrl, b.runbookUrl)),
    ...lines("monitoring", monitoringChanges(a, b)),
  ];
}

/** Monitoring lets nothing in and keeps nothing out, so a change of it has no strength; an alert that goes is named. */
function monitoringChanges({ monitoring: a }: Posture, { monitoring: b }: Posture): Part[][] {
  if (!a || !b) return valueChange("all of it", a ? "on" : "off", b ? "on" : "off");
  const { alerts: alertsA, policyReporter: reporterA, objectLabels: objectA, alertLabels: labelsA, ...restA } = a;
  const { alerts: alertsB, policyReporter: reporterB, objectLabels: objectB, alertLabels: labelsB, ...restB } = b;
  const keys = Object.keys(restA) as (keyof typeof restA)[];
  const labelTexts = (labels: Record<string, string>) =>
    Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const alertTexts = (alerts: typeof alertsA) =>
    alerts.map((alert) =>
      [
        alert.alert,
        alert.severity,
        `for ${alert.for}`,
        ...(alert.threshold === undefined ? [] : [`at ${alert.threshold}`]),
      ].join(" "),
    );
  return [
    ...keys.flatMap((key) => valueChange(key, restA[key], restB[key])),
    ...listChanges("object labels", labelTexts(objectA), labelTexts(objectB)),
    ...listChanges("alert labels", labelTexts(labelsA), labelTexts(labelsB)),
    ...listChanges("alerts", alertTexts(alertsA), alertTexts(alertsB)),
    ...valueChange("policy-reporter", reporterText(reporterA), reporterText(reporterB)),
  ];
}

function reporterText(reporter: Monitoring["policyReporter"]): string {
  if (reporter === "off") return "off";
  return `${reporter.chart.name} ${reporter.chartVersion} in ${reporter.namespace}${reporter.ui ? ", with UI" : ""}`;
}

function valueChange(what: string, a: unknown, b: unknown): Part[][] {
  return show(a) === show(b) ? [] : [parts`${[what]} ${show(a)} → ${show(b)}`];
}

function kyvernoChanges({ kyverno: a }: Posture, { kyverno: b }: Posture): Part[][] {
  const { unsafeValues: _a, exceptionsNamespace: _exceptionsA, acknowledged: _lived, policies: formA, ...ownA } = a;
  const { unsafeValues: _b, exceptionsNamespace: _exceptionsB, acknowledged: _livedB, policies: formB, ...ownB } = b;
  const { chart: chartA, ...restA } = ownA;
  const { chart: chartB, ...restB } = ownB;
  const form = (policies: typeof formA) => policies ?? PolicyForm.ClusterPolicy;
  const keys = [...new Set([...Object.keys(restA), ...Object.keys(restB)])] as (keyof typeof restA)[];
  return [
    ...(formA === formB
      ? []
      : [parts`${["policies"]} ${form(formA)} → ${form(formB)}: each new one is in force before an old one goes`]),
    ...keys.flatMap((key) => valueChange(key, restA[key], restB[key])),
    ...valueChange("chart", chartA.name, chartB.name),
    ...valueChange("chart repository", chartA.repository, chartB.repository),
  ];
}

/** What the move to another line means, for who reads no upgrade guide first. */
function lineChange({ kyverno: { target: a } }: Posture, { kyverno: { target: b } }: Posture): Part[][] {
  if (a === b) return [];
  return [
    [
      "another line: the release is upgraded in place and the policies are written anew; definitions that the other line stores otherwise are made anew where they hold nothing, and stop up before it changes anything where they hold something",
    ],
  ];
}

function timeoutChanges(a: Posture, b: Posture): Part[][] {
  const before = new Map(a.policies.map(({ name, timeoutSeconds }) => [name, timeoutSeconds]));
  const changed = b.policies.filter(
    ({ name, timeoutSeconds }) => (before.get(name) ?? timeoutSeconds) !== timeoutSeconds,
  );
  return changed.length > 0
    ? [list(changed.map(({ name, timeoutSeconds }) => `${name} ${before.get(name)} s → ${timeoutSeconds} s`))]
    : [];
}

function show(value: unknown): string {
  if (value === undefined || value === "") return "none";
  return Array.isArray(value) ? value.join(", ") || "none" : String(value);
}
