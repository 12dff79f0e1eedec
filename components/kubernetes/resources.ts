/** What the API server hands out; only what is looked at is named. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly managedFields?: readonly {
      readonly manager?: string;
      readonly time?: string;
      readonly subresource?: string;
      readonly fieldsV1?: object;
    }[];
  };
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** A collection of the API server. */
export interface Resource {
  readonly kind: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** What clusters of other ages have in its place, each asked where the one before is not served. */
  readonly otherVersions?: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
}

interface More {
  readonly namespaced?: boolean;
  readonly otherVersions?: readonly string[];
}

export const resource = (
  kind: string,
  groupVersion: string,
  plural: string,
  { namespaced = true, otherVersions }: More = {},
): Resource => {
  const [version = "", group = ""] = groupVersion.split("/").reverse();
  return { kind, group, version, plural, namespaced, ...(otherVersions ? { otherVersions } : {}) };
};

const wholeCluster = { namespaced: false };

export const CLUSTER_POLICIES = resource("ClusterPolicy", "kyverno.io/v1", "clusterpolicies", wholeCluster);
/** What policies are written as where the stack wants the forms that Kyverno 1.20 keeps. */
export const IMAGE_VALIDATING_POLICIES = resource(
  "ImageValidatingPolicy",
  "policies.kyverno.io/v1",
  "imagevalidatingpolicies",
  wholeCluster,
);
export const VALIDATING_POLICIES = resource(
  "ValidatingPolicy",
  "policies.kyverno.io/v1",
  "validatingpolicies",
  wholeCluster,
);
export const MUTATING_POLICIES = resource("MutatingPolicy", "policies.kyverno.io/v1", "mutatingpolicies", wholeCluster);
export const POLICIES = resource("Policy", "kyverno.io/v1", "policies");
export const POLICY_EXCEPTIONS = resource("PolicyException", "kyverno.io/v2alpha1", "policyexceptions", {
  otherVersions: ["v2beta1", "v2"],
});
/** One for each scanned object, with a row for each of its images. */
export const SCAN_REPORTS = resource("BackgroundScanReport", "kyverno.io/v1alpha2", "backgroundscanreports");
/** One for each policy and namespace; of several rows about one object and rule Kyverno keeps a single one. */
export const POLICY_REPORTS = resource("PolicyReport", "wgpolicyk8s.io/v1alpha2", "policyreports");

export const NAMESPACES = resource("Namespace", "v1", "namespaces", wholeCluster);
export const CONFIG_MAPS = resource("ConfigMap", "v1", "configmaps");
export const SERVICE_ACCOUNTS = resource("ServiceAccount", "v1", "serviceaccounts");
export const SECRETS = resource("Secret", "v1", "secrets");
/** ClusterRoles, which are not looked at in namespaces. */
export const CLUSTER_ROLES = resource("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", wholeCluster);
export const LEASES = resource("Lease", "coordination.k8s.io/v1", "leases");
export const MUTATING_WEBHOOKS = resource(
  "MutatingWebhookConfiguration",
  "admissionregistration.k8s.io/v1",
  "mutatingwebhookconfigurations",
  wholeCluster,
);
export const ADMISSION_POLICIES = resource(
  "ValidatingAdmissionPolicy",
  "admissionregistration.k8s.io/v1",
  "validatingadmissionpolicies",
  wholeCluster,
);
export const ADMISSION_BINDINGS = resource(
  "ValidatingAdmissionPolicyBinding",
  "admissionregistration.k8s.io/v1",
  "validatingadmissionpolicybindings",
  wholeCluster,
);
export const VALIDATING_WEBHOOKS = resource(
  "ValidatingWebhookConfiguration",
  "admissionregistration.k8s.io/v1",
  "validatingwebhookconfigurations",
  wholeCluster,
);
export const SELF_REVIEWS = resource(
  "SelfSubjectReview",
  "authentication.k8s.io/v1",
  "selfsubjectreviews",
  wholeCluster,
);

/** NAMESPACE/NAME, or the name alone. */
export function objectName({ metadata }: KubeObject): string {
  return [metadata?.namespace, metadata?.name].filter(Boolean).join("/");
}

/** PLURAL.GROUP, as kubectl takes it. */
export function resourceText({ group, plural }: Resource): string {
  return group ? `${plural}.${group}` : plural;
}

export function apiVersion({ group, version }: Resource): string {
  return group ? `${group}/${version}` : version;
}

export function collectionPath({ group, version, plural }: Resource, namespace?: string): string {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  return `${root}${namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`;
}
