/** Where pull requests are, as far as comments go. */
export interface Forge {
  readonly name: string;
  /** Where the comments of this pull request are, and where one of them is. */
  readonly comments: string;
  readonly comment: (id: number) => string;
  /** How a comment is changed. */
  readonly editMethod: "PATCH" | "PUT";
  readonly headers: Readonly<Record<string, string>>;
  /** Only this account's comments are edited: anybody may write our marker into a comment. */
  readonly author: () => Promise<string>;
  /** Which permission lacks when the answer is 401, 403 or 404. */
  readonly permission: string;
}

/** Name of a comment's author, as either API has it. */
export interface Comment {
  readonly id: number;
  readonly body?: string;
  readonly user?: { readonly login?: string } | null;
  readonly author?: { readonly username?: string } | null;
}

export const authorOf = ({ user, author }: Comment): string | undefined => user?.login ?? author?.username;

export function needed(env: NodeJS.ProcessEnv, name: string, where: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set; this command runs in ${where}`);
  return value;
}

export async function askForge(
  { name, headers, permission }: Pick<Forge, "name" | "headers" | "permission">,
  method: string,
  url: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    // The token goes to nobody that an answer names.
    redirect: "error",
    signal: AbortSignal.timeout(30_000),
  });
  if (response.ok) return response.json();
  const hint = [401, 403, 404].includes(response.status) ? `: ${permission}` : "";
  throw new Error(`${name} answered ${response.status} to ${method} ${new URL(url).pathname}${hint}`);
}
