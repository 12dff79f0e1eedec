import type { ClusterClient } from "../../kubernetes/client";
import { isManaged } from "../../kubernetes/manifest";
import {
  CLUSTER_POLICIES,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  type KubeObject,
  MUTATING_WEBHOOKS,
  objectName,
  POLICIES,
  type Resource,
  SERVICE_ACCOUNTS,
  VALIDATING_WEBHOOKS,
} from "../../kubernetes/resources";
import { workloadKind } from "../../kubernetes/workloads";
import { KYVERNO_LINES } from "../../posture/kyvernoLines";
import { RESOURCE_WEBHOOKS } from "../../posture/kyvernoWebhooks";
import { mountsOf } from "./mounts";
import type { Controller, ForeignVerification, Installation } from "./types";

// biome-ignore lint/suspicious/noExplicitAny: what is read of it is checked field by field.
type Raw = KubeObject & Record<string, any>;

const COMPONENT = "app.kubernetes.io/component";
const ADMISSION = "admission-controller";
/** Up to Kyverno 1.9 one controller did everything, and was called by the project's name. */
const JUDGING: readonly string[] = [ADMISSION, "kyverno"];

export async function readInstallation(
  client: ClusterClient,
  { namespace, releaseName }: { readonly namespace: string; readonly releaseName: string },
): Promise<Installation> {
  const list = async (resource: Resource, labelSelector?: string, within?: string) =>
    ((await client.list(resource, {
      ...(labelSelector ? { labelSelector } : {}),
      ...(within ? { namespace: within } : {}),
    })) ?? []) as Raw[];
  const deployments = workloadKind("Deployment");
  const find = async (resource: Resource, name: string, within?: string) =>
    (await client.find(resource, name, within)) as Raw | undefined;
  // By label: a large cluster has thousands of Deployments.
  const [own, judging, roles, clusterPolicies, policies, mutating, validating] = await Promise.all([
    list(deployments, `app.kubernetes.io/instance=${releaseName}`, namespace),
    list(deployments, `${COMPONENT} in (${JUDGING.join(",")})`),
    list(CLUSTER_ROLES),
    list(CLUSTER_POLICIES),
    list(POLICIES),
    find(MUTATING_WEBHOOKS, RESOURCE_WEBHOOKS.mutating.configuration),
    find(VALIDATING_WEBHOOKS, RESOURCE_WEBHOOKS.validating.configuration),
  ]);
  const controllers = own.flatMap(toController);
  const isOwn = (one: Controller) => one.namespace === namespace && one.release === releaseName;
  const admissionController = controllers.find(({ component }) => component === ADMISSION);
  const config = await find(CONFIG_MAPS, admissionController?.env.INIT_CONFIG ?? releaseName, namespace);
  /** Objects of Kyverno's namespace that its controllers name, by name; those that are not there are left out. */
  const named = async (
    resource: Resource,
    names: readonly string[],
    part: (found: Raw) => Readonly<Record<string, string>> | undefined,
  ) => {
    const found = await Promise.all([...new Set(names)].map((name) => find(resource, name, namespace)));
    return Object.fromEntries(found.flatMap((one) => (one ? [[one.metadata?.name ?? "", part(one) ?? {}]] : [])));
  };
  const mounted = controllers.flatMap(({ mounts }) => mounts.map(({ configMap }) => configMap));
  const accounts = controllers.map(({ serviceAccount }) => serviceAccount);
  return {
    namespace,
    release: releaseName,
    controllers,
    elsewhere: judging.flatMap(toController).filter((one) => isKyverno(one.image) && !isOwn(one)),
    configMaps: await named(CONFIG_MAPS, mounted, ({ data }) => data),
    serviceAccounts: await named(SERVICE_ACCOUNTS, accounts, ({ metadata }) => metadata?.annotations),
    registered: [mutating, validating].flatMap((one) => (Array.isArray(one?.webhooks) ? one.webhooks : [])),
    ...(config ? { config: config.data ?? {} } : {}),
    aggregated: roles.filter(letsAdminsWritePolicies).map(({ metadata }) => metadata?.name ?? ""),
    verifications: [...clusterPolicies, ...policies].filter((policy) => !isManaged(policy)).flatMap(toVerification),
  };
}

function toController({ metadata, spec, status }: Raw): Controller[] {
  const labels = metadata?.labels ?? {};
  const component = labels[COMPONENT];
  const pod: Raw = spec?.template?.spec ?? {};
  const containers: Raw[] = pod.containers ?? [];
  // A mesh may have put its own before it.
  const container = containers.find((one) => isKyverno(String(one.image ?? ""))) ?? containers[0];
  if (!component || !container) return [];
  const image = String(container.image ?? "");
  const version = /:v?(\d+\.\d+\.\d+)/.exec(image)?.[1];
  const memoryLimit = container.resources?.limits?.memory;
  return [
    {
      name: metadata?.name ?? "",
      namespace: metadata?.namespace ?? "",
      component,
      release: labels["app.kubernetes.io/instance"] ?? "",
      image,
      ...(version ? { version } : {}),
      available: status?.availableReplicas ?? 0,
      args: (container.args ?? []).map(String),
      env: Object.fromEntries(
        (container.env ?? []).map((one: { name: string; value?: string }) => [one.name, one.value ?? ""]),
      ),
      mounts: mountsOf(pod, container),
      serviceAccount: pod.serviceAccountName ?? "default",
      ...(memoryLimit ? { memoryLimit: String(memoryLimit) } : {}),
    },
  ];
}

/** Other projects have an admission controller too. */
function isKyverno(image: string): boolean {
  return /\/kyverno[:@]|(^|\/)kyverno\//.test(image);
}

const AGGREGATED = ["admin", "edit"].map((role) => `rbac.authorization.k8s.io/aggregate-to-${role}`);
const NAMESPACED = Object.values(KYVERNO_LINES).flatMap(({ namespacedPolicies }) => namespacedPolicies);
const WRITES = ["create", "update", "patch", "*"];

function letsAdminsWritePolicies({ metadata, rules }: Raw): boolean {
  if (!AGGREGATED.some((label) => metadata?.labels?.[label] === "true")) return false;
  const has = (list: unknown, ...wanted: string[]) =>
    Array.isArray(list) && list.some((item) => wanted.includes(String(item)));
  return (Array.isArray(rules) ? rules : []).some(
    ({ apiGroups, resources, verbs }) =>
      has(verbs, ...WRITES) &&
      NAMESPACED.some(({ group, plural }) => has(apiGroups, group, "*") && has(resources, plural, "*")),
  );
}

function toVerification(policy: Raw): ForeignVerification[] {
  const { spec } = policy;
  const rules: Raw[] = Array.isArray(spec?.rules) ? spec.rules : [];
  const images = rules
    .flatMap(({ verifyImages }) => (Array.isArray(verifyImages) ? verifyImages : []))
    .flatMap(({ imageReferences, image }: { imageReferences?: unknown; image?: unknown }) => [
      ...(Array.isArray(imageReferences) ? imageReferences : []),
      ...(image ? [image] : []),
    ])
    .map(String);
  return images.length > 0 ? [{ name: objectName(policy), images }] : [];
}
