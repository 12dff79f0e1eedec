import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { globContains, globMatches, globsIntersect, globsToRegex, globToRegex } from "../../../components/globs";
import { kyvernoWildcard } from "../../support/kyvernoMatch";

/** All texts over some letters up to a length. */
function textsOver(letters: string, longest: number): string[] {
  let last = [""];
  const all = [""];
  for (let length = 1; length <= longest; length++) {
    last = last.flatMap((text) => [...letters].map((letter) => text + letter));
    all.push(...last);
  }
  return all;
}

const PATTERNS = textsOver("ab*?", 3);
/** Long enough to hold a witness for any two patterns, and with a letter that stands in none of them. */
const TEXTS = textsOver("abc", 6);
const matched = new Map(PATTERNS.map((pattern) => [pattern, TEXTS.map((text) => kyvernoWildcard(pattern, text))]));

const pattern = fc
  .array(fc.constantFrom("a", "b", ".", "/", ":", "@", "-", "*", "?"), { maxLength: 9 })
  .map((p) => p.join(""));
const text = fc.array(fc.constantFrom("a", "b", ".", "/", ":", "@", "-"), { maxLength: 9 }).map((t) => t.join(""));

describe("globs", () => {
  it("match what Kyverno's own matcher matches", () => {
    for (const [glob, results] of matched)
      for (const [index, result] of results.entries())
        if (globMatches(glob, TEXTS[index]!) !== result) assert.fail(`"${glob}" and "${TEXTS[index]}": ${result}`);
    fc.assert(
      fc.property(pattern, text, (p, t) => globMatches(p, t) === kyvernoWildcard(p, t)),
      { numRuns: 2000 },
    );
  });

  it("take line breaks and regex characters literally", () => {
    assert.ok(globMatches("a*b", "a\nb"));
    for (const special of [".", "+", "^", "$", "(", "|", "[", "\\", "{"]) {
      assert.ok(globMatches(`a${special}b`, `a${special}b`), special);
      assert.ok(!globMatches(`a${special}b`, "axb"), special);
    }
  });

  it("intersect exactly when one text matches both", () => {
    for (const left of PATTERNS)
      for (const right of PATTERNS) {
        const common = matched.get(left)!.findIndex((result, index) => result && matched.get(right)![index]);
        if (globsIntersect(left, right) !== common >= 0)
          assert.fail(`"${left}" and "${right}": common text ${common < 0 ? "none" : `"${TEXTS[common]}"`}`);
      }
  });

  it("intersect in either order, also when they are long", () => {
    fc.assert(
      fc.property(pattern, pattern, text, (left, right, t) => {
        assert.equal(globsIntersect(left, right), globsIntersect(right, left));
        if (kyvernoWildcard(left, t) && kyvernoWildcard(right, t)) assert.ok(globsIntersect(left, right));
      }),
    );
    assert.ok(!globsIntersect(`${"*a".repeat(30)}b`, `${"*a".repeat(30)}c`), "finishes fast");
  });

  it("contain another only if they match everything that it matches", () => {
    for (const outer of PATTERNS)
      for (const inner of PATTERNS) {
        if (!globContains(outer, inner)) continue;
        const escaped = matched.get(inner)!.findIndex((result, index) => result && !matched.get(outer)![index]);
        if (escaped >= 0) assert.fail(`"${outer}" does not contain "${inner}": ${TEXTS[escaped]}`);
      }
  });

  it("contain plain names that they match, and wildcards that are plainly narrower", () => {
    fc.assert(fc.property(pattern, text, (p, t) => globContains(p, t) === kyvernoWildcard(p, t)));
    for (const [outer, inner] of [
      ["prod-*", "prod-a-*"],
      ["*", "a*b"],
      ["prod-*", "prod-?"],
      ["a?", "a?"],
      ["*-a", "b*-a"],
    ])
      assert.ok(globContains(outer!, inner!), `${outer} contains ${inner}`);
  });

  it("become regular expressions that match the same", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 3 }), text, (patterns, t) => {
        const any = patterns.some((p) => kyvernoWildcard(p, t));
        assert.equal(new RegExp(globsToRegex(patterns), "s").test(t), any);
      }),
    );
  });

  it("become regular expressions without backslashes for what may stand in a repository", () => {
    assert.equal(globToRegex("ghcr.io/a_b-c*:5000/?"), "ghcr[.]io/a_b-c.*:5000/.");
  });

  it("match nothing when there are none", () => {
    for (const t of ["", "a", "\n"]) assert.ok(!new RegExp(globsToRegex([])).test(t), JSON.stringify(t));
  });
});
