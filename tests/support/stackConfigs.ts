/**
 * What Pulumi makes of a project's and a stack's file. A line is a rule; tests/engine asks Pulumi itself about the same
 * lines. Values are what a program gets: texts, blocks for JSON, `null` where the key is absent.
 */
export interface StackConfigCase {
  readonly rule: string;
  /** Below `config:` of Pulumi.yaml. */
  readonly project?: string;
  /** Below `config:` of Pulumi.prod.yaml. */
  readonly stack?: string;
  readonly gives: Readonly<Record<string, unknown>>;
}

const G = "image-signing-guard";

const scalar = (written: string, text: string): StackConfigCase => ({
  rule: `${written} without quotes is the text ${JSON.stringify(text)}`,
  stack: `${G}:x: ${written}`,
  gives: { [`${G}:x`]: text },
});
const inBlock = (written: string, value: unknown): StackConfigCase => ({
  rule: `${written} in a block is ${JSON.stringify(value)}`,
  stack: `${G}:x: {y: ${written}}`,
  gives: { [`${G}:x`]: { y: value } },
});

export const STACK_CONFIGS: readonly StackConfigCase[] = [
  scalar("enforce", "enforce"),
  scalar("on", "on"),
  scalar("yes", "yes"),
  scalar("True", "true"),
  scalar("1.10", "1.1"),
  scalar("0123", "83"),
  scalar("0o17", "15"),
  scalar("0x1F", "31"),
  scalar("0b101", "5"),
  scalar("089", "89"),
  scalar("1_000", "1000"),
  scalar("-5", "-5"),
  scalar("+5", "5"),
  scalar("1e3", "1000"),
  scalar(".5", "0.5"),
  scalar("12:30", "12:30"),
  scalar("~", ""),
  scalar("", ""),
  scalar("null", ""),
  scalar("'1.10'", "1.10"),
  scalar("'null'", "null"),
  scalar("2026-12-01", "2026-12-01 00:00:00 +0000 UTC"),
  inBlock("on", "on"),
  inBlock("TRUE", true),
  inBlock("1.10", 1.1),
  inBlock("0123", 83),
  inBlock("~", null),
  inBlock("2026-12-01T18:00:00Z", "2026-12-01 18:00:00 +0000 UTC"),
  inBlock("2026-12-01T18:00:00.50+02:00", "2026-12-01 18:00:00.5 +0200 +0200"),
  inBlock("2026-1-2 3:4:5", "2026-01-02 03:04:05 +0000 UTC"),
  inBlock("2026-02-30", "2026-02-30"),
  inBlock("'2026-12-01T18:00:00Z'", "2026-12-01T18:00:00Z"),
  inBlock("!!str 1.10", "1.10"),
  inBlock("{1: a, true: b, ~: c}", { 1: "a", true: "b", "<nil>": "c" }),
  {
    rule: "JSON text, as pulumi config set stores it, stays text",
    stack: `${G}:x: '[{"name": "a"}]'`,
    gives: { [`${G}:x`]: [{ name: "a" }] },
  },
  {
    rule: "the old form of a key is the new one",
    stack: `${G}:config:x: a`,
    gives: { [`${G}:x`]: "a" },
  },
  {
    rule: "a key without namespace is the project's",
    stack: "x: a",
    gives: { "shop:x": "a", [`${G}:x`]: null },
  },
  {
    rule: "anchors and merges count",
    stack: `shop:a: &a {b: 1, c: 2}\n  ${G}:x: {<<: *a, c: 3}`,
    gives: { [`${G}:x`]: { b: 1, c: 3 } },
  },
  {
    rule: "a value of the project counts where the stack has none",
    project: `${G}:x: {value: a}`,
    gives: { [`${G}:x`]: "a" },
  },
  {
    rule: "the project's short form is a value",
    project: `${G}:x: a\n  ${G}:y: [a, b]\n  ${G}:z: 3\n  ${G}:w: true`,
    gives: { [`${G}:x`]: "a", [`${G}:y`]: ["a", "b"], [`${G}:z`]: "3", [`${G}:w`]: "true" },
  },
  {
    rule: "the stack's value counts before the project's, as a whole",
    project: `${G}:x: {value: {a: 1, b: 2}}`,
    stack: `${G}:x: {a: 3}`,
    gives: { [`${G}:x`]: { a: 3 } },
  },
  {
    rule: "an empty value of the stack is one",
    project: `${G}:x: a`,
    stack: `${G}:x: ""`,
    gives: { [`${G}:x`]: "" },
  },
  {
    rule: "the project's own keys have defaults",
    project: "x: {type: string, default: a}\n  shop:y: {default: b}",
    gives: { "shop:x": "a", "shop:y": "b" },
  },
  {
    rule: "a dot in the project's key is a path into the stack's value",
    project: `${G}:x.a: 3\n  ${G}:x.b: "true"\n  ${G}:x.c: {value: {d: [1]}}`,
    stack: `${G}:x: {a: 1, e: 2}`,
    gives: { [`${G}:x`]: { a: 1, e: 2, b: true, c: { d: [1] } } },
  },
  {
    rule: "a path of the project makes the block that is not there",
    project: `${G}:x.a[0].b: v`,
    gives: { [`${G}:x`]: { a: [{ b: "v" }] } },
  },
  {
    rule: "a path of the project writes over a text of the stack",
    project: `${G}:x.a: 3`,
    stack: `${G}:x: '{"b": 1}'`,
    gives: { [`${G}:x`]: { a: 3 } },
  },
  {
    rule: "a dot in the stack's key is part of its name",
    stack: `${G}:x.a: 3`,
    gives: { [`${G}:x.a`]: "3", [`${G}:x`]: null },
  },
  {
    rule: "a time without quotes in the project's file stays a time of RFC 3339",
    project: `${G}:x: {value: [{until: 2026-12-01T18:00:00Z}]}`,
    gives: { [`${G}:x`]: [{ until: "2026-12-01T18:00:00Z" }] },
  },
  {
    rule: "a byte order mark is nothing",
    stack: `${G}:x: a`,
    gives: { [`${G}:x`]: "a" },
  },
];

/** Files that Pulumi refuses, with what it says; the command line refuses them too. */
export const REFUSED_CONFIGS: readonly (Omit<StackConfigCase, "gives"> & { readonly found: RegExp })[] = [
  {
    rule: "a block without value: in the project",
    project: `${G}:x: {production: [a]}`,
    found: /block with the key production/,
  },
  { rule: "a fraction in the project", project: `${G}:x: 1.10`, found: /the number 1.1/ },
  { rule: "nothing in the project", project: `${G}:x:`, found: /nothing/ },
  { rule: "default for another namespace", project: `${G}:x: {default: a}`, found: /no value/ },
  { rule: "default and value", project: `x: {default: a, value: b}`, found: /both default and value/ },
  { rule: "two colons in a key", stack: `${G}:x:y: a`, found: /several colons/ },
  { rule: "one key twice", stack: `${G}:x: a\n  ${G}:x: b`, found: /line 3/ },
  { rule: "broken YAML", stack: `${G}:x: [a`, found: /line \d/ },
];

/** The two files of a case. */
export function filesOf({ project, stack }: Pick<StackConfigCase, "project" | "stack">): Record<string, string> {
  const below = (config: string | undefined) => (config === undefined ? "" : `config:\n  ${config}\n`);
  return {
    "Pulumi.yaml": `name: shop\nruntime: nodejs\n${below(project)}`,
    "Pulumi.prod.yaml": below(stack),
  };
}
