/** A chart value of the user that would undo something the guard relies on. */
export interface UnsafeValue {
  readonly path: string;
  readonly why: string;
}

/** Paths of chart values (a prefix covers what is below it) and why they are not the user's to change. */
const PROTECTED: readonly (readonly [path: string, why: string])[] = [
  ["config", "it decides which requests Kyverno looks at and how image names are read"],
  ["crds", "without the definitions there are no policies; removing them removes every policy and report"],
  ["nameOverride", "readiness and destroy look for fixed names"],
  ["fullnameOverride", "readiness and destroy look for fixed names"],
  ["namespaceOverride", "use kyverno.namespace"],
  ["templating", "it turns the installation into a template"],
  ["webhooksCleanup", "without it destroy leaves webhooks that block the cluster; use kyverno.kubectlImage"],
  ["features.forceFailurePolicyIgnore", "every policy would let requests through while Kyverno is down"],
  ["features.policyExceptions", "a PolicyException switches policies off for whoever may create one"],
  ["features.autoUpdateWebhooks", "policies would no longer reach the webhooks"],
  ["features.backgroundScan", "reports come from it"],
  ["features.policyReports", "reports come from it"],
  ["features.registryClient.allowInsecure", "signatures would be read without TLS verification"],
  ["admissionController.replicas", "use kyverno.replicas"],
  ["admissionController.featuresOverride", "it can switch off what the policies rest on"],
  ["admissionController.container.image", "use kyverno.imageRegistry; another version needs kyverno.target"],
  ["admissionController.container.extraArgs", "its flags can switch off what the policies rest on"],
  [
    "admissionController.createSelfSignedCert",
    "each upgrade would make a new certificate that the webhooks don't know",
  ],
  ["admissionController.tufRootMountPath", "the trust bundle is mounted there"],
  ["admissionController.sigstoreVolume", "the trust bundle is mounted there; use trust"],
  ["admissionController.rbac", "Kyverno must be able to update its webhooks"],
  ["backgroundController.featuresOverride", "the chart merges it into every controller's features"],
  ["cleanupController.featuresOverride", "the chart merges it into every controller's features"],
  ["reportsController.enabled", "reports come from it"],
  ["reportsController.featuresOverride", "it can switch off what the reports rest on"],
  ["reportsController.extraArgs", "its flags can switch off what the reports rest on"],
  ["reportsController.tufRootMountPath", "the trust bundle is mounted there"],
  ["reportsController.sigstoreVolume", "the trust bundle is mounted there; use trust"],
];

/** Exceptions: cloud roles are bound to service accounts by annotations. */
const ALLOWED = ["admissionController.rbac.serviceAccount.annotations"];

const ENVIRONMENT_PATHS = ["admissionController.container.extraEnvVars", "reportsController.extraEnvVars"];
/** Variables that replace trust anchors; proxies and the like are welcome. */
const PROTECTED_VARIABLE = /^(SIGSTORE_|TUF_|COSIGN_|KYVERNO_|INIT_CONFIG$)/;

/** Which of the user's values touch something protected, in a stable order. */
export function findUnsafeValues(values: Record<string, unknown>): UnsafeValue[] {
  const given = leafPaths(values);
  const unsafe: UnsafeValue[] = [];
  for (const path of given) {
    if (ALLOWED.some((prefix) => path === prefix || path.startsWith(`${prefix}.`))) continue;
    const rule = PROTECTED.find(
      ([prefix]) => path === prefix || path.startsWith(`${prefix}.`) || prefix.startsWith(`${path}.`),
    );
    if (rule) unsafe.push({ path, why: rule[1] });
  }
  for (const path of ENVIRONMENT_PATHS) {
    const list = valueAt(values, path);
    if (list !== undefined && !Array.isArray(list))
      unsafe.push({ path, why: "anything but a list takes the trust anchors' variables away" });
    for (const name of variableNames(values, path)) {
      if (PROTECTED_VARIABLE.test(name))
        unsafe.push({ path: `${path}.${name}`, why: "it replaces trust anchors; use trust" });
    }
  }
  return unsafe;
}

/** Dotted paths of everything that is not a non-empty block. */
function leafPaths(value: unknown, prefix = ""): string[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return prefix ? [prefix] : [];
  const entries = Object.entries(value);
  return entries.flatMap(([key, child]) => leafPaths(child, prefix ? `${prefix}.${key}` : key));
}

function variableNames(values: Record<string, unknown>, path: string): string[] {
  const list = valueAt(values, path);
  if (!Array.isArray(list)) return [];
  return list.map((variable) => String((variable as { name?: unknown } | null)?.name));
}

function valueAt(values: Record<string, unknown>, path: string): unknown {
  return path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], values);
}
