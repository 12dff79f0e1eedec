import type { V1Pod } from "@kubernetes/client-node";
import { ensureTool, type ToolName } from "./build";
import type { ControlPlane } from "./controlPlane";
import { type Log, silent } from "./log";
import { bind, nodeName, registerNode, remove } from "./nodeObjects";
import { kyvernoRules, metricsPortOf, type RunRule } from "./podPlan";
import { PodPrograms } from "./podPrograms";
import { sandboxFlags } from "./podSandbox";
import { conditions, isOver, nameOf, type PodState } from "./podStatus";
import { watchPods } from "./podWatch";
import { loopback } from "./ports";

export interface NodeOptions {
  log?: Log;
  /** Which images are really run; Kyverno's controllers when left out. */
  rules?: readonly RunRule[];
  /** The program of a rule, for a container of this image; from ensureTool when left out. */
  binary?: (name: ToolName, image: string) => Promise<string>;
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

/** The node controller's node-monitor-grace-period. */
const lostMachineNoticedMs = 40_000;

/** Plays scheduler and kubelet for one big node. */
export async function startNode(plane: ControlPlane, options: NodeOptions = {}): Promise<LocalNode> {
  const { client } = plane;
  const log = options.log ?? silent;
  const rules = options.rules ?? kyvernoRules;
  const binary = options.binary ?? ((name: ToolName) => ensureTool(name, log));
  const states = new Map<string, PodState>();
  const found = options.isolate === false ? { reason: "not wanted here" } : await sandboxFlags();
  const [oneReplica, sandboxing] = "reason" in found ? [found.reason, []] : [undefined, found.flags];
  if (oneReplica !== undefined) log(`node: one replica of Kyverno at a time: ${oneReplica}`);
  const { processEnv } = options;
  const programs = new PodPrograms(plane, states, {
    ...{ log, rules, binary, oneReplica, sandboxing },
    ...(processEnv ? { processEnv } : {}),
  });
  let addresses = 1;

  const reconcile = async (state: PodState) => {
    const { pod } = state;
    if (pod.metadata?.deletionTimestamp !== undefined) {
      if (state.ending) return;
      await programs.end(state);
      await remove(client, pod);
    } else if (pod.spec?.nodeName === undefined) {
      await bind(client, pod);
    } else if (!state.launched && pod.spec.nodeName === nodeName && !isOver(pod)) {
      state.launched = true;
      await programs.launch(state);
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
      if (programs.stopping) return;
      state.launched = state.launched && state.run !== undefined;
      state.ending = false;
      log(`node: ${nameOf(pod)}: ${error.message}; will try again`);
      setTimeout(() => !programs.stopping && states.has(uid) && see(state.pod), 500).unref();
    });
  };

  const forget = (uid: string) => {
    const state = states.get(uid);
    states.delete(uid);
    if (state) void programs.end(state);
  };

  plane.network.locateBy((address, port) =>
    [...states.values()].find((s) => s.address === address && !s.ending)?.ports?.get(port),
  );
  await registerNode(plane);
  const watch = watchPods(client, log, { known: () => states.keys(), see, forget });
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
      programs.mayStart = may;
    },
    loseMachineOf: (pod) => {
      const state = [...states.values()].find((s) => nameOf(s.pod) === pod);
      if (state === undefined) throw new Error(`no pod ${pod}`);
      plane.network.cut(state.address);
      const noticed = { conditions: conditions(false, false) };
      setTimeout(() => {
        state.lost = undefined;
        void programs.setStatus(state, noticed).catch((error) => log(`node: ${pod}: ${error.message}`));
      }, lostMachineNoticedMs).unref();
      state.lost = true;
      void state.process?.stop(0);
    },
    stop: async () => {
      programs.stopping = true;
      watch.stop();
      await Promise.all([...states.values()].map((state) => programs.end(state)));
      await watch.ended;
    },
  };
  plane.onStop(() => node.stop());
  return node;
}
