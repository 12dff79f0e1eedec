import { Command } from "commander";
import { withOutputOption } from "../options";
import type { CommentOptions } from "./runComment";

/** For workflows: everything but the stack and the file is in the variables that GitHub sets. */
export function commentCommand(): Command {
  const command = new Command("comment")
    .description("Inside a GitHub workflow: put the posture lines into the pull request's comment.")
    .argument("<stack>", "stack that the comment is about")
    .argument("<file>", "what posture printed; if it is missing the comment says so")
    .option("--author <login>", "account that the token belongs to", "github-actions[bot]");
  return withOutputOption(command, ["text", "json"])
    .addHelpText(
      "after",
      [
        "",
        "Needs GITHUB_TOKEN with pull-requests: write, and an event of a pull request.",
        "",
        "Example:",
        "  image-signing-guard posture comment prod posture/prod.md",
      ].join("\n"),
    )
    .action(async (stack: string, file: string, options: CommentOptions) =>
      (await import("./runComment")).runComment(stack, file, options),
    );
}
