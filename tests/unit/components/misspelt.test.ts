import * as assert from "node:assert/strict";
import { settingsFromConfig } from "../../../components/settings";
import { problemsOf } from "../../support/problems";

/** Config of a project called shop; a block may stand as block, as the command line reads it, or as JSON. */
const MEANT: readonly [key: string, value: unknown, hint: RegExp][] = [
  ["image-signing-gaurd:mode", "enforce", /did you mean image-signing-guard:mode\?/],
  ["image-signing-guards:mode", "enforce", /image-signing-guard:mode/],
  ["image-singing-guard:mdoe", "enforce", /image-signing-guard:mode/],
  ["imageSigningGuard:mode", "enforce", /image-signing-guard:mode/],
  ["image_signing_guard:images", "[]", /image-signing-guard:images/],
  ["Image-Signing-Guard:bypass", "{}", /image-signing-guard:bypass/],
  ["image-signinguard:kyverno", "{}", /image-signing-guard:kyverno/],
  ["guard:mode", "enforce", /image-signing-guard:mode/],
  ["signing-guard:images", "[]", /image-signing-guard:images/],
  ["image-signing:namespaces", "{}", /image-signing-guard:namespaces/],
  ["shop:image-signing-guard", { mode: "enforce" }, /image-signing-guard:mode/],
  ["shop:image-signing-guard", '{"mode":"enforce"}', /image-signing-guard:mode/],
  ["shop:image-signing-gaurd", '{"mdoe":"enforce"}', /image-signing-guard:mode/],
  ["shop:image-signing-guard.mode", "enforce", /image-signing-guard:mode/],
  ["shop:image-signing-guard/mode", "enforce", /image-signing-guard:mode/],
];

/** What other packages and projects have, and what a second guard reads from a namespace of its own. */
const OTHERS: readonly [key: string, value: unknown][] = [
  ["kubernetes:context", "kind"],
  ["kubernetes:namespace", "default"],
  ["aws:region", "eu-central-1"],
  ["aws:defaultTags", '{"tags":{"mode":"enforce"}}'],
  ["gcp:project", "x"],
  ["azure-native:location", "x"],
  ["pulumi:tags", '{"mode":"enforce"}'],
  ["shop:mode", "enforce"],
  ["shop:images", "[]"],
  ["shop:tags", '{"a":"b"}'],
  ["shop:image-signing-guard", "v0.1.0"],
  ["shop:image-signing-guard-version", "0.1.0"],
  ["shop:image-signing-guard", '{"version":"0.1.0"}'],
  ["shop:guard", '{"mode":"enforce"}'],
  ["guard:region", "x"],
  ["guardduty:mode", "x"],
  ["awsguard:all", "mandatory"],
  ["image:tags", "latest"],
  ["signing:mode", "x"],
  ["images:mode", "x"],
  ["signing:key", "x"],
  ["image-signing-guard-eu:mode", "audit"],
  ["image-signing-guard2:mode", "audit"],
  ["other:mode", "strict"],
];

describe("config that was meant for the guard", () => {
  for (const [key, value, hint] of MEANT)
    it(`is refused: ${key}: ${JSON.stringify(value)}`, () => {
      const [problem, ...more] = problemsOf(() => settingsFromConfig({ [key]: value }, undefined, "shop"));
      assert.equal(problem!.key, key.replace(/^shop:/, ""));
      assert.match(problem!.fix, hint);
      assert.deepEqual(more, []);
    });

  for (const [key, value] of OTHERS)
    it(`is not: ${key}: ${JSON.stringify(value)}`, () =>
      assert.deepEqual(settingsFromConfig({ [key]: value }, undefined, "shop"), {}));

  it("is not a short namespace that has the word and what the guard itself sets", () => {
    const config = { "guard:mode": "strict", "image-signing-guard:mode": "audit" };
    assert.deepEqual(settingsFromConfig(config), { mode: "audit" });
  });

  it("is told by the namespace that the program reads", () => {
    assert.deepEqual(settingsFromConfig({ "gate:mode": "audit", "date:mode": "x" }, "gate"), { mode: "audit" });
    assert.equal(problemsOf(() => settingsFromConfig({ "platform-gaurd:mode": "x" }, "platform-guard")).length, 1);
  });
});
