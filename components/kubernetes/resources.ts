/** What the API server hands out; only what is looked at is named. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly ownerReferences?: readonly OwnerReference[];
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
  readonly plural: string;
  readonly namespaced: boolean;
}

const resource = (kind: string, groupVersion: string, plural: string, namespaced = true): Resource => {
  const [version = "", group = ""] = groupVersion.split("/").reverse();
  return { kind, group, version, plural, namespaced };
};

/** Everything that makes pods, owners before what they own. */
export const WORKLOADS: readonly Resource[] = [
  resource("Deployment", "apps/v1", "deployments"),
  resource("StatefulSet", "apps/v1", "statefulsets"),
  resource("DaemonSet", "apps/v1", "daemonsets"),
  resource("ReplicationController", "v1", "replicationcontrollers"),
  resource("CronJob", "batch/v1", "cronjobs"),
  resource("Job", "batch/v1", "jobs"),
  resource("ReplicaSet", "apps/v1", "replicasets"),
  resource("ControllerRevision", "apps/v1", "controllerrevisions"),
  resource("Pod", "v1", "pods"),
];

export const CLUSTER_POLICIES = resource("ClusterPolicy", "kyverno.io/v1", "clusterpolicies", false);
/** One for each scanned object, with a row for each of its images. */
export const SCAN_REPORTS = resource("BackgroundScanReport", "kyverno.io/v1alpha2", "backgroundscanreports");
/** One for each policy and namespace; of several rows about one object and rule Kyverno keeps a single one. */
export const POLICY_REPORTS = resource("PolicyReport", "wgpolicyk8s.io/v1alpha2", "policyreports");

export function resourceText({ group, plural }: Resource): string {
  return group ? `${plural}.${group}` : plural;
}

export function collectionPath({ group, version, plural }: Resource, namespace?: string): string {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  return `${root}${namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${plural}`;
}
