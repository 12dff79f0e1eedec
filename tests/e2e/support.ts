import * as assert from "node:assert/strict";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Json } from "../../components/kubernetes/manifest";
import { askCanary } from "../../components/kyverno/canary";
import { RESOURCE_WEBHOOKS } from "../../components/posture/kyvernoWebhooks";
import { resolveSettings } from "../../components/resolve";
import type { ControlPlane } from "../../local/controlPlane";
import { objections } from "../../local/demo/refusal";
import { applyBackstop, applyManifests, backstopOf, forApiServer, policiesOf } from "../../local/demo/render";
import { collectionOf } from "../../local/demo/verdicts";
import type { LocalNode } from "../../local/node";
import { ApiError, requestObject } from "../../local/request";

/** Long enough for a first run that has to build everything. */
export const withBuilds = 40 * 60_000;

export const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

export interface Stored {
  metadata: { name: string; uid: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: {
    replicas?: number;
    containers: { image: string }[];
    ephemeralContainers?: { name: string; image: string }[];
  };
}

/** Kyverno's admission controllers that live now. */
export const admissionControllers = (node: LocalNode) => node.processes().filter(({ binary }) => binary === "kyverno");

/** As when its machines are gone: it has no time to take its webhooks away, and comes back by startOnly(() => true). */
export function killKyverno(node: LocalNode): void {
  node.startOnly(() => false);
  for (const { pid } of admissionControllers(node)) process.kill(pid, "SIGKILL");
}

type Named = { kind: string; metadata: object };

export const create = (client: KubeConfig, namespace: string, object: Named, query = ""): Promise<Stored> =>
  requestObject<Stored>(client, "POST", `${collectionOf(object.kind, namespace)}${query}`, object);

const patchTypes = {
  merge: "application/merge-patch+json",
  /** Merges lists of containers by name, as kubectl does. */
  strategic: "application/strategic-merge-patch+json",
} as const;

export const patch = (
  client: KubeConfig,
  path: string,
  change: object,
  type: keyof typeof patchTypes = "strategic",
): Promise<Stored> => requestObject<Stored>(client, "PATCH", path, change, patchTypes[type]);

export const webhookConfiguration = (kind: keyof typeof RESOURCE_WEBHOOKS): string =>
  `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/${RESOURCE_WEBHOOKS[kind].configuration}`;

/** Registers other webhooks for resources in the place of Kyverno's, whether Kyverno has deleted those or not. */
export async function registerWebhooks(
  client: KubeConfig,
  kind: keyof typeof RESOURCE_WEBHOOKS,
  webhooks: Json[],
): Promise<void> {
  const path = webhookConfiguration(kind);
  try {
    await patch(client, path, { webhooks }, "merge");
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    await requestObject(client, "POST", path.replace(/\/[^/]*$/, ""), {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: kind === "mutating" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
      metadata: {
        name: RESOURCE_WEBHOOKS[kind].configuration,
        labels: { "webhook.kyverno.io/managed-by": "kyverno" },
      },
      webhooks,
    });
  }
}

/** The text that a refused person reads; fails when the request was admitted. */
export async function refusal(attempt: Promise<unknown>): Promise<string> {
  let admitted: unknown;
  try {
    admitted = await attempt;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
  return assert.fail(`it was admitted: ${JSON.stringify(admitted).slice(0, 300)}`);
}

/** Kyverno's refusal as "policy: rule: message" lines; it folds and quotes long messages wherever it likes. */
export async function refusedWith(attempt: Promise<unknown>, ...says: RegExp[]): Promise<void> {
  const text = await refusal(attempt);
  const rules = objections(text).map((o) => `${o.policy}: ${o.rule}: ${o.message.replace(/\s+/g, " ")}`);
  assert.ok(rules.length > 0, `no refusal of Kyverno's: ${text}`);
  for (const expected of says) assert.match(rules.join("\n"), expected);
}

/** Replaces the policies by those of other settings and waits until they are in force. */
export async function switchPolicies(plane: ControlPlane, wanted: Record<string, unknown>): Promise<void> {
  const settings = await forApiServer(plane, wanted);
  await applyBackstop(plane, []);
  await applyManifests(plane, policiesOf(settings));
  const backstop = backstopOf(settings);
  await applyBackstop(plane, backstop);
  const { posture } = resolveSettings(settings);
  await askCanary({ kubeconfig: plane.kubeconfig, timeoutSeconds: 60 }, posture, { backstop });
}

export interface PolicyObject {
  metadata: { name: string };
  spec: { rules: { name: string; match: { any: { resources: { kinds: string[] } }[] } }[] };
  status?: {
    autogen?: { rules?: { name: string }[] };
    conditions?: { type: string; status: string; message?: string }[];
  };
}

export const listPolicies = async (plane: ControlPlane): Promise<PolicyObject[]> =>
  (await requestObject<{ items: PolicyObject[] }>(plane.client, "GET", "/apis/kyverno.io/v1/clusterpolicies")).items;

/** Lets members of a group do in every namespace what the built-in role allows. */
export const grant = (plane: ControlPlane, group: string, role: string): Promise<unknown> =>
  requestObject(plane.client, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: `${group}-${role}` },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: group }],
  });
