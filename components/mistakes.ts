import { YAMLParseError } from "yaml";

/** Where a text is no YAML. The library's own message may quote the text, in which a token or key may stand. */
export function yamlMistake(error: unknown): string {
  if (!(error instanceof YAMLParseError)) return "a text that is no YAML";
  const place = error.linePos?.[0];
  const where = place ? ` in line ${place.line}, column ${place.col}` : "";
  return `a mistake${where} (${error.code.toLowerCase().replace(/_/g, " ")})`;
}

/** "EISDIR: illegal operation on a directory, read" without its code and call. */
export function fileReason(message: string): string {
  return message.replace(/^[A-Z]+: /, "").replace(/, \w+( '.*')?$/s, "");
}

/** Where a text is no JSON, without the excerpt that Node quotes. */
export function jsonMistake(error: unknown, text: string): string {
  const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
  if (position === undefined) return "no JSON";
  const before = text.slice(0, Number(position)).split("\n");
  return `no JSON from line ${before.length}, column ${before.at(-1)!.length + 1} on`;
}
