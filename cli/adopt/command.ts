import { Command } from "commander";
import { withClusterOptions, withOutputOption, withStackOptions } from "../options";
import type { AdoptOptions } from "./run";

export function adoptCommand(): Command {
  const command = new Command("adopt")
    .description(
      "Print what pulumi import needs: to make a Kyverno that is there the guard's own, or after an up that was killed.",
    )
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read")
    .option("--name <name>", "what the program calls its ImageSigningGuard", "guard")
    .option("--out <file>", "write the list into this file", "adopt.json");
  return withOutputOption(withClusterOptions(withStackOptions(command)))
    .addHelpText(
      "after",
      [
        "",
        "Nothing is changed, neither in the cluster nor in the stack: that is left to the commands that are printed.",
        "Exit code: 0 there is something to adopt, 1 there is nothing or it can't be adopted as it is, 2 could not ask.",
        "",
        "Examples:",
        "  image-signing-guard adopt --stack prod",
        "  image-signing-guard adopt --stack prod --context prod-eu --out prod.json",
      ].join("\n"),
    )
    .action(async (options: AdoptOptions) => (await import("./run")).runAdopt(options));
}
