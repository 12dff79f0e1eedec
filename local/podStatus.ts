import type { V1Container, V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import type { ToolName } from "./build";
import type { RunRule } from "./podPlan";
import type { PodSandbox } from "./podSandbox";
import { loopback } from "./ports";
import type { RunningProcess } from "./processes";

/** What is known of one pod, by its UID. */
export interface PodState {
  pod: V1Pod;
  launched: boolean;
  ending: boolean;
  /** Holds or waits for this slot. */
  slot?: string;
  run?: { container: V1Container; rule: RunRule };
  process?: RunningProcess;
  binary?: ToolName;
  sandbox?: PodSandbox;
  /** Port of the pod -> port of the machine's loopback. */
  ports?: ReadonlyMap<number, number>;
  lost?: true;
  restarts: number;
  address: string;
}

export const nameOf = (pod: V1Pod) => `${pod.metadata?.namespace}/${pod.metadata?.name}`;

export const isOver = (pod: V1Pod) => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

export function conditions(ready: boolean, finished: boolean) {
  const now = new Date().toISOString();
  const is = (type: string, value: boolean) => ({ type, status: value ? "True" : "False", lastTransitionTime: now });
  return [
    is("PodScheduled", true),
    is("Initialized", true),
    is("ContainersReady", ready && !finished),
    is("Ready", ready && !finished),
  ];
}

function containerStatus(container: V1Container, state: object, ready: boolean, restarts: number): V1ContainerStatus {
  const image = container.image ?? "";
  return { name: container.name, image, imageID: image, ready, started: true, restartCount: restarts, state };
}

function initStatuses(pod: V1Pod): V1ContainerStatus[] {
  const done = { terminated: { exitCode: 0, reason: "Completed", startedAt: now(), finishedAt: now() } };
  return (pod.spec?.initContainers ?? []).map((c) => containerStatus(c, done, true, 0));
}

const now = () => new Date().toISOString();

export function runningStatus(state: PodState, ready: boolean): object {
  const running = { running: { startedAt: now() } };
  return {
    phase: "Running",
    hostIP: loopback,
    podIP: state.address,
    podIPs: [{ ip: state.address }],
    startTime: state.pod.status?.startTime ?? now(),
    conditions: conditions(ready, false),
    initContainerStatuses: initStatuses(state.pod),
    containerStatuses: (state.pod.spec?.containers ?? []).map((c) =>
      containerStatus(c, running, ready, state.restarts),
    ),
  };
}

export function finishedStatus(state: PodState, exitCode: number): object {
  const reason = exitCode === 0 ? "Completed" : "Error";
  const terminated = { terminated: { exitCode, reason, startedAt: now(), finishedAt: now() } };
  return {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    conditions: conditions(false, true),
    startTime: state.pod.status?.startTime ?? now(),
    initContainerStatuses: initStatuses(state.pod),
    containerStatuses: (state.pod.spec?.containers ?? []).map((c) => containerStatus(c, terminated, false, 0)),
  };
}
