import * as fs from "node:fs";
import * as path from "node:path";
import type { KubeConfig, V1ConfigMap, V1Container, V1Pod, V1Secret, V1Volume } from "@kubernetes/client-node";
import { kubeConfig } from "./kubeConfig";
import { fieldOf, type Mounts } from "./podPlan";
import { ApiError, requestObject } from "./request";

/** Reads the ConfigMaps and Secrets of one pod and writes what a kubelet would mount. */
export interface PodFiles {
  mounts: Mounts;
  env: Record<string, string>;
  /** Path of a kubeconfig of the pod's service account. */
  kubeconfig: string;
}

export async function preparePod(
  client: KubeConfig,
  pod: V1Pod,
  container: V1Container,
  folder: string,
): Promise<PodFiles> {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const source = sources(client, pod.metadata?.namespace ?? "default");
  const mounts: Record<string, string> = {};
  for (const mount of container.volumeMounts ?? []) {
    const volume = pod.spec?.volumes?.find((v) => v.name === mount.name);
    if (volume === undefined) continue;
    const target = path.join(folder, "volumes", volume.name);
    await writeVolume(source, volume, target);
    mounts[mount.mountPath] = mount.subPath === undefined ? target : path.join(target, mount.subPath);
  }
  return {
    mounts,
    env: await containerEnv(source, pod, container),
    kubeconfig: await podKubeconfig(client, pod, folder),
  };
}

type Sources = ReturnType<typeof sources>;

function sources(client: KubeConfig, namespace: string) {
  const read = async <T>(kind: string, name: string, optional: boolean | undefined): Promise<T | undefined> => {
    try {
      return await requestObject<T>(client, "GET", `/api/v1/namespaces/${namespace}/${kind}/${name}`);
    } catch (error) {
      if (optional && error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  };
  return {
    configMap: async (name: string, optional?: boolean) => {
      const found = await read<V1ConfigMap>("configmaps", name, optional);
      return { ...decode(found?.binaryData), ...bytes(found?.data) };
    },
    secret: async (name: string, optional?: boolean) => decode((await read<V1Secret>("secrets", name, optional))?.data),
  };
}

const bytes = (data: Record<string, string> = {}) => mapValues(data, (text) => Buffer.from(text));
const decode = (data: Record<string, string> = {}) => mapValues(data, (text) => Buffer.from(text, "base64"));
const mapValues = <A, B>(record: Record<string, A>, change: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

async function writeVolume(source: Sources, volume: V1Volume, folder: string): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  const { configMap, secret } = volume;
  const content = configMap?.name
    ? await source.configMap(configMap.name, configMap.optional)
    : secret?.secretName
      ? await source.secret(secret.secretName, secret.optional)
      : {};
  const items = configMap?.items ?? secret?.items ?? Object.keys(content).map((key) => ({ key, path: key }));
  for (const item of items) {
    const target = path.join(folder, item.path);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    if (content[item.key] !== undefined) fs.writeFileSync(target, content[item.key] as Buffer);
  }
}

async function containerEnv(source: Sources, pod: V1Pod, container: V1Container): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for (const from of container.envFrom ?? []) {
    const data = from.configMapRef?.name
      ? await source.configMap(from.configMapRef.name, from.configMapRef.optional)
      : from.secretRef?.name
        ? await source.secret(from.secretRef.name, from.secretRef.optional)
        : {};
    for (const [key, value] of Object.entries(data)) env[`${from.prefix ?? ""}${key}`] = value.toString();
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom ?? {};
    const found = fieldRef
      ? fieldOf(pod, fieldRef.fieldPath)
      : configMapKeyRef?.name
        ? (await source.configMap(configMapKeyRef.name, configMapKeyRef.optional))[configMapKeyRef.key]?.toString()
        : secretKeyRef?.name
          ? (await source.secret(secretKeyRef.name, secretKeyRef.optional))[secretKeyRef.key]?.toString()
          : (value ?? "");
    if (found !== undefined) env[name] = found;
  }
  return env;
}

/** The pod acts with its own rights, so that the chart's RBAC is tested too. */
async function podKubeconfig(client: KubeConfig, pod: V1Pod, folder: string): Promise<string> {
  const { namespace, name, uid } = pod.metadata ?? {};
  const account = pod.spec?.serviceAccountName ?? "default";
  const answer = await requestObject<{ status: { token: string } }>(
    client,
    "POST",
    `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 86_400, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    },
  );
  const cluster = client.getCurrentCluster();
  const ca = Buffer.from(cluster?.caData ?? "", "base64").toString();
  const file = path.join(folder, "kubeconfig");
  const config = kubeConfig(cluster?.server ?? "", ca, `system:serviceaccount:${namespace}:${account}`, answer.status);
  fs.writeFileSync(file, config.exportConfig(), { mode: 0o600 });
  return file;
}
