import type { Json, Manifest } from "../kubernetes/manifest";
import { NAMESAKES } from "../policies/place";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import type { KyvernoPlan, Posture, Resolved } from "../posture/types";
import { scrapeValues } from "./metrics";
import { cloudIdentity, hostNetworkValues, platformValues, proxyVariables } from "./platforms";
import { TRUST_MOUNT_PATH, trustVariables, trustVolume } from "./trustFiles";

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
];

/** Helm values of the chart: what the guard needs, with the user's values merged over it. */
export function chartValues(resolved: Resolved, trust: Manifest | undefined): Json {
  const { posture, materials } = resolved;
  const system = posture.namespaces.find((group) => group.name === "system")!.patterns;
  const { chartTakesBlocks } = KYVERNO_LINES[posture.kyverno.target];
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
    crds: { install: true },
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
      // One event for every admitted pod says nothing and fills etcd.
      omitEvents: { eventTypes: ["PolicyApplied"] },
    },
    ...cleanupValues(posture.kyverno),
    ...controllerValues(resolved.posture, trust),
  };
  if (posture.kyverno.install === false) return handedOver(own);
  return mergeValues(mergeValues(own, platformValues(posture.kyverno)), materials.values);
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
    const { sigstoreVolume, ...rest } = part(values, "rbac", "podLabels", "sigstoreVolume", ...keys);
    const { emptyDir, configMap } = (sigstoreVolume ?? {}) as { emptyDir?: null; configMap?: Json };
    // Without the stack the pods must start all the same.
    return configMap ? { ...rest, sigstoreVolume: { emptyDir, configMap: { ...configMap, optional: true } } } : rest;
  };
  return {
    config: config as Json,
    features: part(features, "policyExceptions", "forceFailurePolicyIgnore"),
    ...(existingImagePullSecrets ? { existingImagePullSecrets } : {}),
    admissionController: controller(
      admissionController,
      ...["replicas", "topologySpreadConstraints", "podDisruptionBudget", "container", "serviceMonitor"],
    ),
    reportsController: controller(reportsController, "enabled", "extraEnvVars", "serviceMonitor"),
  } as Json;
}

function cleanupValues(kyverno: KyvernoPlan): Json {
  const pullSecrets = kyverno.imagePullSecrets.map((name) => ({ name }));
  const { chartTakesBlocks } = KYVERNO_LINES[kyverno.target];
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
      image: chartTakesBlocks ? image : mirrored(kyverno.kubectlImage, kyverno.imageRegistry),
      imagePullSecrets: pullSecrets,
    },
    ...(chartTakesBlocks ? { policyReportsCleanup: { enabled: true, image, imagePullSecrets: pullSecrets } } : {}),
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
  const trust = trustFiles ? trustMount(trustFiles) : undefined;
  const volume: Json = trust ? { sigstoreVolume: trust.volume } : {};
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

/** The chart's single extra volume, turned from an empty directory into the trust files. */
function trustMount(trust: Manifest): { volume: Json; variables: Json[] } {
  return {
    volume: { emptyDir: null, configMap: trustVolume(trust) },
    variables: trustVariables(trust, TRUST_MOUNT_PATH),
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

/** Blocks are merged key by key; lists and scalars of the user replace ours, but environment variables are merged by name. */
export function mergeValues(base: Json, over: Json): Json {
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const current = merged[key];
    if (isBlock(current) && isBlock(value)) merged[key] = mergeValues(current, value);
    else if (key === "extraEnvVars" && Array.isArray(current) && Array.isArray(value))
      merged[key] = mergeVariables(current, value);
    else merged[key] = value;
  }
  return merged;
}

function mergeVariables(base: readonly Json[], over: readonly Json[]): Json[] {
  return [...base.filter(({ name }) => !over.some((variable) => variable?.name === name)), ...over];
}

function isBlock(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
