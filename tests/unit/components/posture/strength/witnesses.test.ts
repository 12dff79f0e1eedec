import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { globMatches } from "../../../../../components/globs";
import { TooManyCases, witnesses } from "../../../../../components/posture/strength/witnesses";
import { pattern } from "./arbitraryPosture";

/** Every text over the patterns' characters and one other. Five are enough for patterns of four. */
const TEXTS = (function all(length: number): string[] {
  return length === 0
    ? [""]
    : all(length - 1).flatMap((text) =>
        (text.length === length - 1 ? ["a", "b", "x"].map((c) => text + c) : []).concat(text),
      );
})(5).filter((text) => text !== "");

describe("witnesses", () => {
  const setOf = (patterns: readonly string[], text: string) =>
    patterns
      .filter((glob) => globMatches(glob, text))
      .sort()
      .join(" ");

  it("are matched by exactly the patterns that they name", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 4 }), (patterns) => {
        for (const { text, matches } of witnesses(patterns))
          assert.equal([...matches].sort().join(" "), setOf(patterns, text));
      }),
    );
  });

  it("are one for each way to match that any short text has", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 3 }), (patterns) => {
        const found = witnesses(patterns).map(({ matches }) => [...matches].sort().join(" "));
        assert.equal(new Set(found).size, found.length);
        for (const text of TEXTS) assert.ok(found.includes(setOf(patterns, text)), text);
      }),
      { numRuns: 60 },
    );
  });

  it("are few for hundreds of repositories", () => {
    const patterns = Array.from({ length: 400 }, (_, index) => `ghcr.io/organisation/team-${index}/*`);
    assert.equal(witnesses(patterns).length, 401);
  });

  it("give up loudly where patterns overlap in too many ways", () => {
    const patterns = [..."abcdefghijklmnopqrst"].map((char) => `*${char}*`);
    assert.throws(() => witnesses(patterns), TooManyCases);
  });
});
