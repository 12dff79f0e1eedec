/** The smallest sample that at least `percent` of all samples do not exceed (nearest rank). */
export function percentile(samples: readonly number[], percent: number): number {
  if (samples.length === 0) throw new Error("percentile: there are no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil((percent / 100) * sorted.length) - 1, 0)]!;
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export const spread = (samples: readonly number[]): Spread => ({
  p50: percentile(samples, 50),
  p95: percentile(samples, 95),
  p99: percentile(samples, 99),
});

/** Each number of one spread by that of another. */
export const ratio = (of: Spread, to: Spread): Spread => ({
  p50: of.p50 / to.p50,
  p95: of.p95 / to.p95,
  p99: of.p99 / to.p99,
});
