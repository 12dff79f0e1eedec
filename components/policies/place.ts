import { SUFFIX } from "./names";

export type Side = "request.object" | "request.oldObject";

/** Where a request holds a pod: it is one, has the template of one, or adds a debug container to one. */
export interface Place {
  /** Kinds by their group, so that another group's Deployment is nobody's business. */
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
  "apps/*/DaemonSet",
  "apps/*/Deployment",
  "apps/*/ReplicaSet",
  "apps/*/StatefulSet",
  "batch/*/CronJob",
  "batch/*/Job",
  "ReplicationController",
];

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
