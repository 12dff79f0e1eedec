import * as assert from "node:assert/strict";
import { describeChanges } from "../../../../components/posture/comparison/changes";
import { checkPosture } from "../../../../components/posture/comparison/read";
import { compareStrength } from "../../../../components/posture/strength/strength";
import type { Posture } from "../../../../components/posture/types";
import { postureOf, settings } from "../../../support/settings";

const posture = (monitoring?: Record<string, unknown>) => postureOf(settings(monitoring ? { monitoring } : {}));
const OFF = posture();
const ON = posture({ prometheusOperator: true });

/** The lines of a change, as text. */
const linesOf = (a: Posture, b: Posture) =>
  describeChanges(a, b).map(({ about, strength, text }) => {
    const words = text.map((part) => (typeof part === "string" ? part : Object.values(part).flat().join(" "))).join("");
    return `${about} (${strength}): ${words}`;
  });

/** Postures that differ in nothing but monitoring, with a word that the difference must show. */
const CHANGES: [what: string, a: Posture, b: Posture, says: RegExp][] = [
  ["switched on", OFF, ON, /off.*on/],
  ["switched off", ON, OFF, /on.*off/],
  ["another window", ON, posture({ prometheusOperator: true, window: "5m" }), /window.*10m.*5m/],
  [
    "an alert switched off",
    ON,
    posture({ prometheusOperator: true, alerts: [{ alert: "ImageBypassUsed", enabled: false }] }),
    /ImageBypassUsed/,
  ],
  [
    "another severity",
    ON,
    posture({ prometheusOperator: true, alerts: [{ alert: "ImageRefused", severity: "info" }] }),
    /ImageRefused info/,
  ],
  ["a label", ON, posture({ prometheusOperator: true, alertLabels: { team: "x" } }), /team=x/],
  [
    "policy-reporter",
    ON,
    posture({ prometheusOperator: true, policyReporter: { enabled: true } }),
    /policy-reporter 3\.9\.1/,
  ],
];

describe("posture with monitoring", () => {
  for (const [what, a, b, says] of CHANGES) {
    it(`shows a change without strength: ${what}`, () => {
      assert.equal(compareStrength(a, b), "same");
      const lines = linesOf(a, b);
      assert.ok(lines.length > 0 && lines.every((line) => line.startsWith("monitoring (none)")), lines.join("\n"));
      assert.match(lines.join("\n"), says);
    });
  }

  it("shows nothing where nothing changes", () => {
    assert.deepEqual(linesOf(ON, posture({ prometheusOperator: true })), []);
  });

  it("is read back from a preview", () => {
    for (const one of [OFF, ON, posture({ policyReporter: { enabled: true, ui: true }, objectLabels: { a: "b" } })]) {
      const checked = checkPosture(JSON.parse(JSON.stringify(one)));
      assert.ok("posture" in checked, JSON.stringify(checked));
      assert.deepEqual(checked.posture, JSON.parse(JSON.stringify(one)));
    }
  });
});
