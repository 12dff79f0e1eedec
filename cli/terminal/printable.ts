/** On one line and without characters that could rewrite a terminal: the text comes from a cluster or a registry. */
export function printable(text: string): string {
  return text.replace(/\p{C}+/gu, " ");
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
