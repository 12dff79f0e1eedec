import * as assert from "node:assert/strict";
import { argsFromSettings } from "../../../components/settings";
import { problemsOf } from "../../support/problems";
import { settings } from "../../support/settings";

/** What somebody wrote, and the one fix. */
const CASES: readonly [given: Record<string, unknown>, key: string, fix: RegExp][] = [
  [{ mode: "enforced" }, "mode", /^did you mean enforce\?$/],
  [{ mode: "Enforce" }, "mode", /^did you mean enforce\?$/],
  [{ mode: "AUDIT" }, "mode", /^did you mean audit\?$/],
  [{ mode: "strict" }, "mode", /^write audit or enforce$/],
  [{ failure: { enforce: "fail" } }, "failure.enforce", /^did you mean Fail\?$/],
  [{ replicas: 3 }, "replicas", /^it belongs elsewhere: kyverno\.replicas$/],
  [{ maxHours: 3 }, "maxHours", /^it belongs elsewhere: bypass\.maxHours$/],
  [{ kyverno: { runbookUrl: "https://x" } }, "kyverno.runbookUrl", /^it belongs elsewhere: runbookUrl$/],
  [{ zzz: 3 }, "zzz", /^remove zzz$/],
  [{ kyverno: { target: 1.1 } }, "kyverno.target", /^quote it.*target: "1\.10"$/],
  [{ kyverno: { releaseName: 83 } }, "kyverno.releaseName", /^quote it, as YAML makes a number/],
  [{ bypass: { groups: [true] } }, "bypass.groups[0]", /^quote it, as YAML makes true/],
  [{ readiness: { canary: "on" } }, "readiness.canary", /^write canary: true$/],
  [{ readiness: { canary: "off" } }, "readiness.canary", /^write canary: false$/],
  [{ bypass: { groups: ["a"], maxHours: "4" } }, "bypass.maxHours", /^write it without quotes: maxHours: 4$/],
  [
    { suspend: [{ policy: "all", reason: "a long reason", until: "2026-12-01 18:00:00 +0000 UTC" }] },
    "suspend[0].until",
    /^quote it, as YAML makes a time of it: until: "2026-12-01T18:00:00Z"$/,
  ],
  [
    { suspend: [{ policy: "all", reason: "a long reason", until: "2026-12-01 18:00:00 +0200 +0200" }] },
    "suspend[0].until",
    /until: "2026-12-01T18:00:00\+02:00"$/,
  ],
];

describe("hints", () => {
  for (const [given, key, fix] of CASES)
    it(`${JSON.stringify(given)}: ${fix.source}`, () => {
      const [problem, ...more] = problemsOf(() => argsFromSettings(settings(given), ""));
      assert.equal(problem!.key, key);
      assert.match(problem!.fix, fix);
      assert.deepEqual(more, []);
    });
});
