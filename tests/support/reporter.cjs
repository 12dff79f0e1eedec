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

/** A line for each reason, the most frequent first: how many tests, why, and of which suites. */
function byReason(skipped) {
  const reasons = new Map();
  for (const test of skipped) {
    const suites = reasons.get(reasonOf(test)) ?? [];
    suites.push(suiteOf(test));
    reasons.set(reasonOf(test), suites);
  }
  return [...reasons]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([reason, suites]) => {
      const names = [...new Set(suites)];
      const more = names.length > MOST_SUITES ? `, ${names.length - MOST_SUITES} more` : "";
      return `skipped ${suites.length}: ${reason} (${names.slice(0, MOST_SUITES).join(", ")}${more})`;
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
