import { chartValueChanges } from "../../components/posture/comparison/chartValues";
import { checkPosture } from "../../components/posture/comparison/read";
import type { Change, Comparison } from "../../components/posture/comparison/result";
import { type Part, parts } from "../../components/posture/comparison/words";
import type { Posture } from "../../components/posture/types";
import { GUARD_TYPE } from "../../components/settings";

interface State {
  readonly inputs?: { readonly posture?: unknown; readonly values?: unknown };
}

interface Step {
  readonly op?: string;
  readonly urn?: string;
  readonly oldState?: State;
  readonly newState?: State;
}

interface Preview {
  readonly config?: Record<string, unknown>;
  readonly steps?: readonly Step[];
  readonly diagnostics?: readonly { readonly severity?: string; readonly urn?: string; readonly message?: string }[];
  readonly changeSummary?: Record<string, number>;
}

/** Reads what `pulumi preview --json` printed. `stack` is what the caller believes it to be of. */
export function readPreview(text: string, stack?: string): Comparison {
  const document = parse(text);
  const name = stack ?? "unknown";
  if (Array.isArray(document)) return { stack: name, lacks: [], failed: [document] };
  const steps = document.steps ?? [];
  const previewed = urnParts(steps.find(({ urn }) => urn)?.urn)?.stack;
  const comparison = { stack: stack ?? previewed ?? name, lacks: [] as Part[][], failed: failures(document) };
  if (stack !== undefined && previewed !== undefined && !sameStack(stack, previewed))
    comparison.failed.push(parts`the preview is of the stack ${previewed}`);
  const guards = steps.filter(({ urn }) => urnParts(urn)?.type === GUARD_TYPE);
  if (comparison.failed.length > 0 && guards.length === 0) return comparison;
  if (guards.length === 0) return withoutGuard(document, comparison);
  return compareStates(guards, comparison, valueNotes(steps));
}

function parse(text: string): Preview | Part[] {
  if (text.trim() === "") return ["the preview printed nothing: it failed before it began; see its log"];
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return [
      "the preview's JSON is broken or only half of it arrived: it was interrupted, or other output got in between",
    ];
  }
  const isPreview =
    document !== null &&
    typeof document === "object" &&
    Array.isArray((document as Preview).steps ?? []) &&
    ("steps" in document || "diagnostics" in document || "changeSummary" in document);
  return isPreview
    ? (document as Preview)
    : ["this JSON is no preview: use the output of ", { value: "pulumi preview --json" }];
}

/** Errors by where they are. Their text may hold anything, so only the guard's own is repeated. */
function failures({ diagnostics }: Preview): Part[][] {
  const errors = (diagnostics ?? []).filter(({ severity }) => severity === "error");
  const lines = errors.flatMap(({ urn, message }): Part[][] => {
    const own = guardProblems(message ?? "");
    if (own.length > 0) return own.map((problem) => parts`the preview failed: ${problem}`);
    const resource = urnParts(urn);
    return [
      resource
        ? parts`the preview failed at ${resource.name} (${resource.type}); see its log`
        : ["the preview failed; see its log"],
    ];
  });
  return unique(lines);
}

const GUARD_HEADING = /The guard's configuration has (?:a problem|\d+ problems):\n/;

/** `key: found X; allowed Y` of each problem in a message of ours, whose values are safe to print. */
function guardProblems(message: string): string[] {
  const [, list] = message.split(GUARD_HEADING);
  if (list === undefined) return [];
  const blocks = list.matchAll(/^ {2}(\S.*)\n {4}found: +(.*)\n {4}allowed: +(.*)$/gm);
  return [...blocks].map(([, key, found, allowed]) => `${key}: found ${found}, allowed ${allowed}`);
}

function withoutGuard(document: Preview, comparison: Comparison): Comparison {
  const steps = document.steps ?? [];
  const traces =
    steps.some(({ urn }) => urn?.includes(`${GUARD_TYPE}$`)) ||
    Object.keys(document.config ?? {}).some((key) => key.startsWith("image-signing-guard:"));
  // The engine leaves out what does not change, unless it is told to show it.
  const hides = (document.changeSummary?.same ?? 0) > steps.filter(({ op }) => op === "same").length;
  if (hides && traces) return { ...comparison, untouched: true };
  if (hides) {
    const reason =
      "the preview does not mention the guard: it is unchanged, or this is another project; run the preview with ";
    return { ...comparison, failed: [[reason, { value: "--show-sames" }]] };
  }
  return { ...comparison, failed: [["no guard in this preview: it is of another project"]] };
}

/** A replacement has several steps; what was is in the first, what will be in the last. */
function compareStates(guards: readonly Step[], comparison: Comparison, values: readonly Change[]): Comparison {
  const olds = unique(guards.filter(({ oldState }) => oldState).map(({ urn }) => urn!));
  const news = unique(guards.filter(isMade).map(({ urn }) => urn!));
  if (olds.length > 1 || news.length > 1) {
    const names = unique([...olds, ...news]).map((urn) => urnParts(urn)!.name);
    return { ...comparison, lacks: [parts`the stack has more than one guard: ${names.join(", ")}`] };
  }
  const old = guards.find(({ oldState }) => oldState)?.oldState;
  const made = guards.filter(isMade).at(-1);
  const before = old && postureOf(old, "before");
  const after = made && postureOf(made.newState, "after");
  const renamed = olds[0] !== undefined && news[0] !== undefined && olds[0] !== news[0];
  return {
    ...comparison,
    notes: [...(renamed ? [renaming(olds[0]!, news[0]!)] : []), ...values],
    lacks: [...lacksOf(before), ...lacksOf(after)],
    ...(before && "posture" in before ? { before: before.posture } : {}),
    ...(after && "posture" in after ? { after: after.posture } : {}),
  };
}

/** Without an alias the engine takes another name for another thing. */
function renaming(from: string, to: string): Change {
  const names = parts`from ${urnParts(from)!.name} to ${urnParts(to)!.name}`;
  return { about: "renamed", strength: "none", text: [...names, ": everything is deleted and created again"] };
}

const RELEASE_TYPE = "kubernetes:helm.sh/v3:Release";

/** What of the guard's releases changes that the posture does not hold. */
function valueNotes(steps: readonly Step[]): Change[] {
  return steps
    .filter(({ urn }) => urn?.includes(`${GUARD_TYPE}$`) && urnParts(urn)?.type === RELEASE_TYPE)
    .flatMap(({ oldState, newState }) => chartValueChanges(oldState?.inputs?.values, newState?.inputs?.values));
}

function isMade({ op, newState }: Step): boolean {
  return newState !== undefined && op !== "delete" && op !== "delete-replaced";
}

type Side = { posture: Posture } | { lacks: Part[][] };

function postureOf(state: State | undefined, side: "before" | "after"): Side {
  const value = state?.inputs?.posture;
  const checked = value === undefined ? { lacks: [parts`${"posture"} is missing`] } : checkPosture(value);
  return "posture" in checked ? checked : { lacks: checked.lacks.map((line): Part[] => [`${side}: `, ...line]) };
}

function lacksOf(side: Side | undefined): Part[][] {
  return side && "lacks" in side ? side.lacks : [];
}

/** urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME */
function urnParts(urn: string | undefined): { stack: string; type: string; name: string } | undefined {
  const [head, , types, ...name] = urn?.split("::") ?? [];
  if (!head?.startsWith("urn:pulumi:") || types === undefined) return undefined;
  return { stack: head.slice("urn:pulumi:".length), type: types.split("$").at(-1)!, name: name.join("::") };
}

/** `acme/website/prod` is what `prod` is called from elsewhere. */
function sameStack(given: string, previewed: string): boolean {
  return given === previewed || given.split("/").at(-1) === previewed;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
