import type { Posture } from "../../components/posture/types";

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

/** A piece of a line: words of ours, or a value from the stack, which is not to be trusted with Markdown. */
export type Part = string | { readonly value: string };

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

/** 0 answered, 1 the answer is no, 2 the question could not be asked. */
export function exitCode(result: PostureResult, failOnWeaker: boolean): 0 | 1 | 2 {
  if (result.failed.length > 0) return 2;
  return failOnWeaker && ["WEAKER", "MIXED", "UNKNOWN", "GONE"].includes(result.verdict) ? 1 : 0;
}

/** Our words with values between them: part`signer ${subject} added`. */
export function parts(words: TemplateStringsArray, ...values: (string | number | readonly Part[])[]): Part[] {
  return words.flatMap((word, index): Part[] => {
    const value = values[index];
    const after =
      value === undefined
        ? []
        : typeof value === "string"
          ? [{ value }]
          : typeof value === "number"
            ? [String(value)]
            : value;
    return [...(word ? [word] : []), ...after];
  });
}

const MOST_VALUES = 8;

/** Values in a row; a long list is cut and says so. */
export function list(values: readonly string[]): Part[] {
  const shown = values
    .slice(0, MOST_VALUES)
    .flatMap((value, index): Part[] => [...(index > 0 ? [", "] : []), { value }]);
  return values.length > MOST_VALUES ? [...shown, ` and ${values.length - MOST_VALUES} more`] : shown;
}
