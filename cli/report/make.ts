import { POLICY_REPORTS, SCAN_REPORTS } from "../../components/kubernetes/resources";
import { isJudge } from "../../components/policies/names";
import { withoutAbsent } from "../cluster/evidence";
import { type DeployedPolicy, readPolicies } from "../cluster/policies";
import { type Gap, type ObjectSource, readAll, rightsFix } from "../cluster/source";
import { readUsages, type Usage, WHEN } from "../cluster/workloads";
import {
  type Report,
  type ReportBypass,
  type ReportImage,
  type ReportNamespace,
  type ReportPolicy,
  STATES,
  type State,
} from "./result";
import { minute, shareOf } from "./tables";
import { type Known, modeOf, Tally } from "./tally";

/** What Kyverno says about everything that is in the cluster. */
export async function makeReport(source: ObjectSource, namespaces: readonly string[], now: Date): Promise<Report> {
  const { policies, gaps: policyGaps } = await readPolicies(source);
  if (policies.length === 0) throw nothingToReport(policyGaps, source);
  const tally = new Tally(policies);
  const read = (resource: typeof SCAN_REPORTS, counted: boolean) =>
    readAll(source, resource, namespaces, (page) => {
      for (const report of page) tally.add(report, counted);
    });
  const scanGaps = withoutAbsent(await read(SCAN_REPORTS, true));
  const wholeRows = tally.rows > 0;
  const reportGaps = await read(POLICY_REPORTS, !wholeRows);
  const { usages, gaps } = await readUsages(source, namespaces, now);

  const images = imagesOf(usages, tally, policies);
  const bypasses = bypassesOf(usages);
  const notRead = [...scanGaps, ...reportGaps, ...gaps];
  return {
    version: 1,
    kind: "report",
    source: source.name,
    madeAt: now.toISOString(),
    summary: {
      percent: percentOf(images),
      workloads: new Set(usages.map(workloadKey)).size,
      images: perState(images),
      violations: images.filter(({ violation }) => violation).length,
      bypasses: {
        running: bypasses.filter(({ state }) => state === "running").length,
        ended: bypasses.filter(({ state }) => state === "ended").length,
        invalid: bypasses.filter(({ state }) => state === "invalid").length,
      },
    },
    images,
    namespaces: namespacesOf(usages, images, policies),
    policies: policies.map((policy) => policyOf(policy, tally)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    bypasses,
    notRead,
    limits: limitsOf(tally, wholeRows, notRead),
  };
}

function nothingToReport(gaps: readonly Gap[], source: ObjectSource): Error {
  const [gap] = gaps;
  const fix = rightsFix(gaps);
  if (fix) return new Error(`${gap!.message}\nWhoever administers the cluster can give the right: ${fix}`);
  if (gap) return new Error(`${gap.message}: Kyverno is not installed, or its policies were left out`);
  return new Error(`no policy of this guard is in ${source.name}; run pulumi up, or choose another --context`);
}

const workloadText = ({ owner }: Usage) => `${owner.kind}/${owner.name}`;
const workloadKey = (usage: Usage) => `${usage.namespace}\n${workloadText(usage)}`;

function imagesOf(usages: readonly Usage[], tally: Tally, policies: readonly DeployedPolicy[]): ReportImage[] {
  const groups = groupBy(usages, ({ namespace, image, reference }) => `${namespace}\n${reference ?? image}`);
  const judging = policies.filter(({ role }) => isJudge(role));
  return groups.map((group) => imageOf(group, knownOf(group, tally, judging))).sort(worstFirst);
}

/** Where no policy demands a signature, as in Kyverno's own namespace, nobody lacks a signer. */
function knownOf(
  [usage]: readonly Usage[],
  tally: Tally,
  judging: readonly DeployedPolicy[],
): Known | { readonly detail: string } | undefined {
  const { namespace, image, reference = image } = usage!;
  const known = tally.of(namespace, reference);
  const demanded = judging.length === 0 || modeOf(judging, namespace) !== "none";
  return known?.state === "noSigner" && !demanded ? { detail: "no policy demands signatures here" } : known;
}

function imageOf(group: readonly Usage[], found: Known | { readonly detail: string } | undefined): ReportImage {
  const { namespace, image, reference = image, place } = group[0]!;
  const known = found && "state" in found ? found : undefined;
  const uses = group.flatMap((usage) => usage.uses);
  return {
    image: reference,
    namespace,
    state: known?.state ?? "notJudged",
    violation: known?.violation ?? false,
    bypassed: group.some(({ bypass }) => bypass?.state === "running"),
    workloads: [...new Set(group.map(workloadText))].sort(),
    pods: sum(uses.filter(({ when }) => when === "running").map(({ count }) => count)),
    when: WHEN.filter((when) => uses.some((use) => use.when === when)),
    ...(known ? { policy: known.policy } : {}),
    detail: found?.detail ?? (place === "volume" ? "a volume, which Kyverno does not look at" : "no report names it"),
    ...(known?.at ? { scannedAt: new Date(known.at * 1000).toISOString() } : {}),
  };
}

function worstFirst(a: ReportImage, b: ReportImage): number {
  const rank = ({ violation, state }: ReportImage) => (violation ? -1 : STATES.indexOf(state));
  const text = ({ image, namespace }: ReportImage) => `${image}\n${namespace}`;
  return rank(a) - rank(b) || (text(a) < text(b) ? -1 : 1);
}

function perState(images: readonly ReportImage[]): Record<State, number> {
  const of = (state: State) => images.filter((image) => image.state === state).length;
  return Object.fromEntries(STATES.map((state) => [state, of(state)])) as Record<State, number>;
}

/** Of what must be signed; rounded down, so that 100 means all. */
function percentOf(images: readonly ReportImage[]): number | null {
  const { signed, wanted } = shareOf(images);
  return wanted === 0 ? null : Math.floor((100 * signed) / wanted);
}

function namespacesOf(
  usages: readonly Usage[],
  images: readonly ReportImage[],
  policies: readonly DeployedPolicy[],
): ReportNamespace[] {
  const workloads = new Map(
    groupBy(usages, ({ namespace }) => namespace).map((group) => [
      group[0]!.namespace,
      new Set(group.map(workloadText)).size,
    ]),
  );
  return groupBy(images, ({ namespace }) => namespace)
    .map((group): ReportNamespace => {
      const name = group[0]!.namespace;
      return {
        name,
        mode: modeOf(policies, name),
        percent: percentOf(group),
        workloads: workloads.get(name) ?? 0,
        images: perState(group),
      };
    })
    .sort((a, b) => (a.percent ?? 101) - (b.percent ?? 101) || (a.name < b.name ? -1 : 1));
}

function policyOf(policy: DeployedPolicy, tally: Tally): ReportPolicy {
  const { name, role, action, ready, background } = policy;
  return { name, role, mode: action, ready, background, results: tally.results(name) };
}

function bypassesOf(usages: readonly Usage[]): ReportBypass[] {
  const bypassed = usages.filter(({ bypass }) => bypass);
  const key = (usage: Usage) =>
    [workloadKey(usage), usage.bypass!.state, usage.bypass!.until, ...usage.bypass!.policies].join("\n");
  return groupBy(bypassed, key)
    .map((group): ReportBypass => {
      const { namespace, bypass } = group[0]!;
      const { policies, state, until, reason } = bypass!;
      const pods = group.map(({ uses }) => sum(uses.filter(({ when }) => when === "running").map((use) => use.count)));
      return {
        namespace,
        workload: workloadText(group[0]!),
        policies,
        state,
        until,
        reason,
        images: [...new Set(group.map(({ image, reference = image }) => reference))].sort(),
        // A pod with several images is in several usages.
        pods: Math.max(...pods),
      };
    })
    .sort((a, b) => text(a).localeCompare(text(b)));
}

const ORDER = ["ended", "invalid", "running"];
const text = ({ state, namespace, workload }: ReportBypass) => `${ORDER.indexOf(state)}${namespace}/${workload}`;

function limitsOf(tally: Tally, wholeRows: boolean, notRead: readonly Gap[]): string[] {
  const limits = [
    "Refused requests leave no report: their number is in Kyverno's metric kyverno_policy_results_total, their text in events on the policies.",
    wholeRows
      ? "Verdicts come from BackgroundScanReports, which have a row for each image. PolicyReports keep one row for each policy, rule and object, so tools that read those can show less."
      : "There were no BackgroundScanReports to read, only PolicyReports: those keep one row for each policy, rule and object, so in pods with several images some are not judged here, and the policies' counts are too low.",
    tally.newest > 0
      ? `Kyverno scans in the background, each object about once an hour: the rows are from ${iso(tally.oldest)} to ${iso(tally.newest)}. What was signed or deployed since is not in them.`
      : "Kyverno has not scanned anything yet; ask again in a few minutes.",
    '"Not judged" is what no row names: not scanned yet, exempt, a finished scan of another image, or a namespace that no policy looks at.',
    "Rows that only repeat the annotation kyverno.io/verify-images are left out: anybody who creates pods can write it.",
    "Who granted a bypass is in the API server's audit log only. guard-image-bypass and the debug policies look at requests and leave no rows.",
  ];
  if (tally.staleRows > 0)
    limits.push(`${tally.staleRows} rows are older than their policy's last change and were left out.`);
  const fix = rightsFix(notRead);
  if (fix) limits.push(`Rights lack, so something is missing here. The administrator can give them: ${fix}`);
  return limits;
}

const iso = (seconds: number) => minute(new Date(seconds * 1000).toISOString());

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
