import * as fs from "node:fs";
import { isJson, type OutputOptions } from "../options";
import { upsertComment } from "./comment";
import type { Forge } from "./forges/forge";
import { gitHub } from "./forges/gitHub";
import { gitLab } from "./forges/gitLab";

export interface CommentOptions extends OutputOptions {
  author?: string;
}

/** Where this runs; GitLab says so by a variable of its own. */
export const forgeOf = (env: NodeJS.ProcessEnv, author?: string): Forge =>
  env.GITLAB_CI ? gitLab(env, author) : gitHub(env, author);

export async function runComment(stack: string, file: string, options: CommentOptions): Promise<void> {
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
  const done = await upsertComment(forgeOf(process.env, options.author), stack, text);
  if (isJson(options)) process.stdout.write(`${JSON.stringify({ version: 1, stack, comment: done })}\n`);
  else process.stderr.write(`comment of ${stack}: ${done}\n`);
}
