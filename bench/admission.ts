import * as os from "node:os";
import { applyRendered } from "../local/demo/render";
import { type BenchCluster, startBenchCluster } from "./cluster";
import type { Bench, Measure } from "./measure";
import { medianUsage, type Offers, offerAll, type Seen } from "./offers";
import { quick } from "./quick";
import { writeReport } from "./report";
import { keepAliveClient } from "./requests";
import { type AdmissionRow, save } from "./results";
import { spread } from "./stats";
import { switchTo, type Variant, variants, webhookSeconds } from "./variants";

interface Cell extends Offers {
  /** What the guard's CPU and latency may be of the hand-written rule's; none where only shown. */
  readonly limits?: { cpuOfStock?: number; cpuOfHand?: number; latencyOfHand?: number };
}

const rounds = quick ? 1 : Number(process.env.BENCH_ROUNDS ?? 3);
const few = quick ? 5 : 50;
const wave = quick ? 20 : 200;
/** To measure another shape of request, add a line. */
const cells: readonly Cell[] = [
  { kind: "Pod", containers: 1, parallel: 1, requests: few, limits: { cpuOfStock: 1, cpuOfHand: 1.25 } },
  { kind: "Pod", containers: 1, parallel: 20, requests: wave, limits: { latencyOfHand: 1.25 } },
  { kind: "Pod", containers: 3, parallel: 1, requests: few },
  { kind: "Pod", containers: 3, parallel: 20, requests: wave, limits: { latencyOfHand: 1.25 } },
  { kind: "Pod", containers: 10, parallel: 1, requests: few, limits: { cpuOfStock: 1, cpuOfHand: 1.25 } },
  { kind: "Pod", containers: 10, parallel: 20, requests: wave, limits: { latencyOfHand: 1.25 } },
  { kind: "Deployment", containers: 1, parallel: 1, requests: few },
  { kind: "Deployment", containers: 1, parallel: 20, requests: wave },
];

export const admission: Bench = async () => {
  const loadBefore = os.loadavg()[0]!;
  const cluster = await startBenchCluster(Math.max(...cells.map(({ containers }) => containers)));
  try {
    await applyRendered(cluster.plane, cluster.node.kyverno, cluster.settings);
    const rows = await measure(cluster);
    save("admission", { ...cluster.versions, rounds, loadBefore, rows });
    if (!quick) writeReport();
    return rows.flatMap((row, at) => measuresOf(row, cells[at]!.limits ?? {}));
  } finally {
    await cluster.stop();
  }
};

function measuresOf(row: AdmissionRow, limits: NonNullable<Cell["limits"]>): Measure[] {
  const { kind, containers, parallel, latency, usage: used, failed } = row;
  const shape = `${kind} of ${containers}, ${parallel} at once`;
  const ratioOf = (what: string, ratio: number, limit: number | undefined): Measure[] =>
    limit === undefined
      ? []
      : [{ what: `${shape}: ${what}`, value: ratio.toFixed(2), limit: String(limit), holds: ratio <= limit }];
  const { guard, hand, stock } = used;
  return [
    {
      what: `${shape}: p50 / p95 / p99, CPU, allocated`,
      value: `${[latency.guard.p50, latency.guard.p95, latency.guard.p99].map((value) => value.toFixed(0)).join(" / ")} ms, ${guard.cpuMs.toFixed(1)} ms, ${guard.allocatedMB.toFixed(1)} MB; ${failed.guard} not admitted`,
      limit: `p99 ${webhookSeconds} s, 0 not admitted`,
      // A request that is not answered before the webhook's time is over is refused.
      holds: latency.guard.p99 < webhookSeconds * 1000 && failed.guard === 0,
    },
    ...ratioOf("CPU by the hand-written rule on the stock chart", guard.cpuMs / stock.cpuMs, limits.cpuOfStock),
    ...ratioOf("CPU by the hand-written rule on the same chart values", guard.cpuMs / hand.cpuMs, limits.cpuOfHand),
    ...ratioOf("p50 by the hand-written rule", latency.guard.p50 / latency.stock.p50, limits.latencyOfHand),
    ...ratioOf("p99 by the hand-written rule", latency.guard.p99 / latency.stock.p99, limits.latencyOfHand),
  ];
}

/**
 * Policies can't stand beside each other without being asked beside each other, so the variants take turns on the same
 * Kyverno: a round measures each of them, and every round begins with another one.
 */
async function measure(cluster: BenchCluster): Promise<AdmissionRow[]> {
  const seen = cells.map(() => ({ none: [], stock: [], hand: [], guard: [] }) as Record<Variant, Seen[]>);
  const client = keepAliveClient(cluster.plane);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const variant = variants[(round + turn) % variants.length]!;
      await switchTo(cluster, variant);
      for (const [at, cell] of cells.entries()) seen[at]![variant].push(await offerAll(cluster, client, cell));
      console.log(`  round ${round + 1} of ${rounds}: ${variant}`);
    }
  }
  client.close();
  return cells.map(({ kind, containers, parallel }, at) => {
    const of = <T>(pick: (of: Seen[]) => T) =>
      Object.fromEntries(variants.map((variant) => [variant, pick(seen[at]![variant])])) as Record<Variant, T>;
    return {
      kind,
      containers,
      parallel,
      samples: seen[at]!.guard.reduce((sum, { latency }) => sum + latency.length, 0),
      latency: of((rounds) => spread(rounds.flatMap(({ latency }) => latency))),
      usage: of((rounds) => medianUsage(rounds.map(({ usage }) => usage))),
      failed: of((rounds) => rounds.reduce((sum, { failed }) => sum + failed, 0)),
    };
  });
}
