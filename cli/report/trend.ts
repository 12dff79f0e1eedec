import { problem, readSaved } from "../cluster/saved";
import { type Report, type ReportImage, reportSchema, type Trend } from "./result";

const HOW = "image-signing-guard report --output json > today.json";

/** A report that was saved with `--output json`. */
export function readReport(file: string): Report {
  const parsed = reportSchema.safeParse(readSaved(file, "--since", HOW));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const found = `${file}, which is no report of this version (${issue?.path.join(".") || "top"}: ${issue?.message})`;
  throw problem("--since", found, "what report --output json wrote", `make one now: ${HOW}`);
}

/** What has changed between two reports about the same cluster. */
export function trendSince(before: Report, now: Report): Trend {
  const then = new Map(before.images.map((image) => [keyOf(image), image]));
  const today = new Map(now.images.map((image) => [keyOf(image), image]));
  const failedThen = before.images.filter(({ violation }) => violation);
  const bypassText = ({ namespace, workload, until }: Report["bypasses"][number]) =>
    `${namespace}/${workload} until ${until || "no time"}`;
  const running = (report: Report) => report.bypasses.filter(({ state }) => state === "running").map(bypassText);
  const runningThen = running(before);
  const runningNow = running(now);
  return {
    since: before.madeAt,
    percentBefore: before.summary.percent,
    newlyFailing: now.images.filter((image) => image.violation && !then.get(keyOf(image))?.violation).map(placeOf),
    fixed: failedThen.filter((image) => today.get(keyOf(image))?.state === "signed").map(placeOf),
    gone: failedThen.filter((image) => !today.has(keyOf(image))).map(placeOf),
    bypassesStarted: runningNow.filter((bypass) => !runningThen.includes(bypass)),
    bypassesOver: runningThen.filter((bypass) => !runningNow.includes(bypass)),
  };
}

const keyOf = ({ image, namespace }: ReportImage) => `${namespace}\n${image}`;
const placeOf = ({ image, namespace }: ReportImage) => ({ image, namespace });
