import { printable } from "./printable";

/** Columns that are narrower than this can't be read. */
const NARROWEST = 8;
const GAP = "  ";

/**
 * Rows as columns. On a terminal that is too narrow the widest columns are made narrower and their cells go on below;
 * into a file or a pipe each row is one line. Control characters could rewrite the terminal and are dropped.
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined = process.stdout.isTTY ? process.stdout.columns : undefined,
): string {
  const lines = [header, ...rows].map((row) => row.map(printable));
  const natural = header.map((_, column) => Math.max(...lines.map((row) => row[column]?.length ?? 0)));
  const widths = width === undefined ? natural : fitted(natural, width);
  return lines.flatMap((row) => rowLines(row, widths)).join("\n");
}

function fitted(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const room = width - GAP.length * (widths.length - 1);
  for (let over = widths.reduce((sum, one) => sum + one, 0) - room; over > 0; over--) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) break;
    widths[widths.lastIndexOf(widest)]!--;
  }
  return widths;
}

function rowLines(row: readonly string[], widths: readonly number[]): string[] {
  const cells = row.map((cell, column) => wrapped(cell, widths[column]!));
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((cell, column) => (cell[line] ?? "").padEnd(widths[column]!))
      .join(GAP)
      .trimEnd(),
  );
}

/** At spaces where there are some, else in the middle of a name. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const cut = space > 0 ? space : width;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}
