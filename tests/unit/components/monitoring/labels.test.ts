import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { dashboardPanels } from "../../../../components/monitoring/panels";
import { type Selector, selectorsIn, selects } from "../../../support/promSelectors";
import { compile, postureOf, stackSettings } from "../../../support/settings";

/**
 * Series that Kyverno 1.10.7 and an API server 1.34 wrote in one run with the prod stack: images refused, reported and
 * bypassed, a bypass that ended, a registry that was away, Kyverno halted. tests/e2e/monitoring.test.ts does it live.
 */
const RECORDED = fs
  .readFileSync(path.join(__dirname, "..", "..", "fixtures", "metrics", "kyverno-1.10.7.txt"), "utf8")
  .trim()
  .split("\n")
  .map((line) => {
    const [name = "", inner = ""] = line.split(/[{}]/);
    const labels = [...inner.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label, value]) => [label!, value!]);
    return { name, labels: Object.fromEntries(labels) as Record<string, string> };
  });

const SETTINGS = { ...stackSettings("prod"), monitoring: { prometheusOperator: true } };
const { ruleGroups } = compile(SETTINGS).monitoring!;
const PANELS = dashboardPanels(postureOf(SETTINGS), compile(SETTINGS).policies);
const EXPRESSIONS: [what: string, expr: string][] = [
  ...ruleGroups.flatMap(({ rules }) => rules.map(({ alert, expr }): [string, string] => [alert, expr])),
  ...PANELS.flatMap(({ title, queries }) => queries.map(({ expr }): [string, string] => [`panel ${title}`, expr])),
];

const matches = (selector: Selector) => RECORDED.filter(({ name, labels }) => selects(selector, name, labels)).length;

describe("metrics that the alerts and panels ask for", () => {
  for (const [what, expr] of EXPRESSIONS) {
    const selectors = selectorsIn(expr);
    if (selectors.length === 0) continue;
    it(`have these names and label values in a real Kyverno 1.10.7: ${what}`, () => {
      for (const selector of selectors) assert.ok(matches(selector) > 0, selector.text);
    });
  }

  it("are looked at one by one, all but the trust bundle's", () => {
    const without = EXPRESSIONS.filter(([, expr]) => selectorsIn(expr).length === 0).map(([what]) => what);
    assert.deepEqual(without, ["ImageTrustExpiring", "panel Trust bundle", "panel Requests"]);
  });

  it("would not be there under the label that people copy", () => {
    for (const type of ["ClusterPolicy", "Policy"]) {
      const [copied] = selectorsIn(`kyverno_policy_results_total{policy_type="${type}",rule_result="fail"}`);
      assert.equal(matches(copied!), 0);
    }
    const [own] = selectorsIn('kyverno_policy_results_total{policy_type="cluster",rule_result="fail"}');
    assert.ok(matches(own!) > 0);
  });
});
