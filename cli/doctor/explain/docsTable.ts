import { KNOWN_REFUSALS } from "../../refusals/causes";

export const TABLE_BEGIN = "<!-- written from cli/refusals/refusals.json -->";
export const TABLE_END = "<!-- end -->";

/** The table of docs/troubleshooting.md. */
export function refusalTable(): string {
  const rows = KNOWN_REFUSALS.map(({ shown, meaning, todo }) => `| ${shown} | ${meaning} | ${todo} |`);
  return [TABLE_BEGIN, "| message contains | meaning | what to do |", "|---|---|---|", ...rows, TABLE_END].join("\n");
}
