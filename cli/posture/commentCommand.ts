import * as fs from "node:fs";
import { Command } from "commander";
import { isJson, type OutputOptions, withOutputOption } from "../options";
import { type GitHubTarget, upsertComment } from "./comment";

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
    .action(async (stack: string, file: string, options: OutputOptions & { author: string }) => {
      const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
      const done = await upsertComment({ ...gitHubTarget(process.env), author: options.author }, stack, text);
      if (isJson(options)) process.stdout.write(`${JSON.stringify({ version: 1, stack, comment: done })}\n`);
      else process.stderr.write(`comment of ${stack}: ${done}\n`);
    });
}

/** Where to write, from the variables of a workflow. */
export function gitHubTarget(env: NodeJS.ProcessEnv): Omit<GitHubTarget, "author"> {
  const need = (name: string) => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set; this command runs in a GitHub workflow`);
    return value;
  };
  const event = JSON.parse(fs.readFileSync(need("GITHUB_EVENT_PATH"), "utf8")) as {
    pull_request?: { number?: number };
  };
  const pullRequest = event.pull_request?.number;
  if (pullRequest === undefined) throw new Error("the workflow's event is not pull_request");
  return {
    apiUrl: env.GITHUB_API_URL || "https://api.github.com",
    repository: need("GITHUB_REPOSITORY"),
    pullRequest,
    token: need("GITHUB_TOKEN"),
  };
}
