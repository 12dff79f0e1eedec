import type { BenchCluster } from "./cluster";
import { each, type Usage, usage } from "./controller";
import { inParallel } from "./inParallel";
import type { Client, Kind } from "./requests";
import { percentile } from "./stats";

/** Requests of one shape. */
export interface Offers {
  readonly kind: Kind;
  readonly containers: number;
  readonly parallel: number;
  /** Requests a round. With 20 at once one wave would only measure the start, so there are more. */
  readonly requests: number;
}

/** What one round saw of them. */
export interface Seen {
  readonly latency: number[];
  readonly failed: number;
  /** Of one request. */
  readonly usage: Usage;
}

/** Offers signed images by dry run and sees what that costs. */
export async function offerAll(cluster: BenchCluster, client: Client, offers: Offers): Promise<Seen> {
  const images = cluster.images.slice(0, offers.containers);
  // Connections, and Kyverno's first look at a new policy, are not what is measured.
  for (let at = 0; at < 3; at++) await client.offer(offers.kind, images);
  const before = await usage(cluster, "start");
  const latency: number[] = [];
  let failed = 0;
  await inParallel(offers.parallel, offers.requests, async () => {
    const start = performance.now();
    const status = await client.offer(offers.kind, images);
    latency.push(performance.now() - start);
    if (status !== 201) failed++;
  });
  return { latency, failed, usage: each(before, await usage(cluster, "end"), offers.requests) };
}

export function medianUsage(rounds: readonly Usage[]): Usage {
  const of = (key: keyof Usage) =>
    percentile(
      rounds.map((usage) => usage[key]),
      50,
    );
  return { cpuMs: of("cpuMs"), allocatedMB: of("allocatedMB"), calls: of("calls"), results: of("results") };
}
