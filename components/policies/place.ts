import { SUFFIX } from "./names";

export type Side = "request.object" | "request.oldObject";

/** Where a request holds a pod: it is one, has the template of one, or adds a debug container to one. */
export interface Place {
  /** Without their group: Kyverno 1.10 scans nothing of a kind that is written with it. */
  readonly kinds: readonly string[];
  /** What stands behind the name of a policy that looks there. */
  readonly suffix: string;
  /** The pod as a JMESPath expression. */
  readonly pod: (side: Side) => string;
  /** The side whose annotations say whether a bypass runs. */
  readonly bypassIn: Side;
}

export const PODS: Place = {
  kinds: ["Pod"],
  suffix: SUFFIX.pods,
  pod: (side) => side,
  bypassIn: "request.object",
};

export const WORKLOAD_KINDS = [
  "CronJob",
  "DaemonSet",
  "Deployment",
  "Job",
  "ReplicaSet",
  "ReplicationController",
  "StatefulSet",
];

/**
 * Kinds of other API groups that are called like these: what they hold is anything, and Kyverno refuses what it can't
 * read as a pod template. Groups of custom resources have a dot, those of Kubernetes with such kinds have none.
 */
export const NAMESAKES = ["Pod", ...WORKLOAD_KINDS].map((kind) => `*.*?/*/${kind}/*`);

export const TEMPLATES: Place = {
  kinds: WORKLOAD_KINDS,
  suffix: SUFFIX.templates,
  pod: (side) => `(${side}.spec.template || ${side}.spec.jobTemplate.spec.template)`,
  bypassIn: "request.object",
};

/**
 * A request for debug containers may carry annotations that the API server drops afterwards, so only those that the pod
 * has already count.
 */
export const DEBUG: Place = {
  kinds: ["Pod/ephemeralcontainers"],
  suffix: SUFFIX.debug,
  pod: (side) => side,
  bypassIn: "request.oldObject",
};
