/** One benchmark: a file of this folder that exports one of these. */
export interface Bench {
  readonly name: string;
  /** Measures, saves the result beside the others and prints its tables. */
  run(): Promise<void>;
}

/** Small numbers that only show whether a bench works; their results are not saved. */
export const quick = process.env.BENCH_QUICK !== undefined;
