import { parse } from "yaml";
import { renderStack } from "../cli/render/run";
import type { Json } from "../components/kubernetes/manifest";
import { mergeValues } from "../components/kyverno/values";
import { pod } from "../local/demo/cases";
import { expectedSigner } from "../local/demo/images";
import { applyBackstop, applyManifests, backstopOf, policiesOf } from "../local/demo/render";
import { applyPolicies, installKyverno, removePolicy } from "../local/kyverno";
import { request, requestObject } from "../local/request";
import { githubIssuer, workflowSubject } from "../local/sigstore";
import { waitFor } from "../local/waitFor";
import { type BenchCluster, namespace } from "./cluster";
import { cpuMs, PROFILED } from "./controller";

/**
 * What is compared: nothing; one rule that somebody writes who reads Kyverno's documentation, on the chart as it comes and
 * on the guard's chart values; and the guard.
 */
export const variants = ["none", "stock", "hand", "guard"] as const;
export type Variant = (typeof variants)[number];

const HAND_WRITTEN = "hand-written";
/** How long the API server waits for an enforcing policy. */
export const webhookSeconds = 30;

export async function switchTo(cluster: BenchCluster, variant: Variant): Promise<void> {
  const { plane, settings } = cluster;
  await applyBackstop(plane, []);
  await applyManifests(plane, []);
  await removePolicy(plane, HAND_WRITTEN);
  await chart(cluster, variant === "stock" ? "stock" : "guard");
  if (variant === "guard") {
    await applyManifests(plane, policiesOf(settings));
    await applyBackstop(plane, backstopOf(settings));
  }
  if (variant === "hand" || variant === "stock") await applyPolicies(plane, [handWritten(cluster)]);
  await waitFor(`the webhooks of ${variant}`, 90_000, async () =>
    variant === "none" ? !(await isJudged(cluster)) : isJudged(cluster),
  );
  const expected = variant === "none" ? 201 : 400;
  await waitFor(`the verdict of ${variant}`, 90_000, async () => (await offer(cluster)) === expected);
  await settled(cluster);
}

const LOOK_MS = 2000;
const IDLE_MS = 60;

/** New policies make the reports controller scan what is there; that is not what a request costs, but takes its cores. */
async function settled({ node }: BenchCluster): Promise<void> {
  const used = () => node.processes().reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  let before = used();
  await waitFor("Kyverno is idle", 600_000, async () => {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const now = used();
    const isIdle = now - before < IDLE_MS;
    before = now;
    return isIdle;
  });
}

const installed = new WeakMap<object, string>();

/** Stock: the trust anchors alone, without which keyless images can't be verified on 1.10. */
async function chart(cluster: BenchCluster, wanted: "stock" | "guard"): Promise<void> {
  if (installed.get(cluster.plane) === wanted) return;
  const { plane, node } = cluster;
  const values = guardValues(cluster);
  await installKyverno(plane, node.kyverno, mergeValues(wanted === "guard" ? values : stockValues(values), PROFILED));
  installed.set(plane, wanted);
}

function guardValues({ settings }: BenchCluster): Json {
  const file = renderStack(settings).files.find(({ name }) => name === "2-kyverno-values.yaml");
  return parse(file?.text ?? "") as Json;
}

function stockValues(values: Json): Json {
  const { sigstoreVolume, container } = values.admissionController as { sigstoreVolume: Json; container: Json };
  const extraEnvVars = (container.extraEnvVars as { name: string }[]).filter(({ name }) => !name.startsWith("GO"));
  return {
    fullnameOverride: values.fullnameOverride,
    admissionController: { sigstoreVolume, container: { extraEnvVars } },
  };
}

/** Whether a webhook is asked before a pod is stored. */
async function isJudged({ plane }: BenchCluster): Promise<boolean> {
  const { items } = await requestObject<{ items: { metadata: { name: string }; webhooks?: unknown[] }[] }>(
    plane.client,
    "GET",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  );
  return items.some(({ metadata, webhooks = [] }) => metadata.name.includes("resource") && webhooks.length > 0);
}

async function offer({ plane, unsigned }: BenchCluster): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  return (await request(plane.client, "POST", path, pod("canary", unsigned))).status;
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
