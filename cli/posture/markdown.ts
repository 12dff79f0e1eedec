import {
  type Change,
  counts,
  inOrder,
  MEANING,
  type PostureResult,
  type Verdict,
} from "../../components/posture/comparison/result";
import { type Part, shownValue } from "../../components/posture/comparison/words";

const MOST_LINES = 15;

/** The line by which a later run finds the comment again. */
export function marker(stack: string): string {
  // Nothing that could end the comment early.
  return `<!-- image-signing-guard:${stack.replace(/[^A-Za-z0-9_./-]/g, "_")} -->`;
}

/** At most 15 lines: the marker, the verdict, and what led to it. The same input gives the same text. */
export function toMarkdown(result: PostureResult): string {
  const lines = [
    ...result.failed.map((reason) => `- :rotating_light: ${rendered(reason)}`),
    ...result.lacks.map((reason) => `- :grey_question: ${rendered(reason)}`),
    ...inOrder(result.changes).map((change) => `- ${changeLine(change)}`),
  ];
  const room = MOST_LINES - 2;
  const shown = lines.length > room ? lines.slice(0, room - 1) : lines;
  const more = lines.length - shown.length;
  return [
    marker(result.stack),
    `**${result.verdict}**${ALARMING.includes(result.verdict) ? " :rotating_light:" : ""} · stack ${span(result.stack)}: ${result.failed.length > 0 ? "NO ANSWER, " : ""}${MEANING[result.verdict]}${counts(result)} · <sub>${MORE}</sub>`,
    ...shown,
    ...(more > 0 ? [`- … ${more} more lines; \`--output json\` has all of them`] : []),
  ].join("\n");
}

const ALARMING: readonly Verdict[] = ["WEAKER", "MIXED", "GONE"];
/** Where the words are explained. */
const MORE = "docs/posture.md of image-signing-guard";
const LABELS: Record<Change["strength"], string> = {
  weaker: "**weaker** · ",
  mixed: "**mixed** · ",
  stronger: "stronger · ",
  none: "",
};

function changeLine({ about, strength, text }: Change): string {
  return `${LABELS[strength]}${about}: ${rendered(text)}`;
}

function rendered(text: readonly Part[]): string {
  return text.map((part) => (typeof part === "string" ? part : span(part.value))).join("");
}

/** A value as code: neither Markdown nor HTML nor a mention works inside it, and it can't end it. */
export function span(value: string): string {
  return `\`${shownValue(value)}\``;
}
