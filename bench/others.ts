import * as os from "node:os";
import { manyPolicies } from "../local/demo/otherPolicies";
import { applyRendered } from "../local/demo/render";
import { applyPolicies, removePolicy } from "../local/kyverno";
import { type BenchCluster, startBenchCluster } from "./cluster";
import type { Usage } from "./controller";
import type { Bench, Measure } from "./measure";
import { medianUsage, offerAll } from "./offers";
import { quick } from "./quick";
import { writeReport } from "./report";
import { keepAliveClient } from "./requests";
import { type OthersRow, save } from "./results";
import { percentile } from "./stats";
import { switchTo } from "./variants";

/** How many policies other teams have: none, and one for each line of a standard. */
const COUNTS = [0, 50] as const;
const COMPARED = ["stock", "guard"] as const;
/** CPU of the guard by the hand-written rule's on the stock chart, both beside the same policies of others. */
const CPU_OF_STOCK = 1.25;
const rounds = quick ? 1 : Number(process.env.BENCH_ROUNDS ?? 3);
const offers = { kind: "Pod", containers: 1, parallel: 1, requests: quick ? 5 : 50 } as const;

/** The guard shares its Kyverno with others; a request is then theirs as well. */
export const others: Bench = async () => {
  const loadBefore = os.loadavg()[0]!;
  const cluster = await startBenchCluster(1);
  const client = keepAliveClient(cluster.plane);
  try {
    await applyRendered(cluster.plane, cluster.node.kyverno, cluster.settings);
    const seen = COUNTS.map(() => COMPARED.map(() => ({ usages: [] as Usage[], latency: [] as number[] })));
    for (let round = 0; round < rounds; round++) {
      for (const [at, count] of COUNTS.entries()) {
        await haveOthers(cluster, count);
        for (const [of, variant] of COMPARED.entries()) {
          await switchTo(cluster, variant);
          const { usage, latency } = await offerAll(cluster, client, offers);
          seen[at]![of]!.usages.push(usage);
          seen[at]![of]!.latency.push(...latency);
        }
        console.log(`  round ${round + 1} of ${rounds}: beside ${count} policies`);
      }
    }
    const rows = COUNTS.map((count, at): OthersRow => {
      const [stock, guard] = seen[at]!.map(({ usages, latency }) => ({
        usage: medianUsage(usages),
        p50: percentile(latency, 50),
      }));
      return { others: count, stock: stock!, guard: guard! };
    });
    save("others", { ...cluster.versions, rounds, loadBefore, rows });
    if (!quick) writeReport();
    return rows.map(({ others: count, stock, guard }): Measure => {
      const ratio = guard.usage.cpuMs / stock.usage.cpuMs;
      return {
        what: `beside ${count} policies of others: CPU by the hand-written rule on the stock chart beside the same; p50`,
        value: `${ratio.toFixed(2)}; ${guard.p50.toFixed(0)} ms by ${stock.p50.toFixed(0)} ms`,
        limit: String(CPU_OF_STOCK),
        holds: ratio <= CPU_OF_STOCK,
      };
    });
  } finally {
    client.close();
    await cluster.stop();
  }
};

async function haveOthers({ plane }: BenchCluster, count: number): Promise<void> {
  const most = manyPolicies(Math.max(...COUNTS));
  if (count > 0) return applyPolicies(plane, most.slice(0, count) as never);
  for (const { metadata } of most) await removePolicy(plane, (metadata as { name: string }).name);
}
