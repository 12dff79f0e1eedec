const { reporters, Runner } = require("mocha");

/** Mocha's spec reporter, then each skipped test with its reason, then one line that machines read. */
module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on(Runner.constants.EVENT_TEST_PENDING, (test) => skipped.push(test));
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      for (const test of skipped) console.log(`skipped: ${test.fullTitle()} (${reasonOf(test)})`);
      const { passes, failures } = this.stats;
      // At the very end: libraries that complain on exit must not come after it.
      process.once("exit", () => console.log(`${passes} passed, ${failures} failed, ${skipped.length} skipped`));
    });
  }
};

/** A suite or test says why it skips in `skipReason` on its context. */
function reasonOf(test) {
  for (let node = test; node; node = node.parent) if (node.ctx?.skipReason) return node.ctx.skipReason;
  return "no reason given";
}
