import { Command } from "commander";
import { withOutputOption, withStackOptions } from "../options";
import type { TrustOptions } from "./run";

/** Shows whom a stack's signatures are held against, and until when. */
export function trustCommand(): Command {
  const command = new Command("trust")
    .description("Show the certificates and log keys that a stack trusts, their source and how long they last.")
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read");
  return withOutputOption(withStackOptions(command))
    .addHelpText(
      "after",
      [
        "",
        "Exit code: 0 everything is valid now, 1 something is outside its validity.",
        "",
        "Examples:",
        "  image-signing-guard trust --stack prod",
        "  image-signing-guard trust --stack prod --output json",
      ].join("\n"),
    )
    .action(async (options: TrustOptions) => (await import("./run")).runTrust(options));
}
