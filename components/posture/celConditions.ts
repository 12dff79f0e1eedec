import { globToRegex } from "../globs";
import { text } from "./cel";

/** A condition that has no counterpart in CEL, for the reader of the configuration. */
export interface Untranslatable {
  readonly found: string;
  readonly fix: string;
}

/**
 * Conditions of an attestation, as an expression over its predicate; or the first part that can't be said in CEL. As in Kyverno
 * every block must hold, of `any` one line and of `all` each. A field that is not there fulfils nothing.
 */
export function conditionsToCel(
  conditions: readonly Record<string, unknown>[],
  predicate: string,
): string | Untranslatable {
  const blocks: string[] = [];
  for (const block of conditions) {
    const unknown = Object.keys(block).find((key) => key !== "any" && key !== "all");
    if (unknown) return { found: `a block with ${unknown}`, fix: "write any and all, each with a list of conditions" };
    for (const [kind, join] of [
      ["all", " && "],
      ["any", " || "],
    ] as const) {
      const lines = block[kind];
      if (lines === undefined) continue;
      if (!Array.isArray(lines) || lines.length === 0) return { found: `${kind} without a list`, fix: "write a list" };
      const parts = lines.map((line) => lineToCel(line, predicate));
      const broken = parts.find((part) => typeof part !== "string");
      if (broken) return broken as Untranslatable;
      blocks.push(`(${parts.join(join)})`);
    }
  }
  return blocks.join(" && ");
}

const KEY = /^\{\{\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*\}\}$/;
const KNOWN_FIELDS = ["key", "operator", "value", "message"];

function lineToCel(line: unknown, predicate: string): string | Untranslatable {
  const { key, operator, value, ...rest } = (line ?? {}) as Record<string, unknown>;
  const more = Object.keys(rest).find((name) => !KNOWN_FIELDS.includes(name));
  if (more) return { found: `a condition with ${more}`, fix: "write key, operator and value" };
  const [, path] = KEY.exec(String(key)) ?? [];
  if (path === undefined)
    return {
      found: `the key ${JSON.stringify(key)}`,
      fix: "name one field of the predicate, such as {{ builder.id }}: functions and filters of JMESPath have no counterpart here",
    };
  const test = OPERATORS[String(operator)]?.(value);
  if (test === undefined)
    return {
      found: `the operator ${JSON.stringify(operator)} with the value ${JSON.stringify(value)}`,
      fix: "write Equals or NotEquals with a text, number or boolean; In, AnyIn, NotIn or AnyNotIn with a list of texts; GreaterThan, GreaterThanOrEquals, LessThan or LessThanOrEquals with a number",
    };
  const field = path
    .split(".")
    .map((name) => `.?${name}`)
    .join("");
  return `${predicate}${field}.optMap(v, ${test}).orValue(false)`;
}

/** Texts may have Kyverno's wildcards; a field of another type is another value. */
function equals(value: unknown): string | undefined {
  if (typeof value === "boolean") return `(type(v) == bool && v == ${value})`;
  if (typeof value === "number") return `(${IS_NUMBER} && double(v) == ${number(value)})`;
  if (typeof value === "string" && !/\{\{/.test(value))
    return `(type(v) == string && v.matches(${text(`^${globToRegex(value)}$`)}))`;
  return undefined;
}

const IS_NUMBER = "(type(v) == int || type(v) == uint || type(v) == double)";
const number = (value: number) => (Number.isInteger(value) ? `${value}.0` : String(value));

function isIn(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const parts = value.map((one) => (typeof one === "string" ? equals(one) : undefined));
  return parts.includes(undefined) ? undefined : `(${parts.join(" || ")})`;
}

const not = (test: string | undefined) => (test === undefined ? undefined : `!(${test})`);
const compared = (sign: string) => (value: unknown) =>
  typeof value === "number" ? `(${IS_NUMBER} && double(v) ${sign} ${number(value)})` : undefined;

const OPERATORS: Record<string, (value: unknown) => string | undefined> = {
  Equals: equals,
  NotEquals: (value) => not(equals(value)),
  In: isIn,
  AnyIn: isIn,
  NotIn: (value) => not(isIn(value)),
  AnyNotIn: (value) => not(isIn(value)),
  GreaterThan: compared(">"),
  GreaterThanOrEquals: compared(">="),
  LessThan: compared("<"),
  LessThanOrEquals: compared("<="),
};
