import * as assert from "node:assert/strict";
import { compile, settings } from "../../../support/settings";

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
});
