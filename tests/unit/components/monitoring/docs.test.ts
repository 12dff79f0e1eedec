import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { AlertName } from "../../../../components/args";
import { ALERT_DEFAULTS } from "../../../../components/posture/monitoringDefaults";
import { compile, stackSettings } from "../../../support/settings";

const docs = (name: string) => fs.readFileSync(path.join(__dirname, "..", "..", "..", "..", "docs", name), "utf8");
const rulesOf = (monitoring: Record<string, unknown>) =>
  compile({ ...stackSettings("prod"), monitoring }).monitoring!.ruleGroups.flatMap(({ rules }) => rules);

/** Sections by the anchor that GitHub makes of their heading. */
const SECTIONS = new Map(
  docs("alerts.md")
    .split(/^## /m)
    .slice(1)
    .map((section): [string, string] => [section.split("\n")[0]!.trim().toLowerCase(), section]),
);

describe("docs of the alerts", () => {
  it("have a section for each alert and for nothing else", () => {
    assert.deepEqual(
      [...SECTIONS.keys()],
      Object.values(AlertName).map((name) => name.toLowerCase()),
    );
  });

  it("say what to do first", () => {
    for (const [name, section] of SECTIONS) assert.match(section, /^1\. /m, name);
  });

  it("are where each alert's runbook_url points", () => {
    for (const { alert, annotations } of rulesOf({ runbookBaseUrl: "https://wiki.example.com/alerts" })) {
      const { origin, pathname, hash } = new URL(annotations.runbook_url);
      assert.equal(origin + pathname, "https://wiki.example.com/alerts");
      assert.ok(SECTIONS.get(hash.slice(1))?.startsWith(alert), annotations.runbook_url);
    }
    assert.equal(rulesOf({})[0]!.annotations.runbook_url, "docs/alerts.md#imageviolation of image-signing-guard");
  });

  it("link to pages that exist", () => {
    for (const page of ["alerts.md", "monitoring.md"])
      for (const [, target] of docs(page).matchAll(/\]\(([^):#]+)[^)]*\)/g))
        if (!target!.startsWith("http"))
          assert.ok(fs.existsSync(path.join(__dirname, "../../../../docs", target!)), target);
  });

  it("state the defaults that hold", () => {
    const rows = Object.entries(ALERT_DEFAULTS).map(
      ([alert, { severity, for: duration, threshold }]) =>
        `| \`${alert}\` | ${severity} | ${duration} | ${threshold ? `${threshold.value} ${threshold.unit} ` : ""}|`,
    );
    for (const row of rows) assert.ok(docs("monitoring.md").includes(row), row);
  });

  it("have examples that the guard and Alertmanager's format accept", () => {
    const blocks = [...docs("monitoring.md").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => parse(text!));
    const monitoring = blocks[0]["image-signing-guard:monitoring"] as Record<string, unknown>;
    assert.equal(rulesOf(monitoring).filter(({ alert }) => alert === "ImageViolation").length, 0);
    const routing = blocks[1] as { route: { routes: { matchers: string[] }[] }; inhibit_rules: unknown[] };
    for (const matcher of routing.route.routes.flatMap(({ matchers }) => matchers))
      assert.match(matcher, /^[a-z_]+(=|=~|!=|!~)"[^"]+"$/);
  });
});
