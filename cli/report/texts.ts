import { formatTable } from "../terminal/table";
import type { Report } from "./result";
import { headline, minute, nextSteps, shown, type Table, type TableName, tablesOf, trendLines } from "./tables";

export function reportText(report: Report): string {
  const parts = [
    headline(report),
    nextSteps(report)
      .map((step) => `next step: ${step}`)
      .join("\n"),
  ];
  for (const line of trendLines(report)) parts.push(`since ${minute(report.trend!.since)}: ${line}`);
  for (const table of tablesOf(report)) {
    const rows = table.rows.map((row) => row.map(shown));
    parts.push(`${table.title}\n${rows.length > 0 ? formatTable(table.header, rows) : table.none}`);
    if (table.note && rows.length > 0) parts.push(table.note);
  }
  for (const { resource, message } of report.notRead) parts.push(`not read: ${resource}: ${message}`);
  parts.push(["What this can't know", ...report.limits.map((limit) => `- ${limit}`)].join("\n"));
  return parts.join("\n\n");
}

export function reportMarkdown(report: Report): string {
  const parts = [`# Image signing in ${escaped(report.source)}`, minute(report.madeAt), `**${headline(report)}**`];
  parts.push(["## Next steps", "", ...nextSteps(report).map((step) => `- ${escaped(step)}`)].join("\n"));
  if (report.trend) {
    parts.push(
      [`## Since ${minute(report.trend.since)}`, "", ...trendLines(report).map((line) => `- ${escaped(line)}`)].join(
        "\n",
      ),
    );
  }
  for (const table of tablesOf(report))
    parts.push(
      `## ${table.title}\n\n${markdownTable(table)}${table.note && table.rows.length > 0 ? `\n\n${escaped(table.note)}` : ""}`,
    );
  const gaps = report.notRead.map(({ resource, message }) => `Not read: ${resource}: ${message}`);
  parts.push(["## What this can't know", "", ...[...gaps, ...report.limits].map((l) => `- ${escaped(l)}`)].join("\n"));
  return `${parts.join("\n\n")}`;
}

function markdownTable({ header, rows, none }: Table): string {
  if (rows.length === 0) return none;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(header.map((name) => name.charAt(0) + name.slice(1).toLowerCase())),
    line(header.map(() => "---")),
    ...rows.map((row) => line(row.map((cell) => escaped(shown(cell))))),
  ].join("\n");
}

/** Names and messages are other people's words: no markup, no links, no second cell, nobody called and no issue named. */
function escaped(text: string): string {
  return flat(text)
    .replace(/[\\`*_[\]<>|&#~!]|:(?=\/\/)|(?<=\bwww)\./gi, (char) =>
      char === "<" ? "&lt;" : char === "&" ? "&amp;" : `\\${char}`,
    )
    .replace(/(?<!\w)@(?=\w)|\\#(?=\d)/g, `$&${NOTHING}`);
}

/** A space of no width: a mention or an issue's number behind it is none; escaping alone would leave them. */
const NOTHING = "&#8203;";

/** One table, as spreadsheets read it. */
export function reportCsv(report: Report, name: TableName): string {
  const table = tablesOf(report).find((one) => one.name === name)!;
  const lines = [table.header.map((title) => title.toLowerCase()), ...table.rows.map((row) => row.map((c) => c.text))];
  return lines.map((line) => line.map(csvCell).join(",")).join("\r\n");
}

/** A cell that begins like a formula would be computed by whoever opens the file. */
function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) && text !== "-" ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replace(/"/g, '""')}"` : harmless;
}

function flat(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
