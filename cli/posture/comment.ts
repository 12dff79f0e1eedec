import { askForge, authorOf, type Comment, type Forge } from "./forges/forge";
import { marker } from "./markdown";

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
  forge: Forge,
  stack: string,
  text: string | undefined,
): Promise<"created" | "edited" | "unchanged"> {
  const body = commentBody(stack, text);
  const earlier = await findComment(forge, marker(stack));
  if (earlier?.body?.replace(/\r\n/g, "\n").trim() === body) return "unchanged";
  if (earlier) await askForge(forge, forge.editMethod, forge.comment(earlier.id), { body });
  else await askForge(forge, "POST", forge.comments, { body });
  return earlier ? "edited" : "created";
}

async function findComment(forge: Forge, first: string): Promise<Comment | undefined> {
  const author = await forge.author();
  for (let page = 1; ; page += 1) {
    const comments = (await askForge(forge, "GET", `${forge.comments}?per_page=${PAGE}&page=${page}`)) as Comment[];
    const found = comments.find(
      (comment) => authorOf(comment) === author && (comment.body ?? "").split(/\r?\n/)[0]!.trim() === first,
    );
    if (found || comments.length < PAGE) return found;
  }
}
