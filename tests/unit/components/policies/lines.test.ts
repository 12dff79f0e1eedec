import * as assert from "node:assert/strict";
import { compile, policyOf, ruleOf, settings } from "../../../support/settings";

describe("policies for each line of Kyverno", () => {
  const textOf = (target: string) => {
    const { guards, judges } = compile(settings({ mode: "enforce", kyverno: { target } }));
    return JSON.stringify([...guards, ...judges]);
  };

  it("look for the word by which that line's record says that an image was verified", () => {
    assert.match(textOf("1.10"), /'\\":true'/);
    assert.match(textOf("1.19"), /'\\":\\"pass\\"'/);
  });

  it("excuse no update because the object would have been refused before, where the line would", () => {
    assert.doesNotMatch(textOf("1.10"), /allowExistingViolations/);
    const text = textOf("1.19");
    assert.equal(text.match(/"validate":\{/g)?.length, text.match(/"allowExistingViolations":false/g)?.length);
  });

  it("keep no verdict under a tag, where the line would", () => {
    assert.doesNotMatch(textOf("1.10"), /useCache/);
    const text = textOf("1.19");
    assert.equal(text.match(/"imageReferences":/g)?.length, text.match(/"useCache":false/g)?.length);
  });

  it("leave images alone that an update leaves alone, where the line would judge them again", () => {
    const rule = (target: string, policy: string) =>
      ruleOf(policyOf(compile(settings({ mode: "enforce", kyverno: { target } })), policy), "signed-by-modulo");
    for (const policy of ["require-signed-images", "require-signed-images-templates"]) {
      assert.equal(rule("1.10", policy).preconditions, undefined);
      assert.match(JSON.stringify(rule("1.19", policy).preconditions), /request\.operation != 'UPDATE'/);
    }
    assert.equal(rule("1.10", "require-signed-images-debug").imageExtractors, undefined);
    assert.match(JSON.stringify(rule("1.19", "require-signed-images-debug").imageExtractors), /ephemeralContainers/);
  });

  it("give no advice that the line would not show", () => {
    assert.match(textOf("1.10"), /what-to-do-modulo/);
    assert.doesNotMatch(textOf("1.19"), /what-to-do-modulo/);
  });
});
