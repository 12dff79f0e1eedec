import * as fs from "node:fs";
import * as path from "node:path";
import type { Usage } from "./controller";
import type { Machine } from "./machine";
import { latencyPicture } from "./picture";
import { type AdmissionResult, type AdmissionRow, load, type Results, type Saved } from "./results";
import { ratio, type Spread } from "./stats";
import { variants } from "./variants";

const docs = path.join(__dirname, "..", "docs");

/** The files that are made from the saved results, by path below docs/. */
export function report(): Record<string, string> {
  const results = {
    admission: load("admission"),
    entries: load("entries"),
    others: load("others"),
    load: load("load"),
    pulumi: load("pulumi"),
  };
  const missing = Object.entries(results).filter(([, result]) => result === undefined);
  if (missing.length === Object.keys(results).length)
    throw new Error("bench/results is empty; run npm run bench first");
  return {
    "performance.md": page(results),
    ...(results.admission ? { "images/performance.svg": latencyPicture(results.admission) } : {}),
  };
}

export function writeReport(): void {
  for (const [name, text] of Object.entries(report())) {
    fs.mkdirSync(path.dirname(path.join(docs, name)), { recursive: true });
    fs.writeFileSync(path.join(docs, name), text);
  }
}

type All = { readonly [Name in keyof Results]: Saved<Results[Name]> | undefined };

function page({ admission, entries, others, load: loaded, pulumi }: All): string {
  return [
    "# Performance",
    "",
    "Written by `npm run bench`, which measures and keeps what it measured in `bench/results`.",
    ...(admission ? ["", ...admissionPart(admission)] : []),
    ...(entries ? ["", ...entriesPart(entries)] : []),
    ...(others ? ["", ...othersPart(others)] : []),
    ...(loaded ? ["", ...loadPart(loaded)] : []),
    ...(pulumi ? ["", ...pulumiPart(pulumi)] : []),
    "",
  ].join("\n");
}

function admissionPart(result: Saved<AdmissionResult>): string[] {
  const { rows, rounds } = result;
  const failed = rows.reduce((sum, { failed: f }) => sum + f.none + f.stock + f.hand + f.guard, 0);
  const requests = rows.reduce((sum, { samples }) => sum + variants.length * samples, 0);
  const shape = ({ kind, containers, parallel }: AdmissionRow) => `${kind} of ${containers}, ${parallel} at once`;
  return [
    "## Admission",
    "",
    "![Time to admit a pod, by containers and pods at once](images/performance.svg)",
    "",
    "How long the API server takes to answer the creation (server-side dry run) of a Pod or a Deployment whose images are all",
    "signed, each container with an image of its own, in a production namespace of the prod stack. The hand-written rule is",
    "Kyverno's documented `verifyImages` rule with the same identity and anchors, and nothing else: it does not guard against a",
    "forged verdict, nor look at images that nobody signs. It is measured on the chart as it comes and on the guard's chart values.",
    "Milliseconds, p50 / p95 / p99:",
    "",
    ...table(
      ["what", "no policy", "hand-written, stock chart", "hand-written, our chart", "this package", "by stock"],
      rows.map((row) => [
        shape(row),
        ...variants.map((variant) => milliseconds(row.latency[variant])),
        times(row.latency.guard, row.latency.stock),
      ]),
    ),
    "",
    "What a request costs the admission controller: CPU in milliseconds, megabytes allocated, calls of its webhooks, rules with",
    "a result.",
    "",
    ...table(
      [
        "what",
        "hand-written, stock chart",
        "hand-written, our chart",
        "this package",
        "CPU by stock",
        "CPU by our chart",
      ],
      rows.map((row) => [
        shape(row),
        cost(row.usage.stock),
        cost(row.usage.hand),
        cost(row.usage.guard),
        (row.usage.guard.cpuMs / row.usage.stock.cpuMs).toFixed(2),
        (row.usage.guard.cpuMs / row.usage.hand.cpuMs).toFixed(2),
      ]),
    ),
    "",
    "Kyverno 1.10 keeps no verdicts, so every image is read from the registry again; here that is a local one, and yours adds its",
    "round trips for each image.",
    "",
    `All four take turns on the same Kyverno, ${rounds} rounds, each round beginning with another one, after three requests that do`,
    `not count. ${requests} requests, ${failed === 0 ? "all of them admitted" : `${failed} of them not admitted`}.`,
    "",
    ...measuredOn(result),
  ];
}

const cost = ({ cpuMs, allocatedMB, calls, results }: Usage) =>
  `${whole(cpuMs)} ms, ${whole(allocatedMB)} MB, ${whole(calls)}, ${whole(results)}`;

function entriesPart(result: Saved<Results["entries"]>): string[] {
  const { rows, rounds, stock } = result;
  return [
    "## Image entries",
    "",
    "A Pod with one container, while the stack has more and more entries, each with repositories and a signer of its own, which is",
    "the dearest there is: entries with the same signers share a rule.",
    "",
    ...table(
      [
        "entries",
        "CPU",
        "CPU by a hand-written rule, stock chart",
        "allocated",
        "policies",
        "their size, the largest",
        "in force after",
      ],
      rows.map(({ entries, usage, policies, sizeKiB, largestKiB, secondsToReady }) => [
        entries,
        `${whole(usage.cpuMs)} ms`,
        (usage.cpuMs / stock.cpuMs).toFixed(2),
        `${whole(usage.allocatedMB)} MB`,
        policies,
        `${whole(sizeKiB)}, ${whole(largestKiB)} KiB`,
        `${whole(secondsToReady)} s`,
      ]),
    ),
    "",
    `Medians of ${rounds} rounds; the time is the shortest, and has the removal of the policies before them in it.`,
    "",
    ...measuredOn(result),
  ];
}

function othersPart(result: Saved<Results["others"]>): string[] {
  const { rows, rounds } = result;
  return [
    "## Beside policies of other teams",
    "",
    "A Pod with one container, while other teams have checks of pods in the same Kyverno: what each request costs them is in",
    "both columns.",
    "",
    ...table(
      ["policies of others", "hand-written, stock chart", "this package", "CPU by stock", "p50"],
      rows.map(({ others, stock, guard }) => [
        others,
        cost(stock.usage),
        cost(guard.usage),
        (guard.usage.cpuMs / stock.usage.cpuMs).toFixed(2),
        `${whole(guard.p50)} ms by ${whole(stock.p50)} ms`,
      ]),
    ),
    "",
    `Medians of ${rounds} rounds.`,
    "",
    ...measuredOn(result),
  ];
}

function loadPart(result: Saved<Results["load"]>): string[] {
  const { rows, deploymentCount, podCount, containers, parallel } = result;
  const row = (title: string, of: (row: Results["load"]["rows"][number]) => string) => [title, ...rows.map(of)];
  return [
    "## Load and memory",
    "",
    `${deploymentCount} Deployments, really created in a production namespace of the prod stack, each verified as Deployment, as ReplicaSet and as`,
    `pod; then ${podCount} dry runs of pods with ${containers} containers; both ${parallel} at once, with two memory limits of the admission controller.`,
    "",
    ...table(
      ["", ...rows.map(({ memoryLimit }) => memoryLimit)],
      [
        row(
          "Deployments admitted, timed out, refused",
          ({ deployments: d }) => `${d.admitted}, ${d.timedOut}, ${d.refused}`,
        ),
        row("all Deployments admitted after", ({ deployments: d }) => `${d.secondsToAdmit} s`),
        row("all their pods there after", ({ deployments: d }) => `${d.secondsToPods} s`),
        row("one Deployment, p50 / p95 / p99", ({ deployments: d }) => `${milliseconds(d.latency)} ms`),
        row("large pods admitted", ({ pods }) => `${pods.admitted} in ${pods.seconds} s`),
        row("one large pod, p50 / p95 / p99", ({ pods }) => `${milliseconds(pods.latency)} ms`),
        row(
          "peak memory: idle, after the Deployments, after the pods",
          ({ peaksMiB: p }) => `${p.idle}, ${p.afterDeployments}, ${p.afterPods} MiB`,
        ),
      ],
    ),
    "",
    ...measuredOn(result),
  ];
}

function pulumiPart(result: Saved<Results["pulumi"]>): string[] {
  const { component, bare } = result.programs;
  const row = (title: string, of: (program: typeof component) => string | number) => [title, of(component), of(bare)];
  return [
    "## Pulumi",
    "",
    "The component against a `helm.v3.Release` with the same values and the same policies as plain CustomResources, on an empty",
    `cluster each time. Medians of ${result.rounds} rounds, the two turn about.`,
    "",
    ...table(
      ["", "component", "bare"],
      [
        row("first preview", ({ preview }) => `${preview} s`),
        row("first up", ({ up }) => `${up} s`),
        row("preview without changes", ({ emptyPreview }) => `${emptyPreview} s`),
        row("resources", ({ resources }) => resources),
        row("peak memory of the program", ({ memoryMiB }) => `${memoryMiB} MiB`),
      ],
    ),
    "",
    `The component's additional resources are itself and the ${component.resources - bare.resources - 1} that see to it that destroy leaves nothing behind. Its \`up\` ends`,
    "when an unsigned canary has been refused, the bare one's when the policies call themselves ready.",
    "",
    ...measuredOn(result),
  ];
}

function measuredOn(result: {
  date: string;
  machine: Machine;
  kyverno: string;
  kubernetes: string;
  loadBefore: number;
}): string[] {
  const { cores, memoryGiB, cpu, system, node } = result.machine;
  const shared =
    result.loadBefore > 0.5 * cores
      ? `Other work ran on the machine (load average ${result.loadBefore} before the start): read the ratios rather than the times.`
      : `The machine did nothing else (load average ${result.loadBefore} before the start).`;
  return [
    `${result.date}: ${cores} cores (${cpu}), ${memoryGiB} GiB, ${system}, Node ${node}; Kyverno ${result.kyverno}, one replica; API`,
    `server ${result.kubernetes}; API server, etcd, registry, Kyverno and the client all on this machine.`,
    shared,
  ];
}

const whole = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0));
const milliseconds = ({ p50, p95, p99 }: Spread) => [p50, p95, p99].map(whole).join(" / ");

function times(of: Spread, to: Spread): string {
  const { p50, p95, p99 } = ratio(of, to);
  return [p50, p95, p99].map((value) => (value < 10 ? value.toFixed(2) : value.toFixed(0))).join(" / ");
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)];
}

if (require.main === module) writeReport();
