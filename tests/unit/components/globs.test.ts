import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  globContains,
  globMatches,
  globsIntersect,
  globToRegex,
  kyvernoComparisons,
  repositoriesToRegex,
} from "../../../components/globs";
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

/** Calls that Kyverno's matcher makes: `deepMatchRune` of IGLOU-EU/go-wildcard 1.0.3, without its result kept. */
function stepsOf(pattern: string, text: string): number {
  let steps = 0;
  const match = (p: string, t: string): boolean => {
    steps++;
    if (p === "") return t === "";
    if (p[0] === "*") return match(p.slice(1), t) || (t !== "" && match(p, t.slice(1)));
    return t !== "" && (p[0] === "?" || p[0] === t[0]) && match(p.slice(1), t.slice(1));
  };
  match(pattern, text);
  return steps;
}

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
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), text, (patterns, t) => {
        const any = patterns.some((p) => kyvernoWildcard(p, t));
        assert.equal(new RegExp(`^(?:${patterns.map((p) => globToRegex(p)).join("|")})$`, "s").test(t), any);
      }),
    );
  });

  it("become regular expressions without backslashes for what may stand in a repository", () => {
    assert.equal(globToRegex("ghcr.io/a_b-c*:5000/?"), "ghcr[.]io/a_b-c.*:5000/.");
  });

  it("match nothing when there are none", () => {
    for (const t of ["", "a", "\n"]) assert.ok(!new RegExp(repositoriesToRegex([])).test(t), JSON.stringify(t));
  });

  it("of repositories become expressions whose registry is a registry's name", () => {
    const rows: [pattern: string, image: string, matches: boolean][] = [
      ["*.corp.internal/mirror/*", "a.b.corp.internal/mirror/x/y", true],
      ["*.corp.internal/mirror/*", "evil.tld/x.corp.internal/mirror/x", false],
      ["*/*", "evil.tld/x", true],
      ["*.dkr.ecr.*.amazonaws.com/team/*", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app", true],
      ["*.dkr.ecr.*.amazonaws.com/team/*", "1.dkr.ecr.evil.tld/x.amazonaws.com/team/app", false],
      ["ghcr.io/*/app", "ghcr.io/a/b/app", true],
    ];
    for (const [repository, image, matches] of rows)
      assert.equal(new RegExp(repositoriesToRegex([repository])).test(image), matches, `${repository} ${image}`);
  });

  it("match within as many steps as the text is long, however many wildcards there are", () => {
    const slow = "*a".repeat(60);
    // A matcher that tries every place for every star needs more steps than there are atoms.
    for (const text of ["a".repeat(200), `${"a".repeat(20_000)}c`]) {
      assert.equal(globMatches("*a*a*a*a*ab", text), false);
      assert.equal(globMatches(`${slow}b`, text), false);
      assert.equal(globMatches(`${slow}*`, text), true);
    }
  });

  it("are measured by what Kyverno's matcher would do with the worst text, never below the truth", () => {
    const letters = fc.array(fc.constantFrom("a", "b", "?", "*"), { maxLength: 8 }).map((p) => p.join(""));
    const words = fc.array(fc.constantFrom("a", "b"), { minLength: 12, maxLength: 12 }).map((t) => t.join(""));
    fc.assert(
      fc.property(letters, words, (p, t) => {
        const [first, ...rest] = p.split("*");
        // Each comparison of the bound is one place of one star; what is compared there is at most the pattern.
        if (rest.length === 0) return;
        assert.ok(stepsOf(p, t) <= (kyvernoComparisons(p, t.length) + 1) * (p.length + 1) * 4 + first!.length);
      }),
      { numRuns: 2000 },
    );
    assert.ok(kyvernoComparisons("*a*a*a*a*ab", 255) > 1e9);
    assert.ok(kyvernoComparisons("*.dkr.ecr.*.amazonaws.com/team-*", 255) < 1e6);
    assert.equal(kyvernoComparisons("ghcr.io/example/app", 255), 255);
  });
});
