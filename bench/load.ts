import * as os from "node:os";
import { applyRendered } from "../local/demo/render";
import { request, requestObject } from "../local/request";
import { waitFor } from "../local/waitFor";
import { type BenchCluster, namespace, startBenchCluster } from "./cluster";
import { inParallel } from "./inParallel";
import { peakMemoryMiB } from "./machine";
import type { Bench } from "./measure";
import { quick } from "./quick";
import { writeReport } from "./report";
import { keepAliveClient } from "./requests";
import { type LoadRow, save } from "./results";
import { spread } from "./stats";

const deploymentCount = quick ? 20 : 100;
const podCount = quick ? 50 : 1000;
const containers = 10;
const parallel = 20;

/** What `kyverno.memoryLimit` is by default, where nothing is enforced and where something is. */
const LIMITS = { "384Mi": 384, "1Gi": 1024 } as const;
type Limit = keyof typeof LIMITS;

/** The peaks of memory that a limit must leave room for, with nothing refused for lack of time. */
export const load: Bench = async () => {
  const loadBefore = os.loadavg()[0]!;
  const cluster = await startBenchCluster(containers);
  try {
    const rows: LoadRow[] = [];
    for (const limit of Object.keys(LIMITS) as Limit[]) rows.push(await measure(cluster, limit));
    save("load", { ...cluster.versions, loadBefore, deploymentCount, podCount, containers, parallel, rows });
    if (!quick) writeReport();
    return rows.flatMap(({ memoryLimit, deployments, pods, peaksMiB }) => [
      {
        what: `${memoryLimit}: ${deploymentCount} Deployments, ${parallel} at once, in ${deployments.secondsToAdmit.toFixed(1)} s: admitted, timed out, refused`,
        value: `${deployments.admitted}, ${deployments.timedOut}, ${deployments.refused}`,
        limit: `${deploymentCount}, 0, 0`,
        holds: deployments.admitted === deploymentCount,
      },
      {
        what: `${memoryLimit}: ${podCount} pods of ${containers} containers, ${parallel} at once, in ${pods.seconds.toFixed(1)} s: admitted`,
        value: String(pods.admitted),
        limit: String(podCount),
        holds: pods.admitted === podCount,
      },
      {
        what: `${memoryLimit}: peak memory of the admission controller`,
        value: `${peaksMiB.afterPods} MiB`,
        limit: `${LIMITS[memoryLimit as Limit]} MiB`,
        holds: peaksMiB.afterPods < LIMITS[memoryLimit as Limit],
      },
    ]);
  } finally {
    await cluster.stop();
  }
};

async function measure(cluster: BenchCluster, memoryLimit: Limit): Promise<LoadRow> {
  const { plane, node, settings } = cluster;
  const kyverno = { ...(settings.kyverno as object), memoryLimit };
  await applyRendered(plane, node.kyverno, { ...settings, kyverno });
  const { pid } = controllerOf(cluster);
  const idle = peakMemoryMiB(pid);
  const deployments = await createDeployments(cluster, memoryLimit.toLowerCase());
  const afterDeployments = peakMemoryMiB(pid);
  const pods = await offerPods(cluster);
  // A controller that was killed for its memory would have come back as another process.
  if (controllerOf(cluster).pid !== pid) throw new Error("Kyverno was started anew while it was measured");
  return { memoryLimit, deployments, pods, peaksMiB: { idle, afterDeployments, afterPods: peakMemoryMiB(pid) } };
}

function controllerOf({ node }: BenchCluster) {
  const kyverno = node.processes().find(({ binary }) => binary === "kyverno");
  if (kyverno === undefined) throw new Error("Kyverno does not run");
  return kyverno;
}

/** A Deployment is judged itself, then its ReplicaSet, then its pod: three verifications each. */
async function createDeployments({ plane, images }: BenchCluster, name: string): Promise<LoadRow["deployments"]> {
  const latency: number[] = [];
  const counts = { admitted: 0, timedOut: 0, refused: 0 };
  const start = performance.now();
  const since = () => (performance.now() - start) / 1000;
  await inParallel(parallel, deploymentCount, async (at) => {
    const before = performance.now();
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
    const deployment = deploymentOf(`${name}-${at}`, name, images[at % images.length]!);
    const { status, body } = await request(plane.client, "POST", path, deployment);
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
        `/api/v1/namespaces/${namespace}/pods?labelSelector=run%3D${name}`,
      );
      return new Set(pods.items.map(({ metadata }) => metadata.labels?.app)).size >= counts.admitted;
    },
    250,
  );
  return { ...counts, secondsToAdmit, secondsToPods: since(), latency: spread(latency) };
}

function deploymentOf(name: string, run: string, image: string) {
  const labels = { app: name, run };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "app", image }] } },
    },
  };
}

async function offerPods({ plane, images }: BenchCluster): Promise<LoadRow["pods"]> {
  const client = keepAliveClient(plane);
  const latency: number[] = [];
  let admitted = 0;
  const start = performance.now();
  await inParallel(parallel, podCount, async () => {
    const before = performance.now();
    if ((await client.offer("Pod", images)) === 201) admitted++;
    latency.push(performance.now() - before);
  });
  client.close();
  return { admitted, seconds: (performance.now() - start) / 1000, latency: spread(latency) };
}
