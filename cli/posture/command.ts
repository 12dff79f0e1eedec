import { Command } from "commander";
import { withOutputOption, withStackOptions } from "../options";
import { commentCommand } from "./commentCommand";
import type { PostureOptions } from "./run";

export function postureCommand(): Command {
  const command = new Command("posture")
    .description("Say in a few Markdown lines whether a change makes the guard weaker.")
    .option("--from <file>", "output of pulumi preview --json --show-sames, - for standard input")
    .option("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read; with --from: the stack it must be of")
    .option("--against <name>", "compare with this stack's file")
    .option("--base-ref <ref>", "compare with the stack's file at this git ref")
    .option("--fail-on-weaker", "exit code 1 on WEAKER, MIXED, GONE and UNKNOWN")
    // comment has an option of the same name.
    .enablePositionalOptions();
  return withOutputOption(withStackOptions(command), ["markdown", "json"])
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  pulumi preview --json --show-sames --stack prod | image-signing-guard posture --from - --stack prod",
        "  image-signing-guard posture --stack prod --base-ref origin/main --fail-on-weaker",
        "  image-signing-guard posture --stack dev --against prod --output json",
        "",
        "Exit code: 0 answered, 1 with --fail-on-weaker if the answer is bad, 2 the preview failed or is of something else.",
      ].join("\n"),
    )
    .action(async (options: PostureOptions) => (await import("./run")).runPosture(options))
    .addCommand(commentCommand());
}
