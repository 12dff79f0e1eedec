import type * as http from "node:http";
import * as https from "node:https";
import * as os from "node:os";
import type { KubeConfig } from "@kubernetes/client-node";
import { pod } from "../local/demo/cases";
import { expectedSigner } from "../local/demo/images";
import { applyManifests, applyRendered, policiesOf } from "../local/demo/render";
import { applyPolicies, removePolicy } from "../local/kyverno";
import { requestObject } from "../local/request";
import { githubIssuer, workflowSubject } from "../local/sigstore";
import { waitFor } from "../local/waitFor";
import { type BenchCluster, namespace, startBenchCluster } from "./cluster";
import { inParallel } from "./inParallel";
import type { Bench, Measure } from "./main";
import { quick } from "./quick";
import { writeReport } from "./report";
import { save } from "./results";
import { type Spread, spread } from "./stats";

/** What is compared: nothing, one rule that somebody writes who reads Kyverno's documentation, and this package. */
export const variants = ["none", "handWritten", "package"] as const;
export type Variant = (typeof variants)[number];

export interface AdmissionRow {
  readonly containers: number;
  readonly parallel: number;
  /** Pods of each variant. */
  readonly samples: number;
  /** Milliseconds from the request to the answer. */
  readonly latency: Readonly<Record<Variant, Spread>>;
  /** Requests that were not admitted, by variant. */
  readonly failed: Readonly<Record<Variant, number>>;
}

export interface AdmissionResult {
  readonly kyverno: string;
  readonly kubernetes: string;
  readonly rounds: number;
  /** Load average of the machine before the control plane was started. */
  readonly loadBefore: number;
  readonly rows: readonly AdmissionRow[];
}

const HAND_WRITTEN = "hand-written";
/** How long the API server waits for an enforcing policy. */
const webhookSeconds = 30;
const rounds = quick ? 1 : Number(process.env.BENCH_ROUNDS ?? 3);
const containerCounts = [1, 3, 10];
/** Pods a round. With 20 at once one wave would only measure the start, so there are two. */
const podsARound: Readonly<Record<number, number>> = quick ? { 1: 3, 20: 20 } : { 1: 15, 20: 40 };

export const admission: Bench = async () => {
  const loadBefore = os.loadavg()[0]!;
  const cluster = await startBenchCluster(Math.max(...containerCounts));
  try {
    await applyRendered(cluster.plane, cluster.node.kyverno, cluster.settings);
    const rows = await measure(cluster);
    save("admission", { ...cluster.versions, rounds, loadBefore, rows });
    if (!quick) writeReport();
    return rows.map(measureOf);
  } finally {
    await cluster.stop();
  }
};

/** A pod that is not answered before the webhook's time is over is refused. */
function measureOf({ containers, parallel, latency, failed }: AdmissionRow): Measure {
  const { p50, p95, p99 } = latency.package;
  const times = (to: Variant) => (p50 / latency[to].p50).toFixed(1);
  return {
    what: `${containers} containers, ${parallel} at once: p50 / p95 / p99, ${times("handWritten")} times one hand-written rule, ${times("none")} times no policy`,
    value: `${[p50, p95, p99].map((value) => value.toFixed(0)).join(" / ")} ms, ${failed.package} not admitted`,
    limit: `p99 ${webhookSeconds} s, 0 not admitted`,
    holds: p99 < webhookSeconds * 1000 && failed.package === 0,
  };
}

/**
 * Policies can't stand beside each other without being asked beside each other, so the variants take turns on the same
 * Kyverno: a round measures each of them, and every round begins with another one.
 */
async function measure(cluster: BenchCluster): Promise<AdmissionRow[]> {
  const cells = containerCounts.flatMap((containers) =>
    Object.keys(podsARound).map((parallel) => ({ containers, parallel: Number(parallel) })),
  );
  const samples = cells.map(() => ({ none: [], handWritten: [], package: [] }) as Record<Variant, number[]>);
  const failed = cells.map(() => ({ none: 0, handWritten: 0, package: 0 }) as Record<Variant, number>);
  const client = keepAliveClient(cluster.plane.client);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < variants.length; turn++) {
      const variant = variants[(round + turn) % variants.length]!;
      await switchTo(cluster, variant);
      for (const [at, { containers, parallel }] of cells.entries()) {
        // Connections, and Kyverno's first look at a new policy, are not what is measured.
        await dryRun(client, cluster, containers);
        await inParallel(parallel, podsARound[parallel]!, async () => {
          const start = performance.now();
          const status = await dryRun(client, cluster, containers);
          samples[at]![variant].push(performance.now() - start);
          if (status !== 201) failed[at]![variant]++;
        });
      }
      console.log(`  round ${round + 1} of ${rounds}: ${variant}`);
    }
  }
  client.agent.destroy();
  return cells.map((cell, at) => {
    const of = samples[at]!;
    const latency = { none: spread(of.none), handWritten: spread(of.handWritten), package: spread(of.package) };
    return { ...cell, samples: of.package.length, latency, failed: failed[at]! };
  });
}

async function switchTo(cluster: BenchCluster, variant: Variant): Promise<void> {
  const { plane, settings } = cluster;
  if (variant === "package") {
    await removePolicy(plane, HAND_WRITTEN);
    await applyManifests(plane, policiesOf(settings));
  } else {
    await applyManifests(plane, []);
    if (variant === "handWritten") await applyPolicies(plane, [handWritten(cluster)]);
    else await removePolicy(plane, HAND_WRITTEN);
  }
  const wanted = variant === "none" ? 0 : variant === "handWritten" ? 1 : 2;
  await waitFor(`the webhooks of ${variant}`, 90_000, async () => (await judgingWebhooks(cluster)) === wanted);
  const client = keepAliveClient(plane.client);
  const expected = variant === "none" ? 201 : 400;
  await waitFor(`the verdict of ${variant}`, 90_000, async () => {
    const { status } = await post(client, pod("canary", cluster.unsigned));
    return status === expected;
  });
  client.agent.destroy();
}

/** How many webhooks are asked before a pod is stored: one for each failure policy. */
async function judgingWebhooks({ plane }: BenchCluster): Promise<number> {
  const { items } = await requestObject<{ items: { metadata: { name: string }; webhooks?: unknown[] }[] }>(
    plane.client,
    "GET",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  );
  return items
    .filter(({ metadata }) => metadata.name.includes("resource"))
    .reduce((sum, { webhooks = [] }) => sum + webhooks.length, 0);
}

/** Kyverno's documented example for keyless signatures, with the identity and the anchors of this run. */
function handWritten({ repositories, sigstore }: BenchCluster) {
  const keyless = {
    subject: workflowSubject(expectedSigner),
    issuer: githubIssuer,
    roots: sigstore.fulcioRoots,
    rekor: { url: "https://rekor.sigstore.dev" },
  };
  return {
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    metadata: { name: HAND_WRITTEN },
    spec: {
      validationFailureAction: "Enforce",
      failurePolicy: "Fail",
      background: false,
      webhookTimeoutSeconds: webhookSeconds,
      rules: [
        {
          name: "signed",
          match: { any: [{ resources: { kinds: ["Pod"] } }] },
          verifyImages: [{ imageReferences: [repositories], attestors: [{ entries: [{ keyless }] }] }],
        },
      ],
    },
  };
}

interface Client {
  readonly agent: https.Agent;
  readonly url: string;
}

/** As kubectl and controllers do it: connections are kept, so that no handshake is measured. */
function keepAliveClient(config: KubeConfig): Client {
  const { server = "", caData = "" } = config.getCurrentCluster() ?? {};
  const { certData = "", keyData = "" } = config.getCurrentUser() ?? {};
  const bytes = (text: string) => Buffer.from(text, "base64");
  const agent = new https.Agent({ keepAlive: true, ca: bytes(caData), cert: bytes(certData), key: bytes(keyData) });
  return { agent, url: `${server}/api/v1/namespaces/${namespace}/pods?dryRun=All` };
}

let names = 0;

async function dryRun(client: Client, { images }: BenchCluster, containers: number): Promise<number> {
  const spec = { containers: images.slice(0, containers).map((image, at) => ({ name: `c${at}`, image })) };
  const { status, body } = await post(client, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `bench-${++names}` },
    spec,
  });
  if (status !== 201) console.log(`  refused (${status}): ${body.slice(0, 300)}`);
  return status;
}

function post({ agent, url }: Client, object: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(object);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = https.request(url, { method: "POST", agent, headers }, (answer: http.IncomingMessage) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.on("error", reject);
    call.end(body);
  });
}
