import { Command } from "commander";
import { namespaceName, withClusterOptions, withOutputOption, withStackOptions } from "../options";
import type { GrantOptions, ListOptions, RevokeOptions } from "./run";

export function bypassCommand(): Command {
  const command = new Command("bypass").description("Grant, list and revoke emergency bypasses.");
  const grant = command
    .command("grant [workload]")
    .description("Let a workload (deployment/shop) run unsigned images for a while, in your own name.")
    .requiredOption("-s, --stack <name>", "stack whose bypass rules hold")
    .requiredOption("-n, --namespace <name>", "the workload's namespace", namespaceName)
    .requiredOption("-p, --policy <name...>", "policies to skip, as the refusal names them")
    .requiredOption("-r, --reason <text>", "what happened, and where it is tracked")
    .requiredOption("-f, --for <duration>", "how long, such as 90m or 2h")
    .option("--dry-run", "ask the cluster, change nothing");
  withOutputOption(withClusterOptions(withStackOptions(grant)))
    .addHelpText(
      "after",
      '\nExample:\n  image-signing-guard bypass grant deployment/shop -n production -s prod \\\n    -p require-signed-images -r "INC-1234: signing service is down" -f 2h',
    )
    .action(async (workload: string | undefined, options: GrantOptions) =>
      (await import("./run")).runGrant(workload, options),
    );

  const list = command
    .command("list")
    .description("Show every bypass in the cluster; exit code 1 when one has ended or is invalid but still there.")
    .option("-n, --namespace <name>", "only this namespace", namespaceName);
  withOutputOption(withClusterOptions(list))
    .addHelpText(
      "after",
      "\nExamples:\n  image-signing-guard bypass list\n  image-signing-guard bypass list -n production -o json",
    )
    .action(async (options: ListOptions) => (await import("./run")).runList(options));

  const revoke = command
    .command("revoke <workload>")
    .description("Take the bypass off a workload; its next pods are judged again.")
    .requiredOption("-n, --namespace <name>", "the workload's namespace", namespaceName);
  withOutputOption(withClusterOptions(revoke))
    .addHelpText("after", "\nExample:\n  image-signing-guard bypass revoke deployment/shop -n production")
    .action(async (workload: string, options: RevokeOptions) => (await import("./run")).runRevoke(workload, options));
  return command;
}
