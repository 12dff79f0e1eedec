import { Command, Option } from "commander";
import { clusterSource } from "../cluster/api";
import { problem, savedSource } from "../cluster/saved";
import { type ClusterOptions, clusterTarget, withClusterOptions } from "../options";
import { reportHtml } from "./html/page";
import { makeReport } from "./make";
import type { Report } from "./result";
import { TABLES, type TableName } from "./tables";
import { reportCsv, reportMarkdown, reportText } from "./texts";
import { readReport, trendSince } from "./trend";

const FORMATS = ["table", "json", "csv", "markdown", "html"] as const;
type Format = (typeof FORMATS)[number];

interface ReportOptions extends ClusterOptions {
  namespace: string[];
  from: string[];
  since?: string;
  output: Format;
  table: TableName;
  failUnder?: string;
}

export function reportCommand(): Command {
  const collect = (value: string, earlier: string[]) => [...earlier, value];
  const command = new Command("report")
    .description("Report what is signed: namespaces, policies, images, bypasses, and what has changed since a report.")
    .option("-n, --namespace <name>", "only this namespace, repeatable", collect, [])
    .option(
      "-f, --from <file>",
      "read saved objects instead of a cluster, - for standard input, repeatable",
      collect,
      [],
    )
    .option("--since <file>", "a report saved with --output json: say what has changed")
    .addOption(new Option("-o, --output <format>", "how it is written").choices([...FORMATS]).default("table"))
    .addOption(new Option("--table <name>", "the table of csv").choices([...TABLES]).default("images"))
    .option("--fail-under <percent>", "exit code 1 when less of what must be signed is signed");
  return withClusterOptions(command)
    .addHelpText(
      "after",
      [
        "",
        "Reads, never writes; asks no registry. Exit code: 0 reported, 1 below --fail-under, 2 could not ask.",
        "",
        "Examples:",
        "  image-signing-guard report",
        "  image-signing-guard report --output html > report.html",
        "  image-signing-guard report --output json > $(date +%F).json; image-signing-guard report --since 2026-11-01.json",
      ].join("\n"),
    )
    .action(async (options: ReportOptions) => {
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
    });
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
