import * as os from "node:os";
import { applyRendered } from "../local/demo/render";
import { request, requestObject } from "../local/request";
import { waitFor } from "../local/waitFor";
import { namespace, startBenchCluster } from "./cluster";
import { inParallel } from "./inParallel";
import { peakMemoryMiB } from "./machine";
import type { Bench } from "./measure";
import { quick } from "./quick";
import { writeReport } from "./report";
import { save } from "./results";
import { spread } from "./stats";

const count = quick ? 20 : 100;
const parallel = 20;
/** The container's limit with one replica. */
const memoryLimitMiB = 384;

const deploymentOf = (at: number, image: string) => {
  const labels = { app: `bench-${at}` };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: `bench-${at}` },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "app", image }] } },
    },
  };
};

/** A Deployment is judged itself, then its ReplicaSet, then its pod: three verifications each. */
export const deployments: Bench = async () => {
  const loadBefore = os.loadavg()[0]!;
  const cluster = await startBenchCluster(10);
  const { plane, node, images, versions, settings } = cluster;
  try {
    await applyRendered(plane, node.kyverno, settings);
    const kyverno = node.processes().find(({ binary }) => binary === "kyverno");
    if (kyverno === undefined) throw new Error("Kyverno does not run");
    const memoryBeforeMiB = peakMemoryMiB(kyverno.pid);
    const latency: number[] = [];
    const counts = { admitted: 0, timedOut: 0, refused: 0 };
    const start = performance.now();
    const since = () => (performance.now() - start) / 1000;
    await inParallel(parallel, count, async (at) => {
      const before = performance.now();
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
      const { status, body } = await request(plane.client, "POST", path, deploymentOf(at, images[at % images.length]!));
      latency.push(performance.now() - before);
      if (status === 201) counts.admitted++;
      else if (/timeout|deadline exceeded|timed out/i.test(body)) counts.timedOut++;
      else counts.refused++;
      if (status !== 201) console.log(`  ${status}: ${body.slice(0, 300)}`);
    });
    const secondsToAdmit = since();
    await waitFor(
      "a pod of each Deployment",
      300_000,
      async () => {
        const pods = await requestObject<{ items: { metadata: { labels?: Record<string, string> } }[] }>(
          plane.client,
          "GET",
          `/api/v1/namespaces/${namespace}/pods`,
        );
        return new Set(pods.items.map(({ metadata }) => metadata.labels?.app)).size >= counts.admitted;
      },
      250,
    );
    const secondsToPods = since();
    const memoryMiB = peakMemoryMiB(kyverno.pid);
    save("deployments", {
      ...versions,
      loadBefore,
      deployments: count,
      parallel,
      ...counts,
      secondsToAdmit,
      secondsToPods,
      latency: spread(latency),
      memoryBeforeMiB,
      memoryMiB,
    });
    if (!quick) writeReport();
    return [
      {
        what: `${count} Deployments, ${parallel} at once, in ${secondsToAdmit.toFixed(1)} s: admitted, timed out, refused`,
        value: `${counts.admitted}, ${counts.timedOut}, ${counts.refused}`,
        limit: `${count}, 0, 0`,
        holds: counts.admitted === count,
      },
      {
        what: "peak memory of the admission controller",
        value: `${memoryMiB} MiB`,
        limit: `${memoryLimitMiB} MiB`,
        holds: memoryMiB < memoryLimitMiB,
      },
    ];
  } finally {
    await cluster.stop();
  }
};
