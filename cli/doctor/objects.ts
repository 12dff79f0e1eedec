import { gunzipSync } from "node:zlib";
import type { KubeObject } from "../../components/kubernetes/resources";
import { isReady, notReadyBecause } from "../../components/policies/kinds";
import { ROLE_LABEL } from "../../components/policies/names";
import type {
  DeploymentFacts,
  ExceptionObject,
  PodFacts,
  PolicyObject,
  ReleaseFacts,
  WebhookConfiguration,
} from "./facts";

/** An object as the API server sends it. */
// biome-ignore lint/suspicious/noExplicitAny: what is read of it is checked field by field.
export type Raw = { readonly metadata: KubeObject["metadata"] & { readonly name: string } } & Record<string, any>;

export function toDeployment(raw: Raw): DeploymentFacts[] {
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

export function toPod({ metadata, status }: Raw): PodFacts {
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
export function toRelease({ metadata, data }: Raw): ReleaseFacts {
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

interface Selector {
  readonly matchLabels?: Record<string, string>;
  readonly matchExpressions?: { readonly key: string; readonly operator: string; readonly values?: string[] }[];
}

export function toWebhooks(kind: "mutating" | "validating"): (raw: Raw) => WebhookConfiguration {
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
        otherConditions: conditions(namespaces) - byName.length + conditions(objects),
        matchConditions: (hook.matchConditions ?? []).map(({ expression }: { expression: string }) => expression),
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

export function toPolicy(kind: PolicyObject["kind"]): (raw: Raw) => PolicyObject {
  return ({ metadata, spec, status }) => {
    const why = notReadyBecause({ status });
    const role = metadata.labels?.[ROLE_LABEL];
    const writers = (metadata.managedFields ?? []).filter(({ fieldsV1 }) => fieldsV1 && "f:spec" in fieldsV1);
    return {
      kind,
      name: metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name,
      ...(role ? { role } : {}),
      spec: spec ?? {},
      annotations: metadata.annotations ?? {},
      ...(status ? { ready: isReady({ status }) } : {}),
      ...(why ? { readyMessage: why } : {}),
      managers: writers.flatMap(({ manager }) => manager ?? []),
    };
  };
}

export function toException({ metadata, spec }: Raw): ExceptionObject {
  return {
    name: `${metadata.namespace}/${metadata.name}`,
    policies: (spec?.exceptions ?? []).map(({ policyName }: { policyName?: string }) => policyName ?? ""),
  };
}
