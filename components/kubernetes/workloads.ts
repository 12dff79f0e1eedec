import { type KubeObject, type Resource, resource } from "./resources";

/** Something that makes pods, or is one, and where the pod is in it. */
export interface WorkloadKind extends Resource {
  /** Names under which kubectl takes it; none for what no person names. */
  readonly names: readonly string[];
  /** Path of the pod template; an empty one for a pod itself. */
  readonly template: readonly string[];
  /** Why its template can't be changed, where it can't. */
  readonly fixed?: string;
}

const DEPLOYED = ["spec", "template"];

/** Owners before what they own. */
export const WORKLOADS: readonly WorkloadKind[] = [
  {
    ...resource("Deployment", "apps/v1", "deployments"),
    names: ["deployment", "deployments", "deploy"],
    template: DEPLOYED,
  },
  {
    ...resource("StatefulSet", "apps/v1", "statefulsets"),
    names: ["statefulset", "statefulsets", "sts"],
    template: DEPLOYED,
  },
  {
    ...resource("DaemonSet", "apps/v1", "daemonsets"),
    names: ["daemonset", "daemonsets", "ds"],
    template: DEPLOYED,
  },
  {
    ...resource("ReplicationController", "v1", "replicationcontrollers"),
    names: ["replicationcontroller", "replicationcontrollers", "rc"],
    template: DEPLOYED,
  },
  {
    ...resource("CronJob", "batch/v1", "cronjobs"),
    names: ["cronjob", "cronjobs", "cj"],
    template: ["spec", "jobTemplate", "spec", "template"],
  },
  {
    ...resource("Job", "batch/v1", "jobs"),
    names: ["job", "jobs"],
    template: DEPLOYED,
    fixed: "a Job's pod template can't be changed; put the annotations into its manifest and create it again",
  },
  {
    ...resource("ReplicaSet", "apps/v1", "replicasets"),
    names: ["replicaset", "replicasets", "rs"],
    template: DEPLOYED,
  },
  {
    ...resource("ControllerRevision", "apps/v1", "controllerrevisions"),
    names: [],
    // What StatefulSets and DaemonSets keep of a revision is a patch of themselves.
    template: ["data", ...DEPLOYED],
    fixed: "a revision is the record of what was",
  },
  {
    ...resource("Pod", "v1", "pods"),
    names: ["pod", "pods", "po"],
    template: [],
    fixed: "a pod is judged when it is created; put the annotations into its manifest and create it again",
  },
];

/** A kind of the table, by its name. */
export function workloadKind(kind: string): WorkloadKind {
  return WORKLOADS.find((known) => known.kind === kind)!;
}

/** `deploy/shop` as kind and name. */
export function parseWorkload(text: string): { kind: WorkloadKind; name: string } | undefined {
  const [kindName, name, ...rest] = text.split("/");
  const kind = WORKLOADS.find(({ names }) => names.includes((kindName ?? "").toLowerCase()));
  return kind && name && rest.length === 0 ? { kind, name } : undefined;
}

/** A pod as it is written in a workload. */
export interface PodTemplate {
  readonly metadata?: { readonly annotations?: Record<string, string> };
  readonly spec?: unknown;
}

/** The pods that a workload makes; a pod is its own template. */
export function templateOf(object: KubeObject, { template }: WorkloadKind): PodTemplate | undefined {
  return template.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object) as
    | PodTemplate
    | undefined;
}

/** A merge patch that sets annotations on the pod template; null removes one. */
export function templatePatch({ template }: WorkloadKind, annotations: Record<string, string | null>): object {
  return [...template].reverse().reduce<object>((inner, key) => ({ [key]: inner }), { metadata: { annotations } });
}
