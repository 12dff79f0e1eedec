import * as fs from "node:fs";
import * as path from "node:path";
import { CLUSTER_POLICIES, collectionPath, type KubeObject } from "../components/kubernetes/resources";
import { PROBE_POLICY } from "../components/kyverno/canary";
import { isReady, policyKind } from "../components/policies/kinds";
import { ensureTool } from "./build";
import type { ControlPlane } from "./controlPlane";
import { findKyverno, type KyvernoSource } from "./kyvernoSource";
import { type Log, silent } from "./log";
import { type LocalNode, startNode } from "./node";
import { webhookPort } from "./podPlan";
import { isListening } from "./ports";
import { baseEnv, runToEnd } from "./processes";
import { request, requestObject } from "./request";
import { waitFor } from "./waitFor";

export interface ReleaseName {
  namespace?: string;
  releaseName?: string;
}

export interface KyvernoNodeOptions {
  log?: Log;
  /** Environment of Kyverno's processes, e.g. HTTPS_PROXY and SSL_CERT_FILE. */
  processEnv?: Readonly<Record<string, string>>;
  /** See NodeOptions. */
  isolate?: boolean;
  /** Whether Kyverno will be uninstalled, whose hooks take kubectl; true when left out. */
  uninstalls?: boolean;
  /** Another Kyverno that will run here too, known by the tag of its images. */
  movesTo?: KyvernoSource;
}

export interface KyvernoNode extends LocalNode {
  kyverno: KyvernoSource;
}

/** The stand-in node, set to run the Kyverno found by kyvernoSource.ts. */
export async function startKyvernoNode(plane: ControlPlane, options: KyvernoNodeOptions = {}): Promise<KyvernoNode> {
  const log = options.log ?? silent;
  const kyverno = await findKyverno(log);
  // Better built now than while Helm waits for the hook.
  if (options.uninstalls !== false) await ensureTool("kubectl", log);
  const { movesTo } = options;
  const binary: typeof kyverno.binary = (name, image) =>
    (movesTo && image?.endsWith(`:v${movesTo.version}`) ? movesTo : kyverno).binary(name);
  const node = await startNode(plane, { ...options, binary });
  if (node.oneReplica !== undefined) await assertWebhookPortFree();
  return { ...node, kyverno };
}

async function assertWebhookPortFree(): Promise<void> {
  if (await isListening(webhookPort)) {
    throw new Error(
      `port ${webhookPort} is taken, and Kyverno listens on no other; stop what uses it, maybe another run of this program`,
    );
  }
}

/** Runs helm against the control plane. */
export async function helm(plane: ControlPlane, args: readonly string[], log: Log = silent): Promise<string> {
  const command = await ensureTool("helm", log);
  const home = path.join(plane.workDir, "helm");
  return runToEnd({
    name: `helm ${args[0]}`,
    command,
    args: [...args, `--kubeconfig=${plane.kubeconfig}`],
    env: {
      ...baseEnv(),
      HELM_CACHE_HOME: path.join(home, "cache"),
      HELM_CONFIG_HOME: path.join(home, "config"),
      HELM_DATA_HOME: path.join(home, "data"),
    },
    logFile: path.join(plane.workDir, "logs", `helm-${args[0]}.log`),
  });
}

/** Installs or upgrades the chart and returns when Kyverno answers admission requests for policies. */
export async function installKyverno(
  plane: ControlPlane,
  kyverno: KyvernoSource,
  values: object = {},
  { namespace = "kyverno", releaseName = "kyverno" }: ReleaseName = {},
  log: Log = silent,
): Promise<void> {
  // JSON, as Helm reads YAML 1.1, where a bare "y" or "on" is a boolean.
  const file = path.join(plane.workDir, "values.json");
  fs.writeFileSync(file, JSON.stringify(values, null, 2));
  await helm(
    plane,
    [
      "upgrade",
      releaseName,
      kyverno.chart,
      "--install",
      `--namespace=${namespace}`,
      "--create-namespace",
      `--values=${file}`,
      "--wait",
      "--timeout=3m",
    ],
    log,
  );
  await waitForPolicyWebhooks(plane);
}

export async function uninstallKyverno(
  plane: ControlPlane,
  { namespace = "kyverno", releaseName = "kyverno" }: ReleaseName = {},
  log: Log = silent,
): Promise<void> {
  await helm(plane, ["uninstall", releaseName, `--namespace=${namespace}`, "--wait", "--timeout=3m"], log);
}

const policies = collectionPath(CLUSTER_POLICIES);
const policyWebhooks = "kyverno-policy-validating-webhook-cfg";

interface ServiceReference {
  namespace: string;
  name: string;
  port?: number;
}

/** A dry-run policy that passes Kyverno's own webhooks is the only proof that they answer. */
export async function waitForPolicyWebhooks(plane: ControlPlane, timeoutMs = 60_000): Promise<void> {
  await waitFor("Kyverno's policy webhooks are registered", timeoutMs, async () => {
    const names = await webhookConfigurations(plane);
    return names.includes(policyWebhooks) && names.includes("kyverno-policy-mutating-webhook-cfg");
  });
  await waitFor("Kyverno's policy webhooks answer", timeoutMs, async () => {
    // They fail open, so the Service is asked first, by the way that the API server itself goes.
    const { webhooks } = await requestObject<{ webhooks: [{ clientConfig: { service: ServiceReference } }] }>(
      plane.client,
      "GET",
      `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${policyWebhooks}`,
    );
    const { namespace, name, port } = webhooks[0].clientConfig.service;
    const proxied = `/api/v1/namespaces/${namespace}/services/https:${name}:${port ?? 443}/proxy`;
    if ((await request(plane.client, "GET", `${proxied}/health/readiness`)).status !== 200) return false;
    await requestObject(plane.client, "POST", `${policies}?dryRun=All`, PROBE_POLICY);
    return true;
  });
}

/** Names of all validating and mutating webhook configurations. */
export async function webhookConfigurations(plane: ControlPlane): Promise<string[]> {
  const lists = await Promise.all(
    ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"].map((kind) =>
      requestObject<{ items: { metadata: { name: string } }[] }>(
        plane.client,
        "GET",
        `/apis/admissionregistration.k8s.io/v1/${kind}`,
      ),
    ),
  );
  return lists.flatMap((list) => list.items.map((item) => item.metadata.name));
}

/** Creates or replaces policies and waits until Kyverno says that each is ready. */
export async function applyPolicies(
  plane: ControlPlane,
  manifests: readonly { kind?: string; metadata: { name: string } }[],
): Promise<void> {
  for (const manifest of manifests) {
    const path = `${pathOf(manifest)}?fieldManager=image-signing-guard-local&force=true&fieldValidation=Strict`;
    await requestObject(plane.client, "PATCH", path, manifest, "application/apply-patch+yaml");
  }
  for (const manifest of manifests) await waitForPolicy(plane, manifest.metadata.name, 60_000, manifest.kind);
}

const pathOf = ({ kind, metadata }: { kind?: string; metadata: { name: string } }) =>
  `${collectionPath(policyKind({ kind }))}/${metadata.name}`;

export async function waitForPolicy(
  plane: ControlPlane,
  name: string,
  timeoutMs = 60_000,
  kind = CLUSTER_POLICIES.kind,
): Promise<void> {
  await waitFor(`${kind} ${name} is ready`, timeoutMs, async () =>
    isReady(await requestObject<KubeObject>(plane.client, "GET", pathOf({ kind, metadata: { name } }))),
  );
}

export async function removePolicy(plane: ControlPlane, name: string, kind = CLUSTER_POLICIES.kind): Promise<void> {
  await request(plane.client, "DELETE", pathOf({ kind, metadata: { name } }));
}
