import * as fs from "node:fs";
import * as path from "node:path";
import { type V1Container, type V1ContainerStatus, type V1Pod, type V1PodList, Watch } from "@kubernetes/client-node";
import { ensureTool, type ToolName } from "./build";
import type { ControlPlane } from "./controlPlane";
import { type Log, silent } from "./log";
import { preparePod } from "./podFiles";
import { expand, kyvernoRules, metricsPortOf, planPod, processArgs, type RunRule, rewritePath } from "./podPlan";
import { type PodSandbox, sandboxFlags, startPodSandbox } from "./podSandbox";
import { freePort, loopback } from "./ports";
import { baseEnv, type RunningProcess, startProcess } from "./processes";
import { ApiError, request, requestObject, send } from "./request";
import { sleep } from "./waitFor";

export interface NodeOptions {
  log?: Log;
  /** Which images are really run; Kyverno's controllers when left out. */
  rules?: readonly RunRule[];
  /** The program of a rule; from ensureTool when left out. */
  binary?: (name: ToolName) => Promise<string>;
  /** Environment of the real processes, below the container's own. */
  processEnv?: Readonly<Record<string, string>>;
  /** False: programs run in the machine's own network, and of those that share a port only one at a time. */
  isolate?: boolean;
}

export interface RunningPod {
  pod: string;
  binary: ToolName;
  pid: number;
  logFile: string;
  metricsUrl: string;
}

export interface LocalNode {
  /** The real processes that live now. */
  processes(): RunningPod[];
  /** Why several replicas of a program with a fixed port can't run at once here; undefined where they can. */
  readonly oneReplica: string | undefined;
  /** From now on a program starts only where this says so, e.g. as if its image could no longer be pulled. */
  startOnly(may: (pod: string) => boolean): void;
  /**
   * The machine of this pod ("namespace/name") is gone without a word: its program dies, connections to it hang,
   * and only after the 40 s that the node controller waits is the pod no longer ready. No other pod takes its place
   * yet, as pods are evicted after five minutes only.
   */
  loseMachineOf(pod: string): void;
  stop(): Promise<void>;
}

const nodeName = "local";

/** The node controller's node-monitor-grace-period. */
const lostMachineNoticedMs = 40_000;

/** What is known of one pod, by its UID. */
interface PodState {
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

/** Plays scheduler and kubelet for one big node. */
export async function startNode(plane: ControlPlane, options: NodeOptions = {}): Promise<LocalNode> {
  const { client } = plane;
  const log = options.log ?? silent;
  const rules = options.rules ?? kyvernoRules;
  const binary = options.binary ?? ((name: ToolName) => ensureTool(name, log));
  const states = new Map<string, PodState>();
  const holders = new Map<string, PodState>();
  const found = options.isolate === false ? { reason: "not wanted here" } : await sandboxFlags();
  const [oneReplica, sandboxing] = "reason" in found ? [found.reason, []] : [undefined, found.flags];
  if (oneReplica !== undefined) log(`node: one replica of Kyverno at a time: ${oneReplica}`);
  let mayStart: (pod: string) => boolean = () => true;
  let stopping = false;
  let addresses = 1;
  let abort: AbortController | undefined;

  const podPath = (pod: V1Pod) => `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${pod.metadata?.name}`;
  const nameOf = (pod: V1Pod) => `${pod.metadata?.namespace}/${pod.metadata?.name}`;

  const setStatus = async (state: PodState, status: object) => {
    if (stopping || state.lost) return;
    const body = { metadata: { uid: state.pod.metadata?.uid }, status };
    const { status: code, body: text } = await request(
      client,
      "PATCH",
      `${podPath(state.pod)}/status`,
      body,
      "application/merge-patch+json",
    );
    // Gone, or another pod of that name by now: nothing to say any more.
    if (code >= 300 && code !== 404 && code !== 409) throw new Error(`status of ${nameOf(state.pod)}: ${text}`);
  };

  const bind = async (pod: V1Pod) => {
    if ((pod.spec?.schedulingGates ?? []).length > 0) return;
    const { name, namespace } = pod.metadata ?? {};
    const target = { apiVersion: "v1", kind: "Node", name: nodeName };
    const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace }, target };
    const { status } = await request(client, "POST", `${podPath(pod)}/binding`, binding);
    if (status >= 300 && status !== 404 && status !== 409) throw new Error(`binding ${nameOf(pod)} answered ${status}`);
  };

  const remove = async (pod: V1Pod) => {
    const body = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata?.uid } };
    const { status, body: text } = await request(client, "DELETE", podPath(pod), body);
    if (status >= 300 && status !== 404 && status !== 409) throw new Error(`deleting ${nameOf(pod)}: ${text}`);
  };

  /** Ends a pod's process and lets the next in line have its slot. */
  const end = async (state: PodState) => {
    state.ending = true;
    // As a kubelet, but sooner: Kyverno's background controller never ends by itself.
    const seconds = Math.min(state.pod.spec?.terminationGracePeriodSeconds ?? 30, stopping ? 10 : 20);
    await state.process?.stop(Math.max(seconds, 1) * 1000);
    await state.sandbox?.stop();
    if (state.slot === undefined || holders.get(state.slot) !== state) return;
    holders.delete(state.slot);
    if (stopping) return;
    const next = [...states.values()].find((s) => s.slot === state.slot && s.run && !s.ending && s !== state);
    if (next) takeSlot(next);
  };

  const takeSlot = (state: PodState) => {
    if (state.slot !== undefined) holders.set(state.slot, state);
    void keepRunning(state).catch((error) => log(`node: ${nameOf(state.pod)}: ${error.message}`));
  };

  /** Starts the real program, again after a crash, until the pod is deleted. */
  const keepRunning = async (state: PodState) => {
    const { container, rule } = state.run as NonNullable<PodState["run"]>;
    const program = await retry(() => binary(rule.binary), state);
    if (program === undefined) return;
    const ports = (container.ports ?? []).map((p) => p.containerPort);
    const metricsPort = metricsPortOf(container.args) ?? 0;
    if (isIsolated(rule)) {
      const wanted = { inside: ports, outside: machinePorts(), logFile: podLog(state, container) };
      state.sandbox = await retry(() => startPodSandbox(sandboxing, wanted), state);
      if (state.sandbox === undefined) return;
      // Deleted while it was being made.
      if (state.ending || stopping) return state.sandbox.stop();
    }
    const [command = program, ...enter] = state.sandbox ? [...state.sandbox.enter, program] : [];
    while (!state.ending && !stopping) {
      if (!mayStart(nameOf(state.pod))) {
        await sleep(100);
        continue;
      }
      // A missing ConfigMap keeps a real pod waiting too.
      const files = await retry(() => preparePod(client, state.pod, container, podFolder(state)), state);
      if (files === undefined) return;
      state.ports = state.sandbox?.ports ?? (await machinePortsOf(ports, metricsPort));
      const { env, rewrite } = processEnv(state, files.env, files.mounts);
      const args = (container.args ?? []).map((arg) => rewrite(arg));
      if (state.ending || stopping) return;
      const started = Date.now();
      const child = startProcess({
        name: `${rule.binary} of ${nameOf(state.pod)}`,
        command,
        args: [
          ...enter,
          ...processArgs(args, files.kubeconfig, state.sandbox ? metricsPort : (state.ports.get(metricsPort) ?? 0)),
        ],
        env,
        cwd: podFolder(state),
        logFile: podLog(state, container),
      });
      state.process = child;
      state.binary = rule.binary;
      log(`node: ${rule.binary} runs for ${nameOf(state.pod)} (pid ${child.pid})`);
      await setStatus(state, runningStatus(state, false));
      void becomeReady(state, container, child).catch((error) => log(`node: ${nameOf(state.pod)}: ${error.message}`));
      const code = await child.exited;
      if (state.ending || stopping || state.lost) return;
      state.restarts++;
      log(`node: ${rule.binary} of ${nameOf(state.pod)} ended (exit code ${code ?? "none"}); log: ${child.logFile}`);
      await setStatus(state, runningStatus(state, false)).catch(() => {});
      // Quick the first times, as tests kill it on purpose; slow for one that cannot start.
      await sleep(Date.now() - started > 10_000 ? 500 : Math.min(500 * 2 ** state.restarts, 10_000));
    }
  };

  const becomeReady = async (state: PodState, container: V1Container, child: RunningProcess) => {
    const probe = container.readinessProbe?.httpGet;
    if (probe) {
      const port =
        typeof probe.port === "number"
          ? probe.port
          : container.ports?.find((p) => p.name === (probe.port as unknown as string))?.containerPort;
      const machinePort = state.ports?.get(Number(port)) ?? port;
      const url = `${(probe.scheme ?? "HTTP").toLowerCase()}://${loopback}:${machinePort}${probe.path ?? "/"}`;
      for (;;) {
        if (!child.isRunning() || state.ending || stopping) return;
        // As a kubelet: its certificate is not checked.
        const status = await send(url, { rejectUnauthorized: false, timeout: 3000 }).then(
          (a) => a.status,
          () => 0,
        );
        if (status >= 200 && status < 400) break;
        await sleep(250);
      }
    }
    if (child.isRunning() && !state.ending) await setStatus(state, runningStatus(state, true));
  };

  /** A Job's script, with the kubectl that fits the API server. */
  const runScript = async (state: PodState, container: V1Container) => {
    const kubectl = await ensureTool("kubectl", log);
    const files = await retry(() => preparePod(client, state.pod, container, podFolder(state)), state);
    if (files === undefined) return;
    const { env, rewrite } = processEnv(state, files.env, files.mounts);
    const [command = "sh", ...args] = [...(container.command ?? []), ...(container.args ?? [])].map((a) => rewrite(a));
    const child = startProcess({
      name: `script of ${nameOf(state.pod)}`,
      // Images may lack what the machine has, and the other way round; a plain shell is on both.
      command: path.basename(command) === "sh" ? "/bin/sh" : command,
      args,
      env: { ...env, PATH: `${path.dirname(kubectl)}:${env.PATH}`, KUBECONFIG: files.kubeconfig },
      cwd: podFolder(state),
      logFile: podLog(state, container),
    });
    state.process = child;
    await setStatus(state, runningStatus(state, true));
    const code = await child.exited;
    if (stopping || state.ending) return;
    if (code !== 0) log(`node: script of ${nameOf(state.pod)} failed (exit code ${code}):\n${child.tail(5)}`);
    await setStatus(state, finishedStatus(state, code ?? 137));
  };

  const isIsolated = (rule: RunRule) => rule.isolated === true && oneReplica === undefined;

  /** What a pod may have to reach: the API server, the registry, and whatever the environment names. */
  const machinePorts = () => {
    const named = Object.values(options.processEnv ?? {}).map(
      (value) => value.match(/^https?:\/\/127\.0\.0\.1:(\d+)/)?.[1],
    );
    const ports = [new URL(plane.server).port, plane.registry.port, ...named].filter((port) => port !== undefined);
    return [...new Set(ports.map(Number))];
  };

  /** In the machine's own network every port is taken as it is, but for the metrics', which all programs share. */
  const machinePortsOf = async (ports: readonly number[], metricsPort: number) => {
    const known = new Map(ports.map((port) => [port, port]));
    known.set(metricsPort, await freePort());
    return known;
  };

  const podFolder = (state: PodState) => path.join(plane.workDir, "pods", state.pod.metadata?.uid ?? "unknown");
  const podLog = (state: PodState, container: V1Container) =>
    path.join(plane.workDir, "logs", `${state.pod.metadata?.name}-${container.name}.log`);

  const processEnv = (state: PodState, own: Record<string, string>, mounts: Readonly<Record<string, string>>) => {
    const home = path.join(podFolder(state), "home");
    fs.mkdirSync(home, { recursive: true });
    const rewrite = (value: string) => rewritePath(expand(value, own), mounts);
    const env: NodeJS.ProcessEnv = { ...baseEnv(), HOME: home, TMPDIR: home, ...options.processEnv };
    for (const [name, value] of Object.entries(own)) env[name] = rewrite(value);
    return { env, rewrite };
  };

  const retry = async <T>(action: () => Promise<T>, state: PodState): Promise<T | undefined> => {
    let last = "";
    while (!state.ending && !stopping) {
      try {
        return await action();
      } catch (error) {
        const message = (error as Error).message;
        if (message !== last) log(`node: ${nameOf(state.pod)} waits: ${message}`);
        last = message;
        await sleep(500);
      }
    }
    return undefined;
  };

  const launch = async (state: PodState) => {
    const plan = planPod(state.pod, rules);
    if (plan.kind === "lookReady") return setStatus(state, runningStatus(state, true));
    if (plan.kind === "complete") return setStatus(state, finishedStatus(state, 0));
    if (plan.kind === "script") {
      void runScript(state, plan.container).catch((error) => log(`node: ${nameOf(state.pod)}: ${error.message}`));
      return;
    }
    state.run = { container: plan.container, rule: plan.rule };
    state.slot = isIsolated(plan.rule) ? undefined : plan.rule.slot;
    if (state.slot === undefined || !holders.has(state.slot)) takeSlot(state);
    else await setStatus(state, runningStatus(state, true));
  };

  const reconcile = async (state: PodState) => {
    const { pod } = state;
    if (pod.metadata?.deletionTimestamp !== undefined) {
      if (state.ending) return;
      await end(state);
      await remove(pod);
    } else if (pod.spec?.nodeName === undefined) {
      await bind(pod);
    } else if (!state.launched && pod.spec.nodeName === nodeName && !isOver(pod)) {
      state.launched = true;
      await launch(state);
    }
  };

  const see = (pod: V1Pod) => {
    const uid = pod.metadata?.uid ?? "";
    const known = states.get(uid);
    const state: PodState = known ?? {
      pod,
      launched: false,
      ending: false,
      restarts: 0,
      address: `10.244.${Math.floor(addresses / 250)}.${(addresses++ % 250) + 1}`,
    };
    state.pod = pod;
    states.set(uid, state);
    void reconcile(state).catch((error) => {
      if (stopping) return;
      state.launched = state.launched && state.run !== undefined;
      state.ending = false;
      log(`node: ${nameOf(pod)}: ${error.message}; will try again`);
      setTimeout(() => !stopping && states.has(uid) && see(state.pod), 500).unref();
    });
  };

  const forget = (uid: string) => {
    const state = states.get(uid);
    states.delete(uid);
    if (state) void end(state);
  };

  const follow = async () => {
    while (!stopping) {
      try {
        const list = await requestObject<V1PodList>(client, "GET", "/api/v1/pods");
        const there = new Set(list.items.map((pod) => pod.metadata?.uid ?? ""));
        for (const uid of states.keys()) if (!there.has(uid)) forget(uid);
        for (const pod of list.items) see(pod);
        await watch(list.metadata?.resourceVersion);
      } catch (error) {
        if (!stopping && !(error instanceof ApiError)) log(`node: lost the API server (${(error as Error).message})`);
      }
      if (!stopping) await sleep(300);
    }
  };

  const watch = (resourceVersion: string | undefined) =>
    new Promise<void>((resolve) => {
      const take = (type: string, pod: V1Pod) => {
        if (type === "DELETED") forget(pod.metadata?.uid ?? "");
        else if (type === "ADDED" || type === "MODIFIED") see(pod);
        else if (type === "ERROR") abort?.abort();
      };
      new Watch(client)
        .watch("/api/v1/pods", { resourceVersion, timeoutSeconds: 240 }, take, () => resolve())
        .then(
          (controller) => {
            abort = controller;
            if (stopping) controller.abort();
          },
          () => resolve(),
        );
    });

  plane.network.locateBy((address, port) =>
    [...states.values()].find((s) => s.address === address && !s.ending)?.ports?.get(port),
  );
  await registerNode(plane);
  const following = follow();
  const node: LocalNode = {
    processes: () =>
      [...states.values()].flatMap((s) =>
        s.process?.isRunning() && s.binary
          ? [
              {
                pod: nameOf(s.pod),
                binary: s.binary,
                pid: s.process.pid,
                logFile: s.process.logFile,
                metricsUrl: `http://${loopback}:${s.ports?.get(metricsPortOf(s.run?.container.args) ?? 0)}/metrics`,
              },
            ]
          : [],
      ),
    oneReplica,
    startOnly: (may) => {
      mayStart = may;
    },
    loseMachineOf: (pod) => {
      const state = [...states.values()].find((s) => nameOf(s.pod) === pod);
      if (state === undefined) throw new Error(`no pod ${pod}`);
      plane.network.cut(state.address);
      const noticed = { conditions: conditions(false, false) };
      setTimeout(() => {
        state.lost = undefined;
        void setStatus(state, noticed).catch((error) => log(`node: ${pod}: ${error.message}`));
      }, lostMachineNoticedMs).unref();
      state.lost = true;
      void state.process?.stop(0);
    },
    stop: async () => {
      stopping = true;
      abort?.abort();
      await Promise.all([...states.values()].map((state) => end(state)));
      await following;
    },
  };
  plane.onStop(() => node.stop());
  return node;
}

const isOver = (pod: V1Pod) => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

function conditions(ready: boolean, finished: boolean) {
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

function runningStatus(state: PodState, ready: boolean): object {
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

function finishedStatus(state: PodState, exitCode: number): object {
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

async function registerNode(plane: ControlPlane): Promise<void> {
  const { client } = plane;
  const labels = { "kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  const body = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels } };
  const { status, body: text } = await request(client, "POST", "/api/v1/nodes", body);
  if (status >= 300 && status !== 409) throw new Error(`could not register the node: ${text}`);
  const patch = (path: string, change: object) =>
    requestObject(client, "PATCH", `/api/v1/nodes/${nodeName}${path}`, change, "application/merge-patch+json");
  // Admission taints every new node as not ready.
  await patch("", { spec: { taints: null } });
  const size = { cpu: "64", memory: "256Gi", pods: "1000", "ephemeral-storage": "500Gi" };
  await patch("/status", {
    status: {
      capacity: size,
      allocatable: size,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "Local",
          message: "a stand-in",
          lastHeartbeatTime: now(),
          lastTransitionTime: now(),
        },
      ],
      addresses: [{ type: "InternalIP", address: loopback }],
    },
  });
}
