import type { ClusterClient } from "../../kubernetes/client";
import { isManaged } from "../../kubernetes/manifest";
import {
  CLUSTER_POLICIES,
  CLUSTER_ROLES,
  CONFIG_MAPS,
  type KubeObject,
  objectName,
  POLICIES,
  type Resource,
} from "../../kubernetes/resources";
import { workloadKind } from "../../kubernetes/workloads";

/** One of Kyverno's controllers, as its Deployment says. */
export interface Controller {
  readonly name: string;
  readonly namespace: string;
  readonly component: string;
  readonly release: string;
  readonly image: string;
  /** Of its image's tag, as 1.10.7; absent where the tag is none. */
  readonly version?: string;
  readonly available: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A Kubernetes quantity; absent for no limit. */
  readonly memoryLimit?: string;
}

/** A policy that the guard did not make and that verifies images. */
export interface ForeignVerification {
  readonly name: string;
  /** Patterns of the images. */
  readonly images: readonly string[];
}

/** What a stack's promises rest on where somebody else runs Kyverno. */
export interface Installation {
  readonly namespace: string;
  readonly release: string;
  readonly controllers: readonly Controller[];
  /** Admission controllers of other installations. */
  readonly elsewhere: readonly Controller[];
  /** Data of Kyverno's own ConfigMap; absent where there is none. */
  readonly config?: Readonly<Record<string, string>>;
  /** ClusterRoles by which admins of namespaces may write Kyverno policies. */
  readonly aggregated: readonly string[];
  readonly verifications: readonly ForeignVerification[];
}

// biome-ignore lint/suspicious/noExplicitAny: what is read of it is checked field by field.
type Raw = KubeObject & Record<string, any>;

const COMPONENT = "app.kubernetes.io/component";
const ADMISSION = "admission-controller";

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
  const [own, admission, roles, clusterPolicies, policies] = await Promise.all([
    list(deployments, `app.kubernetes.io/instance=${releaseName}`, namespace),
    list(deployments, `${COMPONENT}=${ADMISSION}`),
    list(CLUSTER_ROLES),
    list(CLUSTER_POLICIES),
    list(POLICIES),
  ]);
  const controllers = own.flatMap(toController);
  const admissionController = controllers.find(({ component }) => component === ADMISSION);
  const configName = admissionController?.env.INIT_CONFIG ?? releaseName;
  const config = (await client.find(CONFIG_MAPS, configName, namespace)) as Raw | undefined;
  return {
    namespace,
    release: releaseName,
    controllers,
    elsewhere: admission
      .flatMap(toController)
      .filter((one) => isKyverno(one) && !(one.namespace === namespace && one.release === releaseName)),
    ...(config ? { config: config.data ?? {} } : {}),
    aggregated: roles.filter(letsAdminsWritePolicies).map(({ metadata }) => metadata?.name ?? ""),
    verifications: [...clusterPolicies, ...policies].filter((policy) => !isManaged(policy)).flatMap(toVerification),
  };
}

function toController({ metadata, spec, status }: Raw): Controller[] {
  const labels = metadata?.labels ?? {};
  const component = labels[COMPONENT];
  const container = spec?.template?.spec?.containers?.[0];
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
      ...(memoryLimit ? { memoryLimit: String(memoryLimit) } : {}),
    },
  ];
}

/** Other projects have an admission controller too. */
function isKyverno({ image }: Controller): boolean {
  return /\/kyverno[:@]|(^|\/)kyverno\//.test(image);
}

const AGGREGATED = ["admin", "edit"].map((role) => `rbac.authorization.k8s.io/aggregate-to-${role}`);
const WRITES = ["create", "update", "patch", "*"];

function letsAdminsWritePolicies({ metadata, rules }: Raw): boolean {
  if (!AGGREGATED.some((label) => metadata?.labels?.[label] === "true")) return false;
  const has = (list: unknown, ...wanted: string[]) =>
    Array.isArray(list) && list.some((item) => wanted.includes(String(item)));
  return (Array.isArray(rules) ? rules : []).some(
    ({ apiGroups, resources, verbs }) =>
      has(apiGroups, "kyverno.io", "*") && has(resources, "policies", "*") && has(verbs, ...WRITES),
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
