import type { KyvernoTarget } from "../args";
import { leafPaths } from "./chartValues";
import { KYVERNO_LINES, TRUST_VOLUME } from "./kyvernoLines";

/** A chart value of the user that would undo something the guard relies on. */
export interface UnsafeValue {
  readonly path: string;
  readonly why: string;
}

const BOTH_READ_IT = "readiness, doctor and destroy look for fixed names";
const ANCHORS = "the trust anchors are files there: without them every keyless signature is refused; use trust";
const OPEN_REPORTS = "report, impact and the dashboards read reports of wgpolicyk8s.io";
const OTHER_AUTHORITIES = "registries would be believed by it; use kyverno.registryCa";
const FEATURES_OF_ALL = "the chart merges it into every controller's features, so";

/** Features that are not the user's to change, and what each change would undo. */
const FEATURES: Record<string, string> = {
  "forceFailurePolicyIgnore.enabled": "every policy would let requests through while Kyverno is down",
  "policyExceptions.enabled":
    "a PolicyException switches policies off for whoever may create one; use kyverno.policyExceptionsNamespace",
  "policyExceptions.namespace": "exceptions would count in that namespace; use kyverno.policyExceptionsNamespace",
  "autoUpdateWebhooks.enabled": "policies would no longer reach the webhooks, so nothing would be judged",
  "backgroundScan.enabled": "running pods would no longer be scanned, so reports and alerts would go silent",
  "backgroundScan.skipResourceFilters": "system namespaces and ReplicaSets would vanish from the reports",
  "policyReports.enabled": "there would be no reports, from which report, impact and alerts are made",
  "aggregateReports.enabled": "there would be no reports, from which report, impact and alerts are made",
  "reporting.validate": "reports would leave out images that no signer covers",
  "reporting.imageVerify": "reports would leave out every verification",
  "tuf.enabled": "signatures in bundles would be believed by other anchors; use trust.tuf",
  "tuf.mirror": "signatures in bundles would be believed by other anchors; use trust.tuf",
  "tuf.root": "signatures in bundles would be believed by other anchors; use trust.tuf",
  "tuf.rootRaw": "signatures in bundles would be believed by other anchors; use trust.tuf",
  "registryClient.allowInsecure": "signatures would be read without TLS verification",
};

/** Flags that mean the same to both controllers that verify. */
const OF_BOTH: Record<string, string> = {
  enableReporting: "reports would leave out whole kinds of rules",
  enableTuf: FEATURES["tuf.enabled"]!,
  tufMirror: FEATURES["tuf.mirror"]!,
  tufRoot: FEATURES["tuf.root"]!,
  tufRootRaw: FEATURES["tuf.rootRaw"]!,
  openreportsEnabled: OPEN_REPORTS,
};

/** Flags of the admission controller; all others are the user's. */
const ADMISSION_FLAGS: Record<string, string> = {
  allowInsecureRegistry: "signatures would be read without TLS verification",
  autoUpdateWebhooks: "policies would no longer reach the webhooks, so nothing would be judged",
  backgroundServiceAccountName: "requests of that account would be taken for Kyverno's own",
  enablePolicyException:
    "a PolicyException switches policies off for whoever may create one; use kyverno.policyExceptionsNamespace",
  exceptionNamespace: "exceptions would count in that namespace; use kyverno.policyExceptionsNamespace",
  forceFailurePolicyIgnore: "every policy would let requests through while Kyverno is down",
  imageVerifyCacheEnabled: "a verdict would be believed for an hour under the tag, wherever that points by then",
  imagePullSecrets: "the Secrets of kyverno.registrySecrets would no longer be used; add yours there",
  imageSignatureRepository:
    "signatures of every image would be looked for in that one repository; use images[].signatureRepository",
  kubeconfig: "Kyverno would work for another cluster",
  ...OF_BOTH,
  serverIP: "the API server would call that address instead of Kyverno's Service",
  servicePort: "the API server would call a port at which nothing answers; use admissionController.service.port",
};

const REPORTS_FLAGS: Record<string, string> = {
  allowInsecureRegistry: ADMISSION_FLAGS.allowInsecureRegistry!,
  backgroundScan: FEATURES["backgroundScan.enabled"]!,
  enablePolicyException: "reports would take a PolicyException for a pass",
  exceptionNamespace: "reports would take an exception in that namespace for a pass",
  imagePullSecrets: ADMISSION_FLAGS.imagePullSecrets!,
  imageSignatureRepository: ADMISSION_FLAGS.imageSignatureRepository!,
  kubeconfig: "reports would be about another cluster",
  aggregateReports: FEATURES["aggregateReports.enabled"]!,
  ...OF_BOTH,
  policyReports: FEATURES["policyReports.enabled"]!,
  skipResourceFilters: FEATURES["backgroundScan.skipResourceFilters"]!,
};

/** Single chart values that are not the user's to change, and what each change would undo. What stands below goes along. */
const PROTECTED: Readonly<Record<string, string>> = {
  "config.create": "without the ConfigMap Kyverno judges nothing as configured here",
  "config.name": "Kyverno would read another ConfigMap, with other filters",
  "config.defaultRegistry": "names without a registry would be read otherwise than the policies' patterns have them",
  "config.enableDefaultRegistryMutation": "names without a registry would match no pattern and go unjudged",
  "config.excludeClusterRoles": "whoever has such a role would run any image",
  "config.excludeGroups": "members of these groups would run any image; use bypass",
  "config.excludeKyvernoNamespace": "Kyverno would need itself to start, and could not after an outage",
  "config.excludeRoles": "whoever has such a role would run any image",
  "config.excludeUsernames": "these users would run any image; use bypass",
  "config.resourceFilters": "what a filter names is judged by no policy",
  "config.resourceFiltersExcludeNamespaces":
    "filters of system namespaces would go, and Kyverno's outage could stop them",
  "config.matchConditions": "Kyverno would not be asked where a condition does not hold",
  "config.resourceFiltersExclude": "filters that keep Kyverno from its own objects would go",
  "config.resourceFiltersInclude": "what a filter names is judged by no policy",
  "config.resourceFiltersIncludeNamespaces": "what a filter names is judged by no policy",
  "config.webhooks": "it selects the namespaces that Kyverno is asked about; use namespaces.system",
  "crds.install": "without the definitions there are no policies; removing them removes every policy and report",
  "crds.groups": "without the definitions there are no policies; removing them removes every policy and report",
  "rbac.roles.aggregate.admin": "admins of namespaces could write policies that run with Kyverno's own rights",
  "openreports.enabled": OPEN_REPORTS,
  "global.caCertificates": OTHER_AUTHORITIES,
  "admissionController.caCertificates": OTHER_AUTHORITIES,
  "reportsController.caCertificates": OTHER_AUTHORITIES,
  "global.image.registry": "use kyverno.imageRegistry",
  "global.templating.enabled": "it turns the installation into a template",
  "global.templating.debug": "it leaves the controllers out",
  fullnameOverride: BOTH_READ_IT,
  nameOverride: BOTH_READ_IT,
  namespaceOverride: `${BOTH_READ_IT}; use kyverno.namespace`,
  "templating.enabled": "it turns the installation into a template",
  "templating.debug": "it leaves the controllers out",
  "webhooksCleanup.enabled": "destroy would leave webhooks that block the cluster",
  "webhooksCleanup.image":
    "destroy would run another kubectl than the one that is known to work; use kyverno.kubectlImage",
  "admissionController.replicas": "use kyverno.replicas, which also spreads them",
  "admissionController.container.image.registry": "use kyverno.imageRegistry",
  "admissionController.container.image.repository": "another program would judge; use kyverno.imageRegistry",
  "admissionController.container.image.tag": "the policies are written for one version; another needs kyverno.target",
  "admissionController.createSelfSignedCert":
    "each upgrade would make a new certificate that the webhooks don't know, and everything would be refused",
  "admissionController.tufRootMountPath": ANCHORS,
  "admissionController.sigstoreVolume": ANCHORS,
  "admissionController.rbac.create": "Kyverno could not update its webhooks",
  "admissionController.rbac.serviceAccount.name": "cloud identities and rights are bound to the chart's own name",
  "reportsController.enabled": FEATURES["policyReports.enabled"]!,
  "reportsController.tufRootMountPath": ANCHORS,
  "reportsController.sigstoreVolume": ANCHORS,
  ...under("features", FEATURES),
  ...under("admissionController.featuresOverride", FEATURES, FEATURES_OF_ALL),
  ...under("backgroundController.featuresOverride", FEATURES, FEATURES_OF_ALL),
  ...under("cleanupController.featuresOverride", FEATURES, FEATURES_OF_ALL),
  ...under("reportsController.featuresOverride", FEATURES, FEATURES_OF_ALL),
  ...under("admissionController.container.extraArgs", ADMISSION_FLAGS),
  ...under("reportsController.extraArgs", REPORTS_FLAGS),
};

function under(block: string, keys: Readonly<Record<string, string>>, because = ""): Record<string, string> {
  return Object.fromEntries(
    Object.entries(keys).map(([key, why]) => [`${block}.${key}`, because ? `${because} ${why}` : why]),
  );
}

const ENVIRONMENT_PATHS = [
  "admissionController.container.extraEnvVars",
  "reportsController.extraEnvVars",
  "global.extraEnvVars",
];
/** Lists in which one of ours must stay. */
const VOLUME_PATHS = ["admissionController", "reportsController"].flatMap((controller) => [
  `${controller}.extraVolumes`,
  `${controller}.extraVolumeMounts`,
]);
/** Variables that replace trust anchors or tell Kyverno who it is; proxies and the like are welcome. */
const PROTECTED_VARIABLES: readonly (readonly [name: RegExp, why: string])[] = [
  [/^(SIGSTORE_|TUF_|COSIGN_)/, "it replaces trust anchors; use trust"],
  [/^SSL_CERT_(FILE|DIR)$/, "other hosts' certificates would be believed; use kyverno.registryCa"],
  [/^(KYVERNO_|INIT_CONFIG$|METRICS_CONFIG$)/, "Kyverno would take itself for another installation"],
];

/** Which of the user's values touch something protected, in a stable order. */
export function findUnsafeValues(values: Record<string, unknown>): UnsafeValue[] {
  const unsafe = leafPaths(values).flatMap((path): UnsafeValue[] => {
    const key = Object.keys(PROTECTED).find((known) => path === known || path.startsWith(`${known}.`));
    if (key) return [{ path, why: PROTECTED[key]! }];
    const lost = Object.keys(PROTECTED).filter((known) => known.startsWith(`${path}.`));
    return lost.length > 0
      ? [{ path, why: `it empties the block, and ${lost.length} values that security rests on with it` }]
      : [];
  });
  for (const path of ENVIRONMENT_PATHS) {
    const list = valueAt(values, path);
    if (list !== undefined && !Array.isArray(list))
      unsafe.push({ path, why: "anything but a list takes the trust anchors' variables away" });
    for (const name of variableNames(values, path)) {
      const rule = PROTECTED_VARIABLES.find(([pattern]) => pattern.test(name));
      if (rule) unsafe.push({ path: `${path}.${name}`, why: rule[1] });
    }
  }
  for (const path of VOLUME_PATHS) {
    const list = valueAt(values, path);
    if (list !== undefined && !Array.isArray(list)) unsafe.push({ path, why: ANCHORS });
    if (variableNames(values, path).includes(TRUST_VOLUME))
      unsafe.push({ path: `${path}.${TRUST_VOLUME}`, why: ANCHORS });
  }
  return unsafe;
}

/** Flags that this line of Kyverno does not have: it ends at start when it is given one. */
export function unknownFlags(values: Record<string, unknown>, target: KyvernoTarget): string[] {
  const known = KYVERNO_LINES[target].admissionFlags;
  const given = valueAt(values, "admissionController.container.extraArgs");
  if (!known || given === null || typeof given !== "object") return [];
  return Object.keys(given).filter((flag) => !known.includes(flag));
}

function variableNames(values: Record<string, unknown>, path: string): string[] {
  const list = valueAt(values, path);
  if (!Array.isArray(list)) return [];
  return list.map((variable) => String((variable as { name?: unknown } | null)?.name));
}

function valueAt(values: Record<string, unknown>, path: string): unknown {
  return path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], values);
}
