import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import {
  AUTOGEN_ANNOTATION,
  ENTRY_RULE,
  entryOf,
  isReserved,
  plainRule,
  ROLE,
  ROLE_LABEL,
  RULE,
  roleOf,
  tellsBypass,
  tellsEndedBypass,
  withGenerated,
} from "../../../../components/policies/names";
import { fullSettings } from "../../../support/fullSettings";
import { compile, rulesOf } from "../../../support/settings";

const ROOT = path.join(__dirname, "..", "..", "..", "..");
const sources = ["components", "cli", "bench", "local"].flatMap((folder) =>
  fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((file) => path.join(folder, file))
    .filter((file) => file.endsWith(".ts") && file !== path.join("components", "policies", "names.ts")),
);

describe("names of policies and rules", () => {
  it("stand in one file: to rename a rule, it alone is changed", () => {
    const rules = [...Object.values(RULE), ...Object.values(ENTRY_RULE), ROLE_LABEL, AUTOGEN_ANNOTATION];
    assert.ok(sources.length > 100);
    for (const file of sources) {
      const text = fs.readFileSync(path.join(ROOT, file), "utf8");
      for (const name of rules)
        assert.ok(!text.includes(`"${name}`) && !text.includes(`\`${name}`), `${name} in ${file}`);
    }
  });

  it("are those of the policies: each rule has one of them, and each of them a rule", async () => {
    const rules = compile({ ...(await fullSettings()), uncovered: { applications: "report" } })
      .policies.filter(roleOf)
      .flatMap(rulesOf)
      .map(({ name }) => String(name));
    const known = [...Object.values(RULE), ...Object.values(ENTRY_RULE)];
    for (const rule of rules)
      assert.ok(
        known.some((name) => rule.startsWith(name)),
        rule,
      );
    for (const name of known)
      assert.ok(
        rules.some((rule) => rule.startsWith(name)),
        name,
      );
    assert.ok(rules.some(tellsBypass) && rules.some(tellsEndedBypass));
  });

  it("are told from other people's", () => {
    for (const role of Object.values(ROLE)) {
      assert.ok(isReserved(role) && isReserved(`${role}-templates`));
      assert.equal(roleOf({ metadata: { labels: { [ROLE_LABEL]: role } } }), role);
    }
    assert.ok(!isReserved("require-labels"));
    assert.equal(roleOf({ metadata: { labels: { [ROLE_LABEL]: "mine" } } }), undefined);
    assert.equal(roleOf({}), undefined);
  });

  it("of verifying rules tell what they are named after, in reports of older versions too", () => {
    for (const rule of [
      "signed-by-shop",
      "or-bypassed-shop",
      "autogen-signed-by-shop",
      "autogen-cronjob-signed-by-shop",
    ])
      assert.equal(entryOf(rule), "shop", rule);
    assert.equal(entryOf("debug-by-shop"), "shop");
    assert.equal(entryOf("what-to-do-shop"), undefined);
  });

  it("are cut where Kyverno cuts what it makes of them", () => {
    const long = "x".repeat(60);
    assert.deepEqual(withGenerated(long), [
      long,
      `autogen-cronjob-${long}`.slice(0, 63),
      `autogen-${long}`.slice(0, 63),
    ]);
    assert.equal(plainRule(`autogen-${long}`), long);
  });
});
