import { Command, Option } from "commander";
import { namespaceNames, withClusterOptions, withOutputOption, withStackOptions } from "../options";
import { CHECK } from "./check";
import type { ImpactOptions } from "./run";

export function impactCommand(): Command {
  const collect = (value: string, earlier: string[]) => [...earlier, value];
  const command = new Command("impact")
    .description(
      "Say what would be refused if the stack enforced now: pods, rollbacks, schedules; a gate before enforce.",
    )
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read; judged as if its mode were enforce")
    .option("-n, --namespace <name>", "only this namespace, repeatable", namespaceNames, [])
    .option(
      "-f, --from <file>",
      "read saved objects instead of a cluster, - for standard input, repeatable",
      collect,
      [],
    )
    .addOption(
      new Option("--check <when>", "ask registries where reports can't tell, about everything, or not at all")
        .choices([...CHECK])
        .default("needed"),
    )
    .option("--everywhere", "judge namespaces that would stay in audit as if they enforced")
    .option("--no-rollbacks", "leave out revisions that only a rollback would start")
    .option("-a, --all", "list what would be admitted, too");
  return withOutputOption(withClusterOptions(withStackOptions(command)))
    .addHelpText(
      "after",
      [
        "",
        "Reads, never writes. Exit code: 0 nothing would be refused, 1 something would be, 2 that can't be told.",
        "",
        "Examples:",
        "  image-signing-guard impact --stack prod",
        "  image-signing-guard impact --stack prod -n team-a --everywhere   # before team-a goes first",
        "  kubectl get clusterpolicies,backgroundscanreports,deployments,replicasets,statefulsets,daemonsets,\\",
        "controllerrevisions,cronjobs,jobs,pods -A -o json | image-signing-guard impact --stack prod --from -",
      ].join("\n"),
    )
    .action(async (options: ImpactOptions) => (await import("./run")).runImpact(options));
}
