import { Command, Option } from "commander";
import { namespaceNames, withClusterOptions } from "../options";
import { FORMATS } from "./formats";
import type { ReportOptions } from "./run";
import { TABLES } from "./tables";

export function reportCommand(): Command {
  const collect = (value: string, earlier: string[]) => [...earlier, value];
  const command = new Command("report")
    .description("Report what is signed: namespaces, policies, images, bypasses, and what has changed since a report.")
    .option("-n, --namespace <name>", "only this namespace, repeatable", namespaceNames, [])
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
    .action(async (options: ReportOptions) => (await import("./run")).runReport(options));
}
