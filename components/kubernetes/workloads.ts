/** A kind of workload and where its pod template is. */
export interface WorkloadKind {
  readonly kind: string;
  readonly apiVersion: string;
  /** Names under which kubectl knows it. */
  readonly names: readonly string[];
  /** Path of the pod's metadata; an empty one for a pod itself. */
  readonly template: readonly string[];
  /** Why its template can't be changed, where it can't. */
  readonly fixed?: string;
}

const DEPLOYED = ["spec", "template"];

export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  { kind: "Deployment", apiVersion: "apps/v1", names: ["deployment", "deployments", "deploy"], template: DEPLOYED },
  { kind: "StatefulSet", apiVersion: "apps/v1", names: ["statefulset", "statefulsets", "sts"], template: DEPLOYED },
  { kind: "DaemonSet", apiVersion: "apps/v1", names: ["daemonset", "daemonsets", "ds"], template: DEPLOYED },
  { kind: "ReplicaSet", apiVersion: "apps/v1", names: ["replicaset", "replicasets", "rs"], template: DEPLOYED },
  {
    kind: "ReplicationController",
    apiVersion: "v1",
    names: ["replicationcontroller", "replicationcontrollers", "rc"],
    template: DEPLOYED,
  },
  {
    kind: "CronJob",
    apiVersion: "batch/v1",
    names: ["cronjob", "cronjobs", "cj"],
    template: ["spec", "jobTemplate", "spec", "template"],
  },
  {
    kind: "Job",
    apiVersion: "batch/v1",
    names: ["job", "jobs"],
    template: DEPLOYED,
    fixed: "a Job's pod template can't be changed; put the annotations into its manifest and create it again",
  },
  {
    kind: "Pod",
    apiVersion: "v1",
    names: ["pod", "pods", "po"],
    template: [],
    fixed: "a pod is judged when it is created; put the annotations into its manifest and create it again",
  },
];

/** `deploy/shop` as kind and name. */
export function parseWorkload(text: string): { kind: WorkloadKind; name: string } | undefined {
  const [kindName, name, ...rest] = text.split("/");
  const kind = WORKLOAD_KINDS.find(({ names }) => names.includes((kindName ?? "").toLowerCase()));
  return kind && name && rest.length === 0 ? { kind, name } : undefined;
}

/** The annotations of the pods that a workload makes. */
export function templateAnnotations(object: object, { template }: WorkloadKind): Record<string, string> | undefined {
  const node = template.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
  return (node as { metadata?: { annotations?: Record<string, string> } } | undefined)?.metadata?.annotations;
}

/** A merge patch that sets annotations on the pod template; null removes one. */
export function templatePatch({ template }: WorkloadKind, annotations: Record<string, string | null>): object {
  return [...template].reverse().reduce<object>((inner, key) => ({ [key]: inner }), { metadata: { annotations } });
}
