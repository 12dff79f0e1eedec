import * as fs from "node:fs";
import { type Forge, needed } from "./forge";

const WHERE = "a GitHub workflow";

/** Where to write, from the variables of a workflow. */
export function gitHub(env: NodeJS.ProcessEnv, author = "github-actions[bot]"): Forge {
  const event = JSON.parse(fs.readFileSync(needed(env, "GITHUB_EVENT_PATH", WHERE), "utf8")) as {
    pull_request?: { number?: number };
  };
  const pullRequest = event.pull_request?.number;
  if (pullRequest === undefined) throw new Error("the workflow's event is not pull_request");
  const api = env.GITHUB_API_URL || "https://api.github.com";
  const issues = `${api}/repos/${needed(env, "GITHUB_REPOSITORY", WHERE)}/issues`;
  return {
    name: "GitHub",
    comments: `${issues}/${pullRequest}/comments`,
    comment: (id) => `${issues}/comments/${id}`,
    editMethod: "PATCH",
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${needed(env, "GITHUB_TOKEN", WHERE)}`,
      "x-github-api-version": "2022-11-28",
    },
    author: async () => author,
    permission: "the job needs the permission pull-requests: write, and forks never have it",
  };
}
