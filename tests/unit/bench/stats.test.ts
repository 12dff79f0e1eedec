import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { inParallel } from "../../../bench/inParallel";
import { percentile, ratio, spread } from "../../../bench/stats";

describe("bench: stats", () => {
  it("nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
    assert.deepEqual(spread(hundred), { p50: 50, p95: 95, p99: 99 });
    assert.deepEqual(spread([3, 1, 2]), { p50: 2, p95: 3, p99: 3 });
    assert.deepEqual(ratio({ p50: 4, p95: 9, p99: 1 }, { p50: 2, p95: 3, p99: 4 }), { p50: 2, p95: 3, p99: 0.25 });
    assert.throws(() => percentile([], 50), /no samples/);
  });

  it("is a sample that at least that share does not exceed, and no smaller sample is", () => {
    const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 100 }), (all, percent) => {
        const found = percentile(all, percent);
        const share = (limit: (one: number) => boolean) => (all.filter(limit).length / all.length) * 100;
        assert.ok(all.includes(found));
        assert.ok(share((one) => one <= found) >= percent - 1e-9);
        assert.ok(share((one) => one < found) < percent);
      }),
    );
  });
});

describe("bench: inParallel", () => {
  it("does each once, as many at a time as it may and no more", async () => {
    const done: number[] = [];
    let now = 0;
    let most = 0;
    await inParallel(4, 10, async (at) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      done.push(at);
    });
    assert.deepEqual(
      done.sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(most, 4);
  });
});
