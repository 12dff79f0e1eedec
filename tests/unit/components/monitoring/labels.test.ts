import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { dashboardPanels } from "../../../../components/monitoring/panels";
import { type Selector, selectorsIn, selects } from "../../../support/promSelectors";
import { compile, postureOf, stackSettings } from "../../../support/settings";

/**
 * Series that Kyverno and an API server 1.34 wrote in one run with the prod stack: images refused, reported and
 * bypassed, a bypass that ended, a registry that was away, Kyverno halted. tests/e2e/monitoring.test.ts does it live.
 */
const recorded = (version: string) =>
  fs
    .readFileSync(path.join(__dirname, "..", "..", "fixtures", "metrics", `kyverno-${version}.txt`), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", inner = ""] = line.split(/[{}]/);
      const labels = [...inner.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label, value]) => [label!, value!]);
      return { name, labels: Object.fromEntries(labels) as Record<string, string> };
    });

/** What was recorded, with which settings, and what was never written there. To add a recording, add a line. */
const RECORDINGS = [
  // The webhook that fails closed is asked first, and the API server then asks no other.
  { version: "1.19.1", kyverno: { target: "1.19" }, never: /webhook_fail_open_count/ },
  {
    version: "1.19.1-celPolicies",
    kyverno: { target: "1.19", policies: "imageValidatingPolicy" },
    never: /webhook_fail_open_count/,
  },
  { version: "1.10.7", kyverno: { target: "1.10" }, never: /^$/ },
] as const;

for (const { version, kyverno, never } of RECORDINGS) {
  const settings = { ...stackSettings("prod"), kyverno, monitoring: { prometheusOperator: true } };
  const { ruleGroups } = compile(settings).monitoring!;
  const panels = dashboardPanels(postureOf(settings), compile(settings).policies);
  const expressions: [what: string, expr: string][] = [
    ...ruleGroups.flatMap(({ rules }) => rules.map(({ alert, expr }): [string, string] => [alert, expr])),
    ...panels.flatMap(({ title, queries }) => queries.map(({ expr }): [string, string] => [`panel ${title}`, expr])),
  ];
  const series = recorded(version);
  const matches = (selector: Selector) => series.filter(({ name, labels }) => selects(selector, name, labels)).length;

  describe(`metrics that the alerts and panels ask for, on Kyverno ${version}`, () => {
    for (const [what, expr] of expressions) {
      const selectors = selectorsIn(expr).filter(({ text }) => !never.test(text));
      if (selectors.length === 0) continue;
      it(`have these names and label values: ${what}`, () => {
        for (const selector of selectors) assert.ok(matches(selector) > 0, selector.text);
      });
    }

    it("are looked at one by one, all but the trust bundle's", () => {
      const without = expressions.filter(([, expr]) => selectorsIn(expr).length === 0).map(([what]) => what);
      assert.deepEqual(without, ["ImageTrustExpiring", "panel Trust bundle", "panel Requests"]);
    });

    it("would not be there under the label that people copy", function () {
      if ("policies" in kyverno) {
        this.skipReason = "needs ClusterPolicies, of which people copy alerts";
        return this.skip();
      }
      for (const type of ["ClusterPolicy", "Policy"]) {
        const [copied] = selectorsIn(`kyverno_policy_results_total{policy_type="${type}",rule_result="fail"}`);
        assert.equal(matches(copied!), 0);
      }
      const [own] = selectorsIn('kyverno_policy_results_total{policy_type="cluster",rule_result="fail"}');
      assert.ok(matches(own!) > 0);
    });
  });
}
