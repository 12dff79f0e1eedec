import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { formatTable } from "../../../../cli/terminal/table";

const header = ["IMAGE", "DETAIL"];
const rows = [["ghcr.io/ikey168/modulo-backend:1.0", "there is no signature that Kyverno reads"]];

describe("tables in a terminal", () => {
  const cases: [title: string, width: number | undefined, lines: string[]][] = [
    [
      "a pipe gets one line a row",
      undefined,
      [
        "IMAGE                               DETAIL",
        "ghcr.io/ikey168/modulo-backend:1.0  there is no signature that Kyverno reads",
      ],
    ],
    [
      "a wide one too",
      120,
      [
        "IMAGE                               DETAIL",
        "ghcr.io/ikey168/modulo-backend:1.0  there is no signature that Kyverno reads",
      ],
    ],
    [
      "a narrow one goes on below",
      40,
      [
        "IMAGE                DETAIL",
        "ghcr.io/ikey168/mod  there is no",
        "ulo-backend:1.0      signature that",
        "                     Kyverno reads",
      ],
    ],
  ];
  for (const [title, width, lines] of cases)
    it(title, () => assert.deepEqual(formatTable(header, rows, width).split("\n"), lines));

  it("fit, and lose nothing", () => {
    const word = fc.stringMatching(/^[a-z]{1,30}( [a-z]{1,9}){0,4}$/);
    const line = fc.tuple(word, word, word);
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), fc.integer({ min: 40, max: 200 }), (all, width) => {
        const text = formatTable(["A", "B", "C"], all, width);
        assert.ok(text.split("\n").every((one) => one.length <= width));
        const letters = (one: string) => [...one.replace(/\s/g, "")].sort().join("");
        assert.equal(letters(text), letters(`ABC${all.flat().join("")}`));
      }),
    );
  });
});
