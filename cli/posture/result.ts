import type { PostureResult } from "../../components/posture/comparison/result";

/** 0 answered, 1 the answer is no, 2 the question could not be asked. */
export function exitCode(result: PostureResult, failOnWeaker: boolean): 0 | 1 | 2 {
  if (result.failed.length > 0) return 2;
  return failOnWeaker && ["WEAKER", "MIXED", "UNKNOWN", "GONE"].includes(result.verdict) ? 1 : 0;
}
