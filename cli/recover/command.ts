import { Command } from "commander";
import { withClusterOptions, withOutputOption } from "../options";
import type { RecoverOptions } from "./run";

/** For the hour when nothing can be deployed because Kyverno does not answer. */
export function recoverCommand(): Command {
  const command = new Command("recover")
    .description("When Kyverno is down and blocks the cluster: show what blocks, and remove its webhooks if told to.")
    .option("-n, --namespace <name>", "Kyverno's namespace", "kyverno")
    .option(
      "--remove-webhooks",
      "delete Kyverno's webhook configurations: NOTHING is verified until Kyverno runs again",
    );
  return withOutputOption(withClusterOptions(command))
    .addHelpText(
      "after",
      [
        "",
        "Exit code: 0 nothing blocks or the webhooks were removed, 1 Kyverno blocks the cluster, 2 could not ask.",
        "",
        "Examples:",
        "  image-signing-guard recover",
        "  image-signing-guard recover --context prod-eu --remove-webhooks",
      ].join("\n"),
    )
    .action(async (options: RecoverOptions) => (await import("./run")).runRecover(options));
}
