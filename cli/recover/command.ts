import { Command } from "commander";
import { namespaceName, withClusterOptions, withOutputOption } from "../options";
import type { RecoverOptions } from "./run";

/** For the hour when nothing can be deployed because Kyverno does not answer. */
export function recoverCommand(): Command {
  const command = new Command("recover")
    .description(
      "When Kyverno is down and blocks the cluster, or an up was killed: show what blocks, and mend it if told to.",
    )
    .option("-n, --namespace <name>", "Kyverno's namespace", namespaceName, "kyverno")
    .option(
      "--remove-webhooks",
      "delete Kyverno's webhook configurations and the backstop: NOTHING is verified until Kyverno runs again",
    )
    .option("--release <name>", "name of the Helm release", "kyverno")
    .option(
      "--mend-release",
      "let Helm forget an installation, upgrade or removal that was broken off, so that the next pulumi up can go on",
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
        "  image-signing-guard recover --mend-release   # after an up that was killed; first: pulumi cancel",
      ].join("\n"),
    )
    .action(async (options: RecoverOptions) => (await import("./run")).runRecover(options));
}
