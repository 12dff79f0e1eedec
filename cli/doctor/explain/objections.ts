import { parse } from "yaml";

/** A rule that did not pass, as Kyverno's refusal lists it. */
export interface Objection {
  readonly policy: string;
  readonly rule: string;
  readonly message: string;
}

/** The rules in the text of a refusal. Below its head it is YAML: policy, rule, message. */
export function objections(text: string): Objection[] {
  const [, list] = text.split(/blocked due to the following policies[ \t]*\r?\n/);
  if (list === undefined) return ofOnePolicy(text);
  let policies: unknown;
  try {
    policies = parse(dedent(list));
  } catch {
    return [];
  }
  if (policies === null || typeof policies !== "object") return [];
  return Object.entries(policies as Record<string, unknown>).flatMap(([policy, rules]) =>
    rules === null || typeof rules !== "object"
      ? []
      : Object.entries(rules).map(([rule, message]) => ({ policy, rule, message: String(message).trim() })),
  );
}

/** Of one that judges, and of one that pins a tag. */
const OF_ONE_POLICY = [
  /denied the request: Policy ([a-z0-9.-]+) (?:failed|error): ([\s\S]*)$/,
  /denied the request: Resource: \S+, Kind: \w+, Errors: \[Policy ([a-z0-9.-]+): ([\s\S]*)\]/,
];

/** Policies of the newer kinds refuse one by one, each by its own webhook. */
function ofOnePolicy(text: string): Objection[] {
  const [, policy, message] = OF_ONE_POLICY.map((form) => form.exec(text)).find((found) => found !== null) ?? [];
  return policy === undefined ? [] : [{ policy, rule: "", message: message!.trim() }];
}

/** Terminals and event lists indent; YAML minds. What follows the list after an empty line is not part of it. */
function dedent(list: string): string {
  const lines = list.split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() !== "");
  const indent = /^\s*/.exec(lines[first] ?? "")![0].length;
  const cut = lines.slice(Math.max(first, 0)).map((line) => line.slice(Math.min(indent, /^\s*/.exec(line)![0].length)));
  const end = cut.findIndex((line, index) => line.trim() === "" && /^\S(?!.*:\s*$)/.test(cut[index + 1] ?? ""));
  return (end === -1 ? cut : cut.slice(0, end)).join("\n");
}
