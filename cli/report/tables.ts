import type { Report, ReportImage, State } from "./result";

/** The report's tables, the same in every format. */
export const TABLES = ["images", "namespaces", "policies", "bypasses"] as const;
export type TableName = (typeof TABLES)[number];

export interface Cell {
  readonly text: string;
  /** For people, where the text is long. */
  readonly short?: string;
  /** What it is ordered by, where that is not its text. */
  readonly order?: number;
  /** How it looks, where a format can show that; the text alone says the same. */
  readonly tone?: "good" | "bad" | "warn" | "quiet";
}

export interface Table {
  readonly name: TableName;
  readonly title: string;
  readonly header: readonly string[];
  /** The column that says what a row is about. */
  readonly rowName: string;
  readonly rows: readonly (readonly Cell[])[];
  /** What a reader needs to know of the words in it. */
  readonly note?: string;
  /** Shown instead of an empty table. */
  readonly none: string;
}

export const STATE_NAMES: Record<State, string> = {
  notSigned: "not signed",
  noSigner: "no signer",
  cannotTell: "cannot tell",
  notJudged: "not judged",
  signed: "signed",
};

export const shown = ({ text, short = text }: Cell): string => short;

export function tablesOf(report: Report): Table[] {
  return [images(report), namespaces(report), policies(report), bypasses(report)];
}

const say = (text: string, tone?: Cell["tone"]): Cell => ({ text, ...(tone ? { tone } : {}) });
const number = (value: number, tone?: Cell["tone"]): Cell => ({
  ...say(String(value), value > 0 ? tone : "quiet"),
  order: value,
});
/** A digest is known by its first characters. */
const imageCell = (image: string): Cell => {
  const short = image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1…");
  return short === image ? say(image) : { text: image, short };
};
const percentCell = (percent: number | null): Cell =>
  percent === null
    ? { text: "-", order: -1, tone: "quiet" }
    : { text: `${percent}%`, order: percent, tone: percent === 100 ? "good" : "bad" };

/** The one way in which a report for people writes a time; what is none stays as it is. */
export function minute(time: string): string {
  const at = /^\d{4}-\d\d-\d\dT/.test(time) ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at)
    ? time
    : new Date(at)
        .toISOString()
        .replace(/:\d\d\.\d+Z$/, " UTC")
        .replace("T", " ");
}

/** Kyverno scans each object about once an hour; what is older by some hours nobody looks at any more. */
const STALE_HOURS = 4;

function timeCell(time: string | undefined): Cell {
  return time ? { text: time, short: minute(time) } : say("-", "quiet");
}

function hoursSince(time: string, now: string): number {
  return Math.floor((Date.parse(now) - Date.parse(time)) / 3_600_000);
}

function scannedCell(scannedAt: string | undefined, madeAt: string): Cell {
  const hours = scannedAt ? hoursSince(scannedAt, madeAt) : 0;
  if (!scannedAt || hours < STALE_HOURS) return timeCell(scannedAt);
  return { text: scannedAt, short: `${minute(scannedAt)}, ${hours} h old`, tone: "warn" };
}

/** What must be signed, and how much of it is: the fraction behind the percentage. */
export function shareOf(images: readonly ReportImage[]): { signed: number; wanted: number } {
  const signed = images.filter(({ state }) => state === "signed").length;
  const open = images.filter(({ state, violation }) => state !== "signed" && (violation || state === "cannotTell"));
  return { signed, wanted: signed + open.length };
}

/** What to do about it, the most urgent first. */
export function nextSteps({ summary, images: all, policies: plans, madeAt }: Report): string[] {
  const { violations, bypasses: b, images: counts, percent } = summary;
  const failing =
    all.find(({ violation, bypassed }) => violation && !bypassed) ?? all.find(({ violation }) => violation);
  const stale = all.filter(({ scannedAt }) => scannedAt && hoursSince(scannedAt, madeAt) >= STALE_HOURS).length;
  const steps = [
    failing
      ? `See what is wrong with each violation and sign it: image-signing-guard check ${failing.image} --stack STACK -n ${failing.namespace}`
      : "",
    b.ended + b.invalid > 0
      ? "Take away the bypasses that are over: image-signing-guard bypass list, then bypass revoke"
      : "",
    counts.cannotTell > 0 || stale > 0
      ? `Find out why ${counts.cannotTell > 0 ? "images can't be told" : `${stale} scans are ${STALE_HOURS} hours old or more`}: image-signing-guard doctor --stack STACK`
      : "",
    violations === 0 && percent === 100 && plans.some(({ mode }) => mode === "audit")
      ? "All is signed. Before enforcing more, see what would be refused: image-signing-guard impact --stack STACK"
      : "",
  ].filter(Boolean);
  return steps.length > 0 ? steps : ["Nothing to do. Look again after the next change."];
}

const WHEN_NOTE =
  "When: running, a pod has it now; next, the workload's next pod will have it; scheduled, a schedule will start it; rollback, only a rollback would.";

function images({ images: all, madeAt }: Report): Table {
  return {
    name: "images",
    title: "Images",
    rowName: "IMAGE",
    header: ["STATE", "IMAGE", "NAMESPACE", "WORKLOADS", "PODS", "WHEN", "DETAIL", "SCANNED"],
    none: "Nothing in the cluster makes pods.",
    rows: all.map((image) => [
      stateCell(image),
      imageCell(image.image),
      say(image.namespace),
      say(image.workloads.join(", ")),
      number(image.pods),
      say(image.when.join(", ")),
      say(image.detail),
      scannedCell(image.scannedAt, madeAt),
    ]),
    note: WHEN_NOTE,
  };
}

function stateCell({ state, violation, bypassed }: ReportImage): Cell {
  const text = bypassed && state !== "signed" ? `${STATE_NAMES[state]}, bypassed` : STATE_NAMES[state];
  if (violation) return say(text, bypassed ? "warn" : "bad");
  return say(text, state === "signed" ? "good" : state === "cannotTell" ? "warn" : "quiet");
}

function namespaces({ namespaces: all }: Report): Table {
  return {
    name: "namespaces",
    title: "Namespaces",
    rowName: "NAMESPACE",
    header: ["NAMESPACE", "MODE", "SIGNED", "WORKLOADS", "NOT SIGNED", "NO SIGNER", "CANNOT TELL", "NOT JUDGED"],
    none: "No namespace has a workload.",
    rows: all.map(({ name, mode, percent, workloads, images: counts }) => [
      say(name),
      say(mode, mode === "enforce" ? "good" : mode === "none" ? "quiet" : undefined),
      percentCell(percent),
      number(workloads),
      number(counts.notSigned, "bad"),
      number(counts.noSigner),
      number(counts.cannotTell, "warn"),
      number(counts.notJudged),
    ]),
  };
}

function policies({ policies: all }: Report): Table {
  return {
    name: "policies",
    title: "Policies",
    rowName: "POLICY",
    header: ["POLICY", "MODE", "READY", "PASS", "FAIL", "ERROR", "SKIP", "SCANS"],
    none: "There is no policy.",
    rows: all.map(({ name, mode, ready, background, results }) => [
      say(name),
      say(mode, mode === "enforce" ? "good" : undefined),
      say(ready ? "yes" : "no", ready ? "good" : "bad"),
      number(results.pass),
      number(results.fail + results.warn, "bad"),
      number(results.error, "warn"),
      number(results.skip),
      say(background ? "yes" : "requests only", background ? undefined : "quiet"),
    ]),
  };
}

function bypasses({ bypasses: all }: Report): Table {
  const tones = { running: "warn", ended: "bad", invalid: "bad" } as const;
  return {
    name: "bypasses",
    title: "Bypasses",
    rowName: "WORKLOAD",
    header: ["STATE", "NAMESPACE", "WORKLOAD", "POLICIES", "UNTIL", "REASON", "IMAGES", "PODS"],
    none: "Nobody bypasses anything.",
    rows: all.map(({ state, namespace, workload, policies: names, until, reason, images: list, pods }) => [
      say(state, tones[state]),
      say(namespace),
      say(workload),
      say(names.join(", ")),
      until ? timeCell(until) : say("-"),
      say(reason || "-"),
      imageCell(list.join(", ")),
      number(pods),
    ]),
  };
}

/** The report in a few sentences, for the head of every format. */
export function headline({ summary, images: all, trend }: Report): string {
  const { percent, images: counts, violations, bypasses: b } = summary;
  const share = shareOf(all);
  const signed =
    percent === null
      ? "No image is demanded to be signed."
      : `${percent}% of what must be signed is signed (${share.signed} of ${share.wanted}).`;
  const parts = [
    `${violations} ${violations === 1 ? "violation" : "violations"}`,
    `${counts.cannotTell} cannot be told`,
    `${counts.notJudged} not judged`,
    `${b.running} running and ${b.ended + b.invalid} ended or invalid bypasses`,
  ];
  const before = trend ? ` Before: ${trend.percentBefore === null ? "none" : `${trend.percentBefore}%`}.` : "";
  return `${signed}${before} ${parts.join(", ")}.`;
}

export function trendLines({ trend }: Report): string[] {
  if (!trend) return [];
  const line = (name: string, items: readonly string[]) =>
    items.length > 0 ? [`${name}: ${items.slice(0, 20).join(", ")}${items.length > 20 ? ", ..." : ""}`] : [];
  const place = ({ image, namespace }: { image: string; namespace: string }) => `${image} in ${namespace}`;
  const lines = [
    ...line("newly failing", trend.newlyFailing.map(place)),
    ...line("signed since", trend.fixed.map(place)),
    ...line("failing images gone", trend.gone.map(place)),
    ...line("bypasses begun", trend.bypassesStarted),
    ...line("bypasses over", trend.bypassesOver),
  ];
  return lines.length > 0 ? lines : ["nothing has changed"];
}
