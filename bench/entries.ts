import * as os from "node:os";
import { applyRendered, policiesOf } from "../local/demo/render";
import { startBenchCluster } from "./cluster";
import type { Usage } from "./controller";
import type { Bench, Measure } from "./measure";
import { medianUsage, offerAll } from "./offers";
import { quick } from "./quick";
import { writeReport } from "./report";
import { keepAliveClient } from "./requests";
import { type EntriesRow, save } from "./results";
import { switchTo } from "./variants";

/** How many entries, and what the guard's CPU may then be of the hand-written rule's on the stock chart. */
const COUNTS: readonly { readonly entries: number; readonly cpuOfStock?: number }[] = [
  { entries: 1 },
  { entries: 5 },
  { entries: 20, cpuOfStock: 1.6 },
  { entries: 100 },
  { entries: 500 },
];
const rounds = quick ? 1 : Number(process.env.BENCH_ROUNDS ?? 3);
const offers = { kind: "Pod", containers: 1, parallel: 1, requests: quick ? 5 : 25 } as const;

/** Each entry has repositories and signers of its own, which is the dearest there is: the same signers share a rule. */
export const entries: Bench = async () => {
  const loadBefore = os.loadavg()[0]!;
  const cluster = await startBenchCluster(1);
  const client = keepAliveClient(cluster.plane);
  try {
    await applyRendered(cluster.plane, cluster.node.kyverno, cluster.settings);
    const stockUsages: Usage[] = [];
    const seen = COUNTS.map(() => ({ usages: [] as Usage[], secondsToReady: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      await switchTo(cluster, "stock");
      stockUsages.push((await offerAll(cluster, client, offers)).usage);
      for (const [at, { entries: count }] of COUNTS.entries()) {
        const start = performance.now();
        await switchTo({ ...cluster, settings: withEntries(cluster.settings, count) }, "guard");
        seen[at]!.secondsToReady.push((performance.now() - start) / 1000);
        seen[at]!.usages.push((await offerAll(cluster, client, offers)).usage);
        console.log(`  round ${round + 1} of ${rounds}: ${count} entries`);
      }
    }
    const stock = medianUsage(stockUsages);
    const rows = COUNTS.map(({ entries: count }, at): EntriesRow => {
      const sizes = policiesOf(withEntries(cluster.settings, count)).map((policy) => JSON.stringify(policy).length);
      return {
        entries: count,
        policies: sizes.length,
        sizeKiB: sizes.reduce((sum, size) => sum + size, 0) / 1024,
        largestKiB: Math.max(...sizes) / 1024,
        secondsToReady: Math.min(...seen[at]!.secondsToReady),
        usage: medianUsage(seen[at]!.usages),
      };
    });
    save("entries", { ...cluster.versions, rounds, loadBefore, stock, rows });
    if (!quick) writeReport();
    return rows.map((row, at): Measure => {
      const { cpuOfStock } = COUNTS[at]!;
      const ratio = row.usage.cpuMs / stock.cpuMs;
      return {
        what: `${row.entries} entries: CPU by the hand-written rule on the stock chart; allocated; policies, their size`,
        value: `${ratio.toFixed(2)}; ${row.usage.allocatedMB.toFixed(1)} MB; ${row.policies}, ${row.sizeKiB.toFixed(0)} KiB`,
        limit: cpuOfStock === undefined ? "" : String(cpuOfStock),
        holds: cpuOfStock === undefined || ratio <= cpuOfStock,
      };
    });
  } finally {
    client.close();
    await cluster.stop();
  }
};

/** The bench's own entry among others that are like it. */
function withEntries(settings: Record<string, unknown>, count: number): Record<string, unknown> {
  const [own] = settings.images as { repositories: string[] }[];
  const host = own!.repositories[0]!.split("/")[0];
  const others = Array.from({ length: count - 1 }, (_, at) => ({
    name: `team-${at}`,
    repositories: [`${host}/team-${at}/*`],
    signers: [{ github: { repository: `example/team-${at}`, workflow: "build.yml", ref: "refs/heads/main" } }],
  }));
  const half = Math.floor(others.length / 2);
  return { ...settings, images: [...others.slice(0, half), own, ...others.slice(half)] };
}
