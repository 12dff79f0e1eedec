import { gunzipSync } from "node:zlib";
import { BACKSTOP_SELECTOR } from "../../components/backstop/manifests";
import { ClusterClient, type ListOptions } from "../../components/kubernetes/client";
import type { ClusterAccess } from "../../components/kubernetes/kubeConfig";
import type { Manifest } from "../../components/kubernetes/manifest";
import {
  ADMISSION_BINDINGS,
  ADMISSION_POLICIES,
  CLUSTER_POLICIES,
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
import { ROLE_LABEL } from "../../components/policies/names";
import { apiLocation, parseReference } from "../images/reference";
import { RegistryClient, RegistryError } from "../images/registry";
import type { Progress } from "../terminal/progress";
import { ask } from "./api";
import { engineFacts } from "./engineFacts";
import type {
  ClusterFacts,
  Commands,
  DeploymentFacts,
  ExceptionObject,
  Facts,
  PodFacts,
  PolicyObject,
  RegistryFacts,
  ReleaseFacts,
  ReportFacts,
  StackFacts,
  WebhookConfiguration,
} from "./facts";

export interface Survey {
  /** The cluster, or why it is not even known which one. */
  readonly config: ClusterAccess | { readonly problem: string };
  readonly namespace: string;
  readonly release: string;
  readonly stack?: StackFacts;
  readonly commands: Commands;
  readonly now: Date;
  readonly progress: Progress;
}

/** Asks everybody, and never fails: what can't be seen is part of the answer. */
export async function gatherFacts(survey: Survey): Promise<Facts> {
  const { now, commands, namespace, release, stack, progress } = survey;
  progress.say("asking the registries and the engine");
  const outside = Promise.all([registryFacts(stack), engineFacts()]);
  progress.say("asking the cluster");
  const inside = await clusterFacts(survey);
  const [registries, engine] = await outside;
  progress.done();
  return { now, commands, namespace, release, ...(stack ? { stack } : {}), ...inside, registries, engine };
}

type ClusterPart = Omit<Facts, "now" | "commands" | "namespace" | "release" | "stack" | "registries" | "engine">;

const BY_KYVERNO = "webhook.kyverno.io/managed-by=kyverno";

async function clusterFacts({ config, namespace, release, stack, commands }: Survey): Promise<ClusterPart> {
  const { kubectl } = commands;
  if ("problem" in config) return nothing({ unknown: config.problem, fix: `${kubectl} config get-contexts` });
  const client = new ClusterClient(config);
  const asked = <T>(question: () => Promise<T>) => ask(question, kubectl);
  const cluster: Facts["cluster"] = await asked(() => readCluster(client));
  if ("unknown" in cluster) return nothing(cluster.fix ? cluster : { ...cluster, fix: `${kubectl} cluster-info` });
  const list = async (resource: Resource, options?: ListOptions) =>
    ((await client.list(resource, options)) ?? []) as Raw[];
  const [deployments, pods, releases, heartbeat, webhooks, backstop, certificates, crds, policies] = await Promise.all([
    asked(async () => (await list(workloadKind("Deployment"), { namespace })).flatMap(toDeployment)),
    asked(async () => (await list(workloadKind("Pod"), { namespace })).map(toPod)),
    asked(async () => (await list(SECRETS, { namespace, labelSelector: "owner=helm" })).map(toRelease)),
    asked(() => readHeartbeat(client, namespace)),
    asked(async () => [
      ...(await list(MUTATING_WEBHOOKS, { labelSelector: BY_KYVERNO })).map(toWebhooks("mutating")),
      ...(await list(VALIDATING_WEBHOOKS, { labelSelector: BY_KYVERNO })).map(toWebhooks("validating")),
    ]),
    asked(async () => {
      const kinds = [ADMISSION_POLICIES, ADMISSION_BINDINGS, MUTATING_WEBHOOKS];
      const lists = kinds.map(async (kind) => {
        const found = await list(kind, { labelSelector: BACKSTOP_SELECTOR });
        return found.map((one) => ({ ...one, kind: kind.kind }) as unknown as Manifest);
      });
      return (await Promise.all(lists)).flat();
    }),
    asked(() => readCertificates(client, namespace, release)),
    asked(() => readKinds(client)),
    asked(async () => [
      ...(await list(CLUSTER_POLICIES)).map(toPolicy("ClusterPolicy")),
      ...(await list(POLICIES)).map(toPolicy("Policy")),
    ]),
  ]);
  const trustName = stack?.compiled.trust?.metadata.name;
  const data = async (name: string) => {
    const map = await client.find<KubeObject & { data?: Record<string, string> }>(CONFIG_MAPS, name, namespace);
    return map && (map.data ?? {});
  };
  const [settings, trustMap, pullSecrets, reports, exceptions] = await Promise.all([
    asked(() => data(release)),
    trustName ? asked(() => data(trustName)) : { known: undefined },
    asked(() => presentSecrets(client, namespace, stack?.resolved.posture.kyverno.registrySecrets ?? [])),
    asked(() => readReports(client)),
    asked(() => readExceptions(client)),
  ]);
  return {
    cluster,
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

/** An object as the API server sends it. */
// biome-ignore lint/suspicious/noExplicitAny: what is read of it is checked field by field.
type Raw = { readonly metadata: KubeObject["metadata"] & { readonly name: string } } & Record<string, any>;

function toDeployment(raw: Raw): DeploymentFacts[] {
  const component = raw.metadata.labels?.["app.kubernetes.io/component"];
  if (!component) return [];
  const pod = raw.spec?.template?.spec ?? {};
  const container = pod.containers?.[0] ?? {};
  const mounted = new Set((container.volumeMounts ?? []).map(({ name }: { name: string }) => name));
  const volumes = (pod.volumes ?? []).filter(({ name }: { name: string }) => mounted.has(name));
  return [
    {
      name: raw.metadata.name,
      component,
      wanted: raw.spec?.replicas ?? 1,
      available: raw.status?.availableReplicas ?? 0,
      image: container.image ?? "",
      args: container.args ?? [],
      env: Object.fromEntries(
        (container.env ?? []).map((one: { name: string; value?: string }) => [one.name, one.value ?? ""]),
      ),
      configMaps: volumes.flatMap(({ configMap }: { configMap?: { name?: string } }) => configMap?.name ?? []),
    },
  ];
}

interface ContainerStatus {
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string } };
  readonly lastState?: { readonly terminated?: { readonly reason?: string } };
}

/** Waiting for their own start is what new containers do. */
const HARMLESS = ["PodInitializing", "ContainerCreating"];

function toPod({ metadata, status }: Raw): PodFacts {
  const statuses: ContainerStatus[] = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const ends = statuses.flatMap(({ lastState }) => lastState?.terminated?.reason ?? []);
  const reasons = statuses.flatMap(({ state }) => state?.waiting?.reason ?? []);
  return {
    name: metadata.name,
    waiting: reasons.filter((reason) => !HARMLESS.includes(reason)),
    restarts: statuses.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0),
    ...(ends[0] ? { lastEnd: ends.find((end) => end === "OOMKilled") ?? ends[0] } : {}),
  };
}

/** Helm keeps each revision as a secret: gzipped JSON, encoded twice. */
function toRelease({ metadata, data }: Raw): ReleaseFacts {
  const labels = metadata.labels ?? {};
  let chart: { name?: string; version?: string; appVersion?: string } = {};
  try {
    const packed = Buffer.from(Buffer.from(data?.release ?? "", "base64").toString(), "base64");
    chart = JSON.parse(gunzipSync(packed, { maxOutputLength: 64 << 20 }).toString()).chart?.metadata ?? {};
  } catch {
    // Its labels tell the rest.
  }
  return {
    name: labels.name ?? "",
    revision: Number(labels.version ?? 0),
    status: labels.status ?? "unknown",
    secret: metadata.name,
    ...(chart.version ? { chart: `${chart.name}-${chart.version}`, appVersion: chart.appVersion ?? "" } : {}),
  };
}

async function readHeartbeat(client: ClusterClient, namespace: string): Promise<Date | undefined> {
  const lease = await client.find(LEASES, "kyverno-health", namespace);
  const time = Date.parse(lease?.metadata?.annotations?.["kyverno.io/last-request-time"] ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}

interface Selector {
  readonly matchLabels?: Record<string, string>;
  readonly matchExpressions?: { readonly key: string; readonly operator: string; readonly values?: string[] }[];
}

function toWebhooks(kind: "mutating" | "validating"): (raw: Raw) => WebhookConfiguration {
  return ({ metadata, webhooks }) => ({
    kind,
    name: metadata.name,
    webhooks: (webhooks ?? []).map((hook: Raw) => {
      const namespaces: Selector = hook.namespaceSelector ?? {};
      const objects: Selector = hook.objectSelector ?? {};
      const byName = (namespaces.matchExpressions ?? []).filter(
        ({ key, operator }) => key === "kubernetes.io/metadata.name" && operator === "NotIn",
      );
      return {
        name: String(hook.name),
        failurePolicy: hook.failurePolicy ?? "Fail",
        caBundle: Buffer.from(hook.clientConfig?.caBundle ?? "", "base64").toString(),
        excluded: byName.flatMap(({ values = [] }) => values),
        otherConditions:
          conditions(namespaces) - byName.length + conditions(objects) + (hook.matchConditions ?? []).length,
        calledForPods: ["CREATE", "UPDATE"].every((operation) =>
          ((hook.rules ?? []) as WebhookRule[]).some((rule) => isForPods(rule, operation)),
        ),
      };
    }),
  });
}

interface WebhookRule {
  readonly apiGroups?: string[];
  readonly resources?: string[];
  readonly operations?: string[];
}

function isForPods({ apiGroups = [], resources = [], operations = [] }: WebhookRule, operation: string): boolean {
  const has = (list: readonly string[], ...wanted: string[]) => list.some((one) => one === "*" || wanted.includes(one));
  return has(apiGroups, "") && has(resources, "pods", "*/*") && has(operations, operation);
}

function conditions({ matchLabels = {}, matchExpressions = [] }: Selector): number {
  return Object.keys(matchLabels).length + matchExpressions.length;
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
    ["kyverno.io/v1", "wgpolicyk8s.io/v1alpha2"].map(async (group) => {
      const found = await client.findPath<{ resources?: { name: string }[] }>(`/apis/${group}`);
      const names = (found?.resources ?? []).map(({ name }) => name).filter((name) => !name.includes("/"));
      return names.map((name) => `${name}.${group.split("/")[0]}`);
    }),
  );
  return groups.flat();
}

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly message?: string;
}

function toPolicy(kind: PolicyObject["kind"]): (raw: Raw) => PolicyObject {
  return ({ metadata, spec, status }) => {
    const ready = ((status?.conditions ?? []) as Condition[]).find(({ type }) => type === "Ready");
    const role = metadata.labels?.[ROLE_LABEL];
    const writers = (metadata.managedFields ?? []).filter(({ fieldsV1 }) => fieldsV1 && "f:spec" in fieldsV1);
    return {
      kind,
      name: metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name,
      ...(role ? { role } : {}),
      spec: spec ?? {},
      annotations: metadata.annotations ?? {},
      ...(ready ? { ready: ready.status === "True" } : {}),
      ...(ready?.message ? { readyMessage: ready.message } : {}),
      managers: writers.flatMap(({ manager }) => manager ?? []),
    };
  };
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
  return items?.map(({ metadata, spec }) => ({
    name: `${metadata.namespace}/${metadata.name}`,
    policies: (spec?.exceptions ?? []).map(({ policyName }: { policyName?: string }) => policyName ?? ""),
  }));
}

/** Each place that the stack's images come from, asked at once; a wildcard's registry can only be asked as a whole. */
async function registryFacts(stack: StackFacts | undefined): Promise<RegistryFacts[]> {
  const patterns = (stack?.resolved.posture.images ?? []).flatMap(({ repositories, signatureRepository }) => [
    ...repositories,
    ...(signatureRepository ? [signatureRepository] : []),
  ]);
  const places = new Map<string, { host: string; repository?: string }>();
  for (const pattern of patterns) {
    const isName = !/[*?]/.test(pattern);
    const { registry, path } = isName
      ? parseReference(pattern)
      : { registry: pattern.split("/")[0]!, path: pattern.split("/").slice(1).join("/") };
    if (/[*?]/.test(registry)) continue;
    const { host, repository } = apiLocation(registry, path);
    const place = isName ? { host, repository } : { host };
    places.set(JSON.stringify(place), place);
  }
  return Promise.all([...places.values()].map(askRegistry));
}

async function askRegistry(place: { host: string; repository?: string }): Promise<RegistryFacts> {
  const client = new RegistryClient(place.host);
  try {
    await client.access(place.repository);
    return place;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { ...place, trouble: error.trouble, message: error.message };
  } finally {
    await client.close();
  }
}
