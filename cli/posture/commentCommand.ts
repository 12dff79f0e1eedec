import { Command } from "commander";
import { withOutputOption } from "../options";
import type { CommentOptions } from "./runComment";

/** For pipelines: everything but the stack and the file is in the variables that GitHub and GitLab set. */
export function commentCommand(): Command {
  const command = new Command("comment")
    .description(
      "Inside a GitHub workflow or a GitLab pipeline: put the posture lines into the pull request's comment.",
    )
    .argument("<stack>", "stack that the comment is about")
    .argument("<file>", "what posture printed; if it is missing the comment says so")
    .option(
      "--author <login>",
      "account that the token belongs to (default: github-actions[bot]; on GitLab the token's own)",
    );
  return withOutputOption(command, ["text", "json"])
    .addHelpText(
      "after",
      [
        "",
        "GitHub: needs GITHUB_TOKEN with pull-requests: write, and an event of a pull request.",
        "GitLab: needs GITLAB_TOKEN, a project's access token with scope api, in a merge request's pipeline.",
        "",
        "Example:",
        "  image-signing-guard posture comment prod posture/prod.md",
      ].join("\n"),
    )
    .action(async (stack: string, file: string, options: CommentOptions) =>
      (await import("./runComment")).runComment(stack, file, options),
    );
}
