import { createHash } from "node:crypto";
import type { Change, Part, PostureResult, Verdict } from "./result";

const MOST_LINES = 15;
const LONGEST_VALUE = 110;

const MEANING: Record<Verdict, string> = {
  WEAKER: "more gets in, or less is seen",
  STRONGER: "less gets in, or more is seen",
  SAME: "who and what gets in does not change",
  MIXED: "weaker in places, stronger in others",
  NEW: "the guard is created",
  GONE: "the guard is removed: no image is checked any more",
  UNKNOWN: "it can't be told what this changes; do not take it for harmless",
};

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
const COUNTED: readonly Verdict[] = ["WEAKER", "MIXED", "STRONGER"];
/** Where the words are explained. */
const MORE = "docs/posture.md of image-signing-guard";
const ORDER: readonly Change["strength"][] = ["weaker", "mixed", "stronger", "none"];

/** The weakening first: who reads only the beginning is to see it. */
function inOrder(changes: readonly Change[]): Change[] {
  return [...changes].sort((a, b) => ORDER.indexOf(a.strength) - ORDER.indexOf(b.strength));
}

function counts({ verdict, changes }: PostureResult): string {
  if (!COUNTED.includes(verdict)) return "";
  const said = ORDER.slice(0, 3).flatMap((strength) => {
    const count = changes.filter((change) => change.strength === strength).length;
    return count > 0 ? [`${count} ${strength}`] : [];
  });
  return said.length > 0 ? ` (${said.join(", ")})` : "";
}

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

/** The same without Markdown, for JSON. */
export function plain(text: readonly Part[]): string {
  return text.map((part) => (typeof part === "string" ? part : masked(part.value))).join("");
}

/** A value as code: neither Markdown nor HTML nor a mention works inside it, and it can't end it. */
export function span(value: string): string {
  const visible = escapeInvisible(masked(value));
  return `\`${visible === "" ? "(empty)" : shorten(visible)}\``;
}

/** Backticks, and whatever would not show or would turn the text around. */
function escapeInvisible(text: string): string {
  return text.replace(/[`\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

/** Both ends of a long value, for identities differ at their ends, and a hash in case they differ between. */
function shorten(text: string): string {
  const chars = [...text];
  if (chars.length <= LONGEST_VALUE) return text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  return `${chars.slice(0, LONGEST_VALUE - 51).join("")}…${chars.slice(-40).join("")} #${hash}`;
}

/** A posture holds no secrets, but a URL in it may carry a password that somebody put there. */
export function masked(text: string): string {
  if (/PRIVATE KEY/.test(text)) return "a private key (not shown)";
  return text.replace(/:\/\/[^/@\s*?]+@/g, "://***@").replace(/\S+/g, withoutQuery);
}

/** By places, not by an expression: a word of many :// would be looked through from each of them. */
function withoutQuery(word: string): string {
  const scheme = word.indexOf("://");
  const query = scheme === -1 ? -1 : word.indexOf("?", scheme);
  return query !== -1 && word.includes("=", query) ? `${word.slice(0, query + 1)}***` : word;
}
