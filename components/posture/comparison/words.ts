import { createHash } from "node:crypto";

/** A piece of a line: words of ours, or a value from the stack, which is not to be trusted with markup. */
export type Part = string | { readonly value: string };

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

/** The line as it is, for JSON. */
export function plain(text: readonly Part[]): string {
  return text.map((part) => (typeof part === "string" ? part : masked(part.value))).join("");
}

/** The line for a terminal: long values are cut, and nothing in one can move the cursor or hide. */
export function printable(text: readonly Part[]): string {
  return text.map((part) => (typeof part === "string" ? part : shownValue(part.value))).join("");
}

/** The words alone: where something is secret, any value might be. */
export function withoutValues(text: readonly Part[]): string {
  return text.map((part) => (typeof part === "string" ? part : "[secret]")).join("");
}

/** A value as a person may see it: without passwords, control characters and its middle. */
export function shownValue(value: string): string {
  const visible = escapeInvisible(masked(value));
  return visible === "" ? "(empty)" : shorten(visible);
}

/** Backticks, and whatever would not show or would turn the text around. */
function escapeInvisible(text: string): string {
  return text.replace(/[`\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

const LONGEST_VALUE = 110;

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
