import type { Json, Manifest } from "../kubernetes/manifest";
import { NAMESAKES } from "../policies/place";
import { KYVERNO_LINES, TRUST_VOLUME } from "../posture/kyvernoLines";
import type { KyvernoPlan, Posture, Resolved } from "../posture/types";
import { scrapeValues } from "./metrics";
import { cloudIdentity, hostNetworkValues, platformValues, proxyVariables } from "./platforms";
import { TRUST_MOUNT_PATH, TUF_ROOT_FILE, trustVariables, trustVolume } from "./trustFiles";

/**
 * Requests that no policy looks at. The chart's list without its ReplicaSet entry: with it, an unsigned or bypassed
 * ReplicaSet would never be seen. Objects of Kyverno's own namespace are added by the chart.
 */
const RESOURCE_FILTERS = [
  "Event",
  "Node",
  "Node/*",
  "APIService",
  "APIService/*",
  "TokenReview",
  "SubjectAccessReview",
  "SelfSubjectAccessReview",
  "Binding",
  "Pod/binding",
  "AdmissionReport",
  "AdmissionReport/*",
  "ClusterAdmissionReport",
  "ClusterAdmissionReport/*",
  "BackgroundScanReport",
  "BackgroundScanReport/*",
  "ClusterBackgroundScanReport",
  "ClusterBackgroundScanReport/*",
  "EphemeralReport",
  "EphemeralReport/*",
  "ClusterEphemeralReport",
  "ClusterEphemeralReport/*",
];

/** Helm values of the chart: what the guard needs, with the user's values merged over it. */
export function chartValues(resolved: Resolved, trust: Manifest | undefined): Json {
  const { posture, materials } = resolved;
  const system = posture.namespaces.find((group) => group.name === "system")!.patterns;
  const { chartTakesBlocks, chartMigrates, adminsWritePolicies } = KYVERNO_LINES[posture.kyverno.target];
  const webhookFilter: Json = {
    namespaceSelector: {
      matchExpressions: [
        {
          key: "kubernetes.io/metadata.name",
          operator: "NotIn",
          values: system.filter((name) => name !== posture.kyverno.namespace),
        },
      ],
    },
  };
  const own: Json = {
    fullnameOverride: posture.kyverno.releaseName,
    crds: { install: true, ...(chartMigrates ? WITHOUT_MIGRATION : {}) },
    ...(adminsWritePolicies === "by a value" ? { rbac: { roles: { aggregate: { admin: false } } } } : {}),
    config: {
      // Kyverno is not even called for these, so its outage can't stop them. The chart adds Kyverno's own namespace.
      webhooks: chartTakesBlocks ? webhookFilter : [webhookFilter],
      excludeKyvernoNamespace: true,
      resourceFilters: [
        ...[...RESOURCE_FILTERS, ...NAMESAKES].map((kind) => `[${kind},*,*]`),
        ...system.filter((name) => name !== posture.kyverno.namespace).map((name) => `[*/*,${name},*]`),
      ],
      enableDefaultRegistryMutation: true,
      defaultRegistry: "docker.io",
      // The chart spares system:nodes; a stolen kubelet certificate could then run anything on any node.
      excludeGroups: [],
    },
    ...(posture.kyverno.registrySecrets.length > 0
      ? { existingImagePullSecrets: posture.kyverno.registrySecrets }
      : {}),
    features: {
      policyExceptions: posture.kyverno.exceptionsNamespace
        ? { enabled: true, namespace: posture.kyverno.exceptionsNamespace }
        : { enabled: false },
      forceFailurePolicyIgnore: { enabled: false },
      ...tufValues(posture),
      // One event for every admitted pod says nothing and fills etcd.
      omitEvents: { eventTypes: ["PolicyApplied"] },
    },
    ...cleanupValues(posture.kyverno),
    ...controllerValues(resolved.posture, trust),
  };
  if (posture.kyverno.install === false) return handedOver(own);
  return mergeValues(mergeValues(own, platformValues(posture.kyverno)), materials.values);
}

/** The update repository that bundles are believed by; the chart's own is the public one. */
function tufValues({ trust }: Posture): Json {
  if (!trust.tuf) return {};
  return { tuf: { enabled: true, mirror: trust.tuf.mirror, root: `/${TRUST_VOLUME}/${TUF_ROOT_FILE}` } };
}

/** What the policies rest on, for a Kyverno that somebody else runs; how it is named, stored and cleaned up is theirs. */
function handedOver({
  config,
  features,
  existingImagePullSecrets,
  admissionController,
  reportsController,
}: Json): Json {
  const part = (values: unknown, ...keys: string[]) =>
    Object.fromEntries(Object.entries(values as Json).filter(([key]) => keys.includes(key)));
  const controller = (values: unknown, ...keys: string[]) => {
    const volumes = ["sigstoreVolume", "extraVolumes", "extraVolumeMounts"];
    const { sigstoreVolume, extraVolumes, ...rest } = part(values, "rbac", "podLabels", ...volumes, ...keys);
    // Without the stack the pods must start all the same.
    const optional = <T extends { configMap?: Json }>(volume: T): T => ({
      ...volume,
      configMap: { ...volume.configMap, optional: true },
    });
    return {
      ...rest,
      ...(sigstoreVolume ? { sigstoreVolume: optional(sigstoreVolume as Json) } : {}),
      ...(extraVolumes ? { extraVolumes: (extraVolumes as Json[]).map(optional) } : {}),
    };
  };
  return {
    config: config as Json,
    features: part(features, "policyExceptions", "forceFailurePolicyIgnore", "tuf"),
    ...(existingImagePullSecrets ? { existingImagePullSecrets } : {}),
    admissionController: controller(
      admissionController,
      ...["replicas", "topologySpreadConstraints", "podDisruptionBudget", "container", "serviceMonitor"],
    ),
    reportsController: controller(reportsController, "enabled", "extraEnvVars", "serviceMonitor"),
  } as Json;
}

/**
 * A Job of another image with rights over every definition, after each upgrade. It would find nothing to do: what stores
 * objects in a version that this chart lacks is made anew, empty, or stops the upgrade before (preflight.ts).
 */
const WITHOUT_MIGRATION: Json = { migration: { enabled: false } };

function cleanupValues(kyverno: KyvernoPlan): Json {
  // The chart's own would scale no Deployment of another namespace than "kyverno" and leave every validating webhook, by
  // another image. What Kyverno does when it ends, and the owner of its webhooks (leftovers.ts), see to it.
  if (kyverno.kubectlImage === undefined)
    return {
      webhooksCleanup: { enabled: false },
      ...(kyverno.imageRegistry ? { test: { image: { registry: kyverno.imageRegistry } } } : {}),
    };
  const pullSecrets = kyverno.imagePullSecrets.map((name) => ({ name }));
  const image = splitImage(mirrored(kyverno.kubectlImage, kyverno.imageRegistry));
  const job = {
    enabled: true,
    image,
    imagePullSecrets: pullSecrets,
    // The image's own user is root, which the chart's securityContext forbids.
    podSecurityContext: { runAsUser: 65534, runAsGroup: 65534 },
  };
  return {
    webhooksCleanup: {
      enabled: true,
      image: mirrored(kyverno.kubectlImage, kyverno.imageRegistry),
      imagePullSecrets: pullSecrets,
    },
    cleanupJobs: { admissionReports: job, clusterAdmissionReports: job },
    ...(kyverno.imageRegistry ? { test: { image: { registry: kyverno.imageRegistry, repository: "busybox" } } } : {}),
  };
}

function controllerValues(posture: Posture, trustFiles: Manifest | undefined): Json {
  const { kyverno } = posture;
  const scrape = scrapeValues(posture);
  const shared: Json = {
    imagePullSecrets: kyverno.imagePullSecrets.map((name) => ({ name })),
    ...(kyverno.priorityClassName ? { priorityClassName: kyverno.priorityClassName } : {}),
  };
  const registry: Json = kyverno.imageRegistry ? { registry: kyverno.imageRegistry } : {};
  const image = (): Json => (kyverno.imageRegistry ? { image: registry } : {});
  const trust = trustFiles ? trustMount(trustFiles, kyverno) : undefined;
  const volume: Json = trust?.volume ?? {};
  const readers = [...(trust?.variables ?? []), ...proxyVariables(kyverno)];
  const variables: Json = readers.length > 0 ? { extraEnvVars: readers } : {};
  const identity = identityValues(kyverno);
  return {
    admissionController: {
      ...shared,
      ...identity,
      replicas: kyverno.replicas,
      ...hostNetworkValues(kyverno),
      ...(kyverno.replicas === 3
        ? {
            // The chart only prefers to spread; replicas on one node go down with it.
            topologySpreadConstraints: [spreadOverNodes(kyverno.releaseName)],
            podDisruptionBudget: { minAvailable: 2 },
          }
        : {}),
      initContainer: { ...image() },
      container: {
        ...image(),
        extraEnvVars: [...collectorVariables(kyverno.memoryLimit), ...readers],
        resources: { limits: { memory: kyverno.memoryLimit } },
        // A verdict would be kept for an hour under the tag, wherever that points by then. A policy can't say it itself.
        ...(kyverno.policies ? { extraArgs: { imageVerifyCacheEnabled: "false" } } : {}),
      },
      ...volume,
      ...scrape.admissionController,
    },
    backgroundController: { ...shared, ...image(), ...scrape.backgroundController },
    cleanupController: { ...shared, ...image(), ...scrape.cleanupController },
    reportsController: {
      ...shared,
      ...identity,
      enabled: true,
      ...image(),
      ...volume,
      ...variables,
      ...scrape.reportsController,
    },
  };
}

/** Share of the memory limit at which Go collects garbage without waiting; the rest is for what the collector can't see. */
const COLLECTED_SHARE = 0.75;

/**
 * Every admission makes megabytes of garbage, and Go by default collects it each time that the heap has doubled, which is
 * some 30 MiB. Collecting four times more rarely takes a fifth to a third off the CPU of a request; the soft limit makes
 * Go collect at once where memory becomes short, so that rarity never ends in an OOM kill.
 */
function collectorVariables(memoryLimit: string): Json[] {
  const mebibytes = Number.parseInt(memoryLimit, 10) * (memoryLimit.endsWith("Gi") ? 1024 : 1);
  return [
    { name: "GOGC", value: "400" },
    { name: "GOMEMLIMIT", value: `${Math.floor(mebibytes * COLLECTED_SHARE)}MiB` },
  ];
}

function identityValues({ registryIdentity }: KyvernoPlan): Json {
  if (!registryIdentity) return {};
  const { annotations, podLabels } = cloudIdentity(registryIdentity);
  return { rbac: { serviceAccount: { annotations } }, ...(podLabels ? { podLabels } : {}) };
}

function spreadOverNodes(releaseName: string): Json {
  return {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: {
      matchLabels: { "app.kubernetes.io/instance": releaseName, "app.kubernetes.io/component": "admission-controller" },
    },
  };
}

/**
 * Where the chart takes more volumes, one of them; else its single one, turned from an empty directory into the trust
 * files. Kyverno keeps there what it has from a TUF repository, and so must be able to write.
 */
function trustMount(trust: Manifest, { target }: KyvernoPlan): { volume: Json; variables: Json[] } {
  if (!KYVERNO_LINES[target].chartTakesVolumes)
    return {
      volume: { sigstoreVolume: { emptyDir: null, configMap: trustVolume(trust) } },
      variables: trustVariables(trust, TRUST_MOUNT_PATH),
    };
  return {
    volume: {
      extraVolumes: [{ name: TRUST_VOLUME, configMap: trustVolume(trust) }],
      extraVolumeMounts: [{ name: TRUST_VOLUME, mountPath: `/${TRUST_VOLUME}`, readOnly: true }],
    },
    variables: trustVariables(trust, `/${TRUST_VOLUME}`),
  };
}

/** The image in the mirror, which keeps the path and leaves out the registry. */
function mirrored(image: string, registry: string): string {
  return registry ? `${registry}/${image.split("/").slice(1).join("/")}` : image;
}

function splitImage(image: string): Json {
  const slash = image.indexOf("/");
  // The chart joins repository and tag with a colon, which also puts a digest back together.
  const colon = image.lastIndexOf(":");
  return { registry: image.slice(0, slash), repository: image.slice(slash + 1, colon), tag: image.slice(colon + 1) };
}

/** Lists that are merged by the names in them. */
const NAMED_LISTS = ["extraEnvVars", "extraVolumes", "extraVolumeMounts"];

/** Blocks are merged key by key; lists and scalars of the user replace ours, but for some lists of named things. */
export function mergeValues(base: Json, over: Json): Json {
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const current = merged[key];
    if (isBlock(current) && isBlock(value)) merged[key] = mergeValues(current, value);
    else if (NAMED_LISTS.includes(key) && Array.isArray(current) && Array.isArray(value))
      merged[key] = mergeNamed(current, value);
    else merged[key] = value;
  }
  return merged;
}

function mergeNamed(base: readonly Json[], over: readonly Json[]): Json[] {
  return [...base.filter(({ name }) => !over.some((one) => one?.name === name)), ...over];
}

function isBlock(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
