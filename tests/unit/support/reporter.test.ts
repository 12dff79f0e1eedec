import * as assert from "node:assert/strict";

const { byReason } = require("../../support/reporter.cjs") as { byReason(tests: object[]): string[] };

/** A test of a suite of a suite, whose outer one says why it is skipped. */
const skipped = (suite: string, skipReason?: string) => {
  const outer = { title: suite, ctx: { skipReason }, parent: { title: "" } };
  return { title: "test", parent: { title: "inner", ctx: {}, parent: outer } };
};

describe("the reporter's last lines", () => {
  it("say each reason once, with how many tests and of which suites, the most frequent first", () => {
    const tests = [
      skipped("alerts", "no promtool"),
      ...["engine", "engine", "lives"].map((suite) => skipped(suite, "no plugin")),
      skipped("old"),
    ];
    assert.deepEqual(byReason(tests), [
      "skipped 3: no plugin (engine, lives)",
      "skipped 1: no promtool (alerts)",
      "skipped 1: no reason given (old)",
    ]);
  });

  it("tell tests of one reason together, whatever each lacks in particular", () => {
    const tests = [skipped("a", "needs Kyverno 1.10: other words"), skipped("b", "needs Kyverno 1.10: no reports")];
    assert.deepEqual(byReason(tests), ["skipped 2: needs Kyverno 1.10: other words; no reports (a, b)"]);
    assert.deepEqual(byReason(tests.slice(1)), ["skipped 1: needs Kyverno 1.10: no reports (b)"]);
  });

  it("name no more suites than a line holds", () => {
    const [line] = byReason(Array.from({ length: 9 }, (_, at) => skipped(`suite ${at}`, "why")));
    assert.equal(line, "skipped 9: why (suite 0, suite 1, suite 2, suite 3, suite 4, suite 5, 3 more)");
  });
});
