const { reporters, Runner } = require("mocha");

/** Mocha's spec reporter, then what was skipped by reason, then one line that machines read. */
module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on(Runner.constants.EVENT_TEST_PENDING, (test) => skipped.push(test));
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      for (const line of byReason(skipped)) console.log(line);
      const { passes, failures } = this.stats;
      // At the very end: libraries that complain on exit must not come after it.
      process.once("exit", () => console.log(`${passes} passed, ${failures} failed, ${skipped.length} skipped`));
    });
  }
};

const MOST_SUITES = 6;

/**
 * A line for each reason, the most frequent first: how many tests, why, and of which suites. What stands before a colon is
 * the reason, what follows it the details of a test.
 */
function byReason(skipped) {
  const reasons = new Map();
  for (const test of skipped) {
    const [why, ...detail] = reasonOf(test).split(": ");
    const tests = reasons.get(why) ?? [];
    tests.push({ suite: suiteOf(test), detail: detail.join(": ") });
    reasons.set(why, tests);
  }
  return [...reasons]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([why, tests]) => {
      const details = [...new Set(tests.map(({ detail }) => detail))].filter(Boolean);
      const suites = [...new Set(tests.map(({ suite }) => suite))];
      const more = suites.length > MOST_SUITES ? `, ${suites.length - MOST_SUITES} more` : "";
      const reason = [why, ...(details.length > 0 ? [details.join("; ")] : [])].join(": ");
      return `skipped ${tests.length}: ${reason} (${suites.slice(0, MOST_SUITES).join(", ")}${more})`;
    });
}

/** A suite or test says why it skips in `skipReason` on its context. */
function reasonOf(test) {
  for (let node = test; node; node = node.parent) if (node.ctx?.skipReason) return node.ctx.skipReason;
  return "no reason given";
}

/** The outermost suite that has a name. */
function suiteOf(test) {
  let suite = test.parent;
  while (suite?.parent?.title) suite = suite.parent;
  return suite?.title ?? test.title;
}

module.exports.byReason = byReason;
