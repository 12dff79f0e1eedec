import * as fs from "node:fs";
import { isJson, type OutputOptions } from "../options";
import { type GitHubTarget, upsertComment } from "./comment";

export interface CommentOptions extends OutputOptions {
  author: string;
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

export async function runComment(stack: string, file: string, options: CommentOptions): Promise<void> {
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
  const done = await upsertComment({ ...gitHubTarget(process.env), author: options.author }, stack, text);
  if (isJson(options)) process.stdout.write(`${JSON.stringify({ version: 1, stack, comment: done })}\n`);
  else process.stderr.write(`comment of ${stack}: ${done}\n`);
}
