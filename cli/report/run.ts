import { problem, savedSource } from "../cluster/saved";
import { clusterSource } from "../cluster/source";
import { type ClusterOptions, clusterTarget } from "../options";
import type { Format } from "./formats";
import { reportHtml } from "./html/page";
import { makeReport } from "./make";
import type { Report } from "./result";
import type { TableName } from "./tables";
import { reportCsv, reportMarkdown, reportText } from "./texts";
import { readReport, trendSince } from "./trend";

export interface ReportOptions extends ClusterOptions {
  namespace: string[];
  from: string[];
  since?: string;
  output: Format;
  table: TableName;
  failUnder?: string;
}

function percentOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const percent = /^\d{1,3}$/.test(text) ? Number(text) : 101;
  if (percent <= 100) return percent;
  throw problem("--fail-under", JSON.stringify(text), "a whole number from 0 to 100", "write for example 95");
}

function written(report: Report, { output, table }: ReportOptions): string {
  switch (output) {
    case "json":
      return JSON.stringify(report, null, 2);
    case "csv":
      return reportCsv(report, table);
    case "markdown":
      return reportMarkdown(report);
    case "html":
      return reportHtml(report).trimEnd();
    case "table":
      return reportText(report);
  }
}

export async function runReport(options: ReportOptions): Promise<void> {
  const least = percentOf(options.failUnder);
  const before = options.since === undefined ? undefined : readReport(options.since);
  const source = options.from.length > 0 ? savedSource(options.from) : clusterSource(clusterTarget(options));
  const made = await makeReport(source, options.namespace, new Date());
  const report = before ? { ...made, trend: trendSince(before, made) } : made;
  process.stdout.write(`${written(report, options)}\n`);
  for (const { message } of report.notRead) process.stderr.write(`not read: ${message}\n`);
  const blind = report.notRead.some(({ why }) => why === "forbidden");
  const { percent } = report.summary;
  if (percent !== null && percent < least) process.exitCode = 1;
  else if (blind) process.exitCode = 2;
}
