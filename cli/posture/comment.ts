import { marker } from "./markdown";

/** What of GitHub's API is used. */
export interface GitHubTarget {
  /** https://api.github.com, or that of an own server. */
  readonly apiUrl: string;
  /** owner/name */
  readonly repository: string;
  readonly pullRequest: number;
  readonly token: string;
  /** Only this account's comments are edited: anybody may write our marker into a comment. */
  readonly author: string;
}

interface Comment {
  readonly id: number;
  readonly body?: string;
  readonly user?: { readonly login?: string } | null;
}

const PAGE = 100;
const LONGEST_BODY = 10_000;

/** The comment for a stack, also when the job that should have written it did not get that far. */
export function commentBody(stack: string, text: string | undefined): string {
  const first = marker(stack);
  const lines = (text ?? "").trim().split("\n");
  // The text was written by a job that ran the pull request's own code.
  if (lines[0] === first && lines.length <= 15 && lines.join("\n").length <= LONGEST_BODY) return lines.join("\n");
  return [
    first,
    `**UNKNOWN** · stack \`${stack.replace(/[^\w./-]/g, "_")}\`: NO ANSWER, the job ended before it could compare the posture; see the checks below`,
  ].join("\n");
}

/** Edits the stack's comment, or writes it where there is none. */
export async function upsertComment(
  target: GitHubTarget,
  stack: string,
  text: string | undefined,
): Promise<"created" | "edited" | "unchanged"> {
  const body = commentBody(stack, text);
  const earlier = await findComment(target, marker(stack));
  if (earlier?.body?.replace(/\r\n/g, "\n").trim() === body) return "unchanged";
  const issues = `/repos/${target.repository}/issues`;
  if (earlier) await request(target, "PATCH", `${issues}/comments/${earlier.id}`, { body });
  else await request(target, "POST", `${issues}/${target.pullRequest}/comments`, { body });
  return earlier ? "edited" : "created";
}

async function findComment(target: GitHubTarget, first: string): Promise<Comment | undefined> {
  for (let page = 1; ; page += 1) {
    const path = `/repos/${target.repository}/issues/${target.pullRequest}/comments?per_page=${PAGE}&page=${page}`;
    const comments = (await request(target, "GET", path)) as Comment[];
    const found = comments.find(
      ({ body, user }) => user?.login === target.author && (body ?? "").split(/\r?\n/)[0]!.trim() === first,
    );
    if (found || comments.length < PAGE) return found;
  }
}

async function request({ apiUrl, token }: GitHubTarget, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${apiUrl}${path}`, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
      ...(body ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(30_000),
  });
  if (response.ok) return response.json();
  const hint =
    response.status === 403 ? ": the job needs the permission pull-requests: write, and forks never have it" : "";
  throw new Error(`GitHub answered ${response.status} to ${method} ${path}${hint}`);
}
