import { compareStrength, type Strength } from "../strength/strength";
import { TooManyCases } from "../strength/witnesses";
import { describeChanges } from "./changes";
import type { Change, Comparison, PostureResult, Verdict } from "./result";
import { summarise } from "./summary";
import { parts } from "./words";

const VERDICTS: Record<Strength, Verdict> = { same: "SAME", weaker: "WEAKER", stronger: "STRONGER", mixed: "MIXED" };

/** The answer to a comparison, and UNKNOWN wherever it can't be had. */
export function comparePostures(comparison: Comparison): PostureResult {
  const { stack, before, after, lacks, failed, notes = [] } = comparison;
  const result = (verdict: Verdict, changes: readonly Change[] = []): PostureResult => ({
    stack,
    verdict: failed.length > 0 || lacks.length > 0 ? "UNKNOWN" : verdict,
    changes: [...notes, ...changes],
    lacks,
    failed,
  });
  try {
    if (before && after) {
      const changes = describeChanges(before, after);
      return result(VERDICTS[compareStrength(before, after)], changes);
    }
    if (after) return result("NEW", lacks.length > 0 ? [] : summarise(after));
    if (before) return result("GONE", lacks.length > 0 ? [] : summarise(before, "was "));
    if (comparison.untouched) return result("SAME", [UNTOUCHED]);
    return result("UNKNOWN");
  } catch (error) {
    if (!(error instanceof TooManyCases)) throw error;
    return { ...result("UNKNOWN"), lacks: [...lacks, parts`too large to compare exactly: ${error.message}`] };
  }
}

const UNTOUCHED: Change = {
  about: "guard",
  strength: "none",
  text: ["not among the steps of the preview, so it does not change (", { value: "--show-sames" }, " would list it)"],
};
