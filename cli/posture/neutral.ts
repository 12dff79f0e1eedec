import type { Posture } from "../../components/posture/types";
import { type Change, list, type Part, parts } from "./result";
import { listChanges } from "./signers";

/** What changes how the guard runs, but not what gets in. */
export function neutralChanges(a: Posture, b: Posture): Change[] {
  const lines = (about: string, texts: readonly Part[][]): Change[] =>
    texts.map((text) => ({ about, strength: "none", text }));
  return [
    ...lines("Kyverno", kyvernoChanges(a, b)),
    ...lines("timeouts", timeoutChanges(a, b)),
    ...lines("trust", [
      ...valueChange("root", a.trust.root, b.trust.root),
      ...valueChange("transparency log", a.trust.rekor?.url, b.trust.rekor?.url),
      ...valueChange("valid until", a.trust.validUntil, b.trust.validUntil),
    ]),
    ...lines("extra policies (not judged here)", listChanges("policies", a.extraPolicies, b.extraPolicies)),
    ...lines("runbook", valueChange("page", a.runbookUrl, b.runbookUrl)),
  ];
}

function valueChange(what: string, a: unknown, b: unknown): Part[][] {
  return show(a) === show(b) ? [] : [parts`${[what]} ${show(a)} → ${show(b)}`];
}

function kyvernoChanges({ kyverno: a }: Posture, { kyverno: b }: Posture): Part[][] {
  const { unsafeValues: _a, chart: chartA, ...restA } = a;
  const { unsafeValues: _b, chart: chartB, ...restB } = b;
  const keys = Object.keys(restA) as (keyof typeof restA)[];
  return [
    ...keys.flatMap((key) => valueChange(key, restA[key], restB[key])),
    ...valueChange("chart", chartA.name, chartB.name),
    ...valueChange("chart repository", chartA.repository, chartB.repository),
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
