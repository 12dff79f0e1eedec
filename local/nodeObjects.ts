import type { KubeConfig, V1Pod } from "@kubernetes/client-node";
import type { ControlPlane } from "./controlPlane";
import { nameOf } from "./podStatus";
import { loopback } from "./ports";
import { request, requestObject } from "./request";

export const nodeName = "local";

const podPath = (pod: V1Pod) => `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}`;

export async function patchStatus(client: KubeConfig, pod: V1Pod, status: object): Promise<void> {
  const body = { metadata: { uid: pod.metadata?.uid }, status };
  const { status: code, body: text } = await request(
    client,
    "PATCH",
    `${podPath(pod)}/status`,
    body,
    "application/merge-patch+json",
  );
  // Gone, or another pod of that name by now: nothing to say any more.
  if (code >= 300 && code !== 404 && code !== 409) throw new Error(`status of ${nameOf(pod)}: ${text}`);
}

/** What the scheduler does with a pod that has no node. */
export async function bind(client: KubeConfig, pod: V1Pod): Promise<void> {
  if ((pod.spec?.schedulingGates ?? []).length > 0) return;
  const { name, namespace } = pod.metadata ?? {};
  const target = { apiVersion: "v1", kind: "Node", name: nodeName };
  const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace }, target };
  const { status } = await request(client, "POST", `${podPath(pod)}/binding`, binding);
  if (status >= 300 && status !== 404 && status !== 409) throw new Error(`binding ${nameOf(pod)} answered ${status}`);
}

/** The last word of a kubelet about a pod whose programs have ended. */
export async function remove(client: KubeConfig, pod: V1Pod): Promise<void> {
  const body = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata?.uid } };
  const { status, body: text } = await request(client, "DELETE", podPath(pod), body);
  if (status >= 300 && status !== 404 && status !== 409) throw new Error(`deleting ${nameOf(pod)}: ${text}`);
}

/** The one big node, ready and without taints. */
export async function registerNode(plane: ControlPlane): Promise<void> {
  const { client } = plane;
  const now = new Date().toISOString();
  const labels = { "kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  const body = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels } };
  const { status, body: text } = await request(client, "POST", "/api/v1/nodes", body);
  if (status >= 300 && status !== 409) throw new Error(`could not register the node: ${text}`);
  const patch = (path: string, change: object) =>
    requestObject(client, "PATCH", `/api/v1/nodes/${nodeName}${path}`, change, "application/merge-patch+json");
  // Admission taints every new node as not ready.
  await patch("", { spec: { taints: null } });
  const size = { cpu: "64", memory: "256Gi", pods: "1000", "ephemeral-storage": "500Gi" };
  await patch("/status", {
    status: {
      capacity: size,
      allocatable: size,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Local",
          message: "a stand-in",
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
      addresses: [{ type: "InternalIP", address: loopback }],
    },
  });
}
