import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { OWNED, ownersIn, withOwner } from "../../../local/packaging/owner";
import { PROJECT } from "../../../local/packaging/schema";

describe("whose project this is", () => {
  const texts = OWNED.map((name) => [name, fs.readFileSync(path.join(PROJECT, name), "utf8")] as const);

  it("is said the same everywhere", () => {
    for (const [name, text] of texts) assert.ok(ownersIn(text).length > 0, name);
    assert.equal(new Set(texts.flatMap(([, text]) => ownersIn(text))).size, 1);
  });

  it("can be filled in by one command, in every place", () => {
    for (const [name, text] of texts) {
      const filled = withOwner(text, "octo-corp");
      assert.deepEqual([...new Set(ownersIn(filled))], ["octo-corp"], name);
      assert.doesNotMatch(filled, /\bOWNER\b/, name);
      assert.equal(withOwner(filled, "another"), withOwner(text, "another"), name);
    }
  });
});
