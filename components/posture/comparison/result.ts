import type { Posture } from "../types";
import type { Part } from "./words";

/** Two postures to compare, or why that can't be done. */
export interface Comparison {
  /** The stack that the answer is about; the comment's marker carries it. */
  readonly stack: string;
  /** Absent where the guard did not exist before. */
  readonly before?: Posture;
  /** Absent where it is removed. */
  readonly after?: Posture;
  /** Known to be untouched although the posture itself is not in the document. */
  readonly untouched?: boolean;
  /** What else there is to say about the step itself. */
  readonly notes?: readonly Change[];
  /** Data that is not there: the verdict is UNKNOWN. */
  readonly lacks: Part[][];
  /** Why nothing could be asked at all: the preview failed, or is of something else. */
  readonly failed: Part[][];
}

export type Verdict = "WEAKER" | "STRONGER" | "SAME" | "MIXED" | "NEW" | "GONE" | "UNKNOWN";

export const MEANING: Record<Verdict, string> = {
  WEAKER: "more gets in, or less is seen",
  STRONGER: "less gets in, or more is seen",
  SAME: "who and what gets in does not change",
  MIXED: "weaker in places, stronger in others",
  NEW: "the guard is created",
  GONE: "the guard is removed: no image is checked any more",
  UNKNOWN: "it can't be told what this changes; do not take it for harmless",
};

export interface Change {
  readonly about: string;
  /** `none`: worth knowing, but neither weaker nor stronger. */
  readonly strength: "weaker" | "stronger" | "mixed" | "none";
  readonly text: readonly Part[];
}

export interface PostureResult {
  readonly stack: string;
  readonly verdict: Verdict;
  readonly changes: readonly Change[];
  readonly lacks: readonly (readonly Part[])[];
  readonly failed: readonly (readonly Part[])[];
}

const ORDER: readonly Change["strength"][] = ["weaker", "mixed", "stronger", "none"];

/** The weakening first: who reads only the beginning is to see it. */
export function inOrder(changes: readonly Change[]): Change[] {
  return [...changes].sort((a, b) => ORDER.indexOf(a.strength) - ORDER.indexOf(b.strength));
}

const COUNTED: readonly Verdict[] = ["WEAKER", "MIXED", "STRONGER"];

/** How many changes bear the verdict, as ` (6 weaker, 1 stronger)`; '' where none does. */
export function counts({ verdict, changes }: PostureResult): string {
  if (!COUNTED.includes(verdict)) return "";
  const said = ORDER.slice(0, 3).flatMap((strength) => {
    const count = changes.filter((change) => change.strength === strength).length;
    return count > 0 ? [`${count} ${strength}`] : [];
  });
  return said.length > 0 ? ` (${said.join(", ")})` : "";
}
