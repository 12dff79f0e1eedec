import { BACKSTOP_SELECTOR } from "../../components/backstop/manifests";
import { HEALTH_LEASE } from "../../components/backstop/webhooks";
import { ClusterClient, type ListOptions } from "../../components/kubernetes/client";
import type { ClusterAccess } from "../../components/kubernetes/kubeConfig";
import type { Manifest } from "../../components/kubernetes/manifest";
import {
  ADMISSION_BINDINGS,
  ADMISSION_POLICIES,
  CONFIG_MAPS,
  type KubeObject,
  LEASES,
  MUTATING_WEBHOOKS,
  POLICIES,
  POLICY_EXCEPTIONS,
  POLICY_REPORTS,
  type Resource,
  SECRETS,
  VALIDATING_WEBHOOKS,
} from "../../components/kubernetes/resources";
import { workloadKind } from "../../components/kubernetes/workloads";
import { readInstallation } from "../../components/kyverno/installed/facts";
import { POLICY_KINDS } from "../../components/policies/kinds";
import { isServed } from "../cluster/source";
import { ask } from "./api";
import type {
  ClusterFacts,
  Commands,
  ExceptionObject,
  Facts,
  PolicyObject,
  ReportFacts,
  StackFacts,
  WebhookConfiguration,
} from "./facts";
import { type Raw, toDeployment, toException, toPod, toPolicy, toRelease, toWebhooks } from "./objects";

export interface ClusterSurvey {
  /** The cluster, or why it is not even known which one. */
  readonly config: ClusterAccess | { readonly problem: string };
  readonly namespace: string;
  readonly release: string;
  readonly stack?: StackFacts;
  readonly commands: Commands;
}

type List = (resource: Resource, options?: ListOptions) => Promise<Raw[]>;

export type ClusterPart = Omit<Facts, "now" | "commands" | "namespace" | "release" | "stack" | "registries" | "engine">;

const BY_KYVERNO = "webhook.kyverno.io/managed-by=kyverno";

/** What the cluster says. Where it can't be asked at all, nothing is known of any part. */
export async function clusterFacts({
  config,
  namespace,
  release,
  stack,
  commands,
}: ClusterSurvey): Promise<ClusterPart> {
  const { kubectl } = commands;
  if ("problem" in config) return nothing({ unknown: config.problem, fix: `${kubectl} config get-contexts` });
  const client = new ClusterClient(config);
  const asked = <T>(question: () => Promise<T>) => ask(question, kubectl);
  const cluster: Facts["cluster"] = await asked(() => readCluster(client));
  if ("unknown" in cluster) return nothing(cluster.fix ? cluster : { ...cluster, fix: `${kubectl} cluster-info` });
  const list: List = async (resource, options) => ((await client.list(resource, options)) ?? []) as Raw[];
  const [deployments, pods, releases, heartbeat, webhooks, backstop, certificates, crds, policies] = await Promise.all([
    asked(async () => (await list(workloadKind("Deployment"), { namespace })).flatMap(toDeployment)),
    asked(async () => (await list(workloadKind("Pod"), { namespace })).map(toPod)),
    asked(async () => (await list(SECRETS, { namespace, labelSelector: "owner=helm" })).map(toRelease)),
    asked(() => readHeartbeat(client, namespace)),
    asked(() => readWebhooks(list)),
    asked(() => readBackstop(list)),
    asked(() => readCertificates(client, namespace, release)),
    asked(() => readKinds(client)),
    asked(() => readPolicies(client, list)),
  ]);
  const trustName = stack?.compiled.trust?.metadata.name;
  const [settings, trustMap, pullSecrets, reports, exceptions] = await Promise.all([
    asked(() => readMap(client, namespace, release)),
    trustName ? asked(() => readMap(client, namespace, trustName)) : { known: undefined },
    asked(() => presentSecrets(client, namespace, stack?.resolved.posture.kyverno.registrySecrets ?? [])),
    asked(() => readReports(client)),
    asked(() => readExceptions(client)),
  ]);
  const isForeign = stack?.resolved.posture.kyverno.install === false;
  return {
    cluster,
    ...(isForeign
      ? { installation: await asked(() => readInstallation(client, { namespace, releaseName: release })) }
      : {}),
    releases,
    deployments,
    pods,
    heartbeat,
    webhooks,
    backstop,
    certificates,
    crds,
    policies,
    config: settings,
    trustMap,
    pullSecrets,
    reports,
    exceptions,
  };
}

function nothing(why: { unknown: string; fix?: string }): ClusterPart {
  const parts = [
    ...[
      "cluster",
      "releases",
      "deployments",
      "pods",
      "heartbeat",
      "webhooks",
      "backstop",
      "certificates",
      "crds",
      "policies",
    ],
    ...["config", "trustMap", "pullSecrets", "reports", "exceptions"],
  ];
  return Object.fromEntries(parts.map((part) => [part, why])) as unknown as ClusterPart;
}

async function readCluster(client: ClusterClient): Promise<ClusterFacts> {
  const version = await client.findPath<{ gitVersion?: string }>("/version");
  const { server, skewSeconds } = client;
  if (!version?.gitVersion) throw new Error(`${server} does not say its version: is it an API server?`);
  return { server, version: version.gitVersion, ...(skewSeconds === undefined ? {} : { skewSeconds }) };
}

async function readHeartbeat(client: ClusterClient, namespace: string): Promise<Date | undefined> {
  const lease = await client.find(LEASES, HEALTH_LEASE, namespace);
  const time = Date.parse(lease?.metadata?.annotations?.["kyverno.io/last-request-time"] ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}

async function readWebhooks(list: List): Promise<WebhookConfiguration[]> {
  return [
    ...(await list(MUTATING_WEBHOOKS, { labelSelector: BY_KYVERNO })).map(toWebhooks("mutating")),
    ...(await list(VALIDATING_WEBHOOKS, { labelSelector: BY_KYVERNO })).map(toWebhooks("validating")),
  ];
}

async function readBackstop(list: List): Promise<Manifest[]> {
  const kinds = [ADMISSION_POLICIES, ADMISSION_BINDINGS, MUTATING_WEBHOOKS];
  const lists = kinds.map(async (kind) => {
    const found = await list(kind, { labelSelector: BACKSTOP_SELECTOR });
    return found.map((one) => ({ ...one, kind: kind.kind }) as unknown as Manifest);
  });
  return (await Promise.all(lists)).flat();
}

async function readPolicies(client: ClusterClient, list: List): Promise<PolicyObject[]> {
  const found: PolicyObject[] = [];
  // One after the other, so that it is always the same right which is said to lack first.
  for (const kind of [...POLICY_KINDS, POLICIES])
    if (await isServed(client, kind)) found.push(...(await list(kind)).map(toPolicy(kind.kind)));
  return found;
}

async function readMap(
  client: ClusterClient,
  namespace: string,
  name: string,
): Promise<Record<string, string> | undefined> {
  const map = await client.find<KubeObject & { data?: Record<string, string> }>(CONFIG_MAPS, name, namespace);
  return map && (map.data ?? {});
}

async function readCertificates(
  client: ClusterClient,
  namespace: string,
  release: string,
): Promise<{ ca?: string; pair?: string }> {
  const read = async (part: string) => {
    const name = `${release}-svc.${namespace}.svc.kyverno-tls-${part}`;
    const secret = await client.find<KubeObject & { data?: Record<string, string> }>(SECRETS, name, namespace);
    const text = secret?.data?.["tls.crt"] ?? secret?.data?.["rootCA.crt"];
    return text ? Buffer.from(text, "base64").toString() : undefined;
  };
  const [ca, pair] = [await read("ca"), await read("pair")];
  return { ...(ca ? { ca } : {}), ...(pair ? { pair } : {}) };
}

async function readKinds(client: ClusterClient): Promise<string[]> {
  const groups = await Promise.all(
    ["kyverno.io/v1", "policies.kyverno.io/v1", "wgpolicyk8s.io/v1alpha2"].map(async (group) => {
      const found = await client.findPath<{ resources?: { name: string }[] }>(`/apis/${group}`);
      const names = (found?.resources ?? []).map(({ name }) => name).filter((name) => !name.includes("/"));
      return names.map((name) => `${name}.${group.split("/")[0]}`);
    }),
  );
  return groups.flat();
}

async function presentSecrets(client: ClusterClient, namespace: string, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map(async (name) => ((await client.find(SECRETS, name, namespace)) ? [name] : [])),
  );
  return found.flat();
}

async function readReports(client: ClusterClient): Promise<ReportFacts> {
  const items = (await client.list(POLICY_REPORTS, { metadataOnly: true })) ?? [];
  const times = items.flatMap(({ metadata = {} }) => [
    Date.parse(metadata.creationTimestamp ?? ""),
    ...(metadata.managedFields ?? []).map(({ time }) => Date.parse(time ?? "")),
  ]);
  const newest = times.filter((time) => !Number.isNaN(time)).reduce((a, b) => Math.max(a, b), 0);
  return { count: items.length, ...(newest > 0 ? { newest: new Date(newest) } : {}) };
}

async function readExceptions(client: ClusterClient): Promise<ExceptionObject[] | undefined> {
  const items = (await client.list(POLICY_EXCEPTIONS)) as Raw[] | undefined;
  return items?.map(toException);
}
