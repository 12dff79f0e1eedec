/** Small numbers that only show whether a bench works; their results are not saved. */
export const quick = process.env.BENCH_QUICK !== undefined;
