import { type Objection, objections } from "../../cli/doctor/explain/objections";

export { type Objection, objections };

/** The one that refused; advice and skipped rules are listed with it. */
export const mainObjection = (text: string): Objection | undefined =>
  objections(text).find(({ message }) => !message.startsWith("preconditions not met"));

/** The gist of a rule's message, for one line of a table. */
export function shortMessage(message: string): string {
  const subject = /subject mismatch: expected \S+, received (\S+)|got subjects \[([^\]]+)\]/.exec(message);
  if (subject) return `signed by ${shortSubject((subject[1] ?? subject[2])!)}`;
  if (/no (matching )?signatures/.test(message)) return "no matching signature";
  return (message.split(/[.!]\s/)[0] ?? message).replace(/\s+/g, " ").trim();
}

/** https://github.com/OWNER/NAME/.github/workflows/FILE@refs/heads/REF as "OWNER/NAME FILE@REF". */
function shortSubject(subject: string): string {
  const parts = /^https:\/\/github\.com\/([^/]+\/[^/]+)\/\.github\/workflows\/([^@]+)@refs\/(?:heads|tags)\/(.+)$/.exec(
    subject,
  );
  return parts ? `${parts[1]} ${parts[2]}@${parts[3]}` : subject;
}
