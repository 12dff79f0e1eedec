import * as path from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { ensureTool, type ToolName } from "./build";
import type { ControlPlane } from "./controlPlane";
import type { Log } from "./log";
import { patchStatus } from "./nodeObjects";
import { preparePod } from "./podFiles";
import { machinePorts, machinePortsOf, podFolder, podLog, processEnv } from "./podPlaces";
import { metricsPortOf, planPod, processArgs, type RunRule } from "./podPlan";
import { startPodSandbox } from "./podSandbox";
import { finishedStatus, nameOf, type PodState, runningStatus } from "./podStatus";
import { loopback } from "./ports";
import { type RunningProcess, startProcess } from "./processes";
import { send } from "./request";
import { sleep } from "./waitFor";

export interface ProgramSetup {
  readonly log: Log;
  readonly rules: readonly RunRule[];
  readonly binary: (name: ToolName, image: string) => Promise<string>;
  readonly processEnv?: Readonly<Record<string, string>>;
  /** Why only one replica of a program with a fixed port can run at once. */
  readonly oneReplica: string | undefined;
  /** How a pod gets a network of its own, where there is no such reason. */
  readonly sandboxing: readonly string[];
}

/** Runs the programs of pods, one after the other where they share a slot, and says in their status how they are. */
export class PodPrograms {
  /** When true, nothing starts any more, and nothing is written about any pod. */
  stopping = false;
  mayStart: (pod: string) => boolean = () => true;
  private readonly holders = new Map<string, PodState>();

  constructor(
    private readonly plane: ControlPlane,
    private readonly states: ReadonlyMap<string, PodState>,
    private readonly setup: ProgramSetup,
  ) {}

  /** Does once what is to be done with a pod that was given to this node. */
  async launch(state: PodState) {
    const plan = planPod(state.pod, this.setup.rules);
    if (plan.kind === "lookReady") return this.setStatus(state, runningStatus(state, true));
    if (plan.kind === "complete") return this.setStatus(state, finishedStatus(state, 0));
    if (plan.kind === "script") {
      void this.runScript(state, plan.container).catch((error) =>
        this.setup.log(`node: ${nameOf(state.pod)}: ${error.message}`),
      );
      return;
    }
    state.run = { container: plan.container, rule: plan.rule };
    state.slot = this.isIsolated(plan.rule) ? undefined : plan.rule.slot;
    if (state.slot === undefined || !this.holders.has(state.slot)) this.takeSlot(state);
    else await this.setStatus(state, runningStatus(state, true));
  }

  async setStatus(state: PodState, status: object) {
    if (this.stopping || state.lost) return;
    await patchStatus(this.plane.client, state.pod, status);
  }

  /** Ends a pod's process and lets the next in line have its slot. */
  async end(state: PodState) {
    state.ending = true;
    // As a kubelet, but sooner: Kyverno's background controller never ends by itself.
    const seconds = Math.min(state.pod.spec?.terminationGracePeriodSeconds ?? 30, this.stopping ? 10 : 20);
    await state.process?.stop(Math.max(seconds, 1) * 1000);
    await state.sandbox?.stop();
    if (state.slot === undefined || this.holders.get(state.slot) !== state) return;
    this.holders.delete(state.slot);
    if (this.stopping) return;
    const next = [...this.states.values()].find((s) => s.slot === state.slot && s.run && !s.ending && s !== state);
    if (next) this.takeSlot(next);
  }

  private takeSlot(state: PodState) {
    if (state.slot !== undefined) this.holders.set(state.slot, state);
    void this.keepRunning(state).catch((error) => this.setup.log(`node: ${nameOf(state.pod)}: ${error.message}`));
  }

  /** Starts the real program, again after a crash, until the pod is deleted. */
  private async keepRunning(state: PodState) {
    const { container, rule } = state.run as NonNullable<PodState["run"]>;
    const program = await this.retry(() => this.setup.binary(rule.binary, container.image ?? ""), state);
    if (program === undefined) return;
    const ports = (container.ports ?? []).map((p) => p.containerPort);
    const metricsPort = metricsPortOf(container.args) ?? 0;
    if (this.isIsolated(rule)) {
      const wanted = {
        inside: ports,
        outside: machinePorts(this.plane, this.setup.processEnv),
        logFile: podLog(this.plane, state, container),
      };
      state.sandbox = await this.retry(() => startPodSandbox(this.setup.sandboxing, wanted), state);
      if (state.sandbox === undefined) return;
      // Deleted while it was being made.
      if (state.ending || this.stopping) return state.sandbox.stop();
    }
    const [command = program, ...enter] = state.sandbox ? [...state.sandbox.enter, program] : [];
    while (!state.ending && !this.stopping) {
      if (!this.mayStart(nameOf(state.pod))) {
        await sleep(100);
        continue;
      }
      // A missing ConfigMap keeps a real pod waiting too.
      const files = await this.retry(
        () => preparePod(this.plane.client, state.pod, container, podFolder(this.plane, state)),
        state,
      );
      if (files === undefined) return;
      state.ports = state.sandbox?.ports ?? (await machinePortsOf(ports, metricsPort));
      const { env, rewrite } = processEnv(podFolder(this.plane, state), files, this.setup.processEnv);
      const args = (container.args ?? []).map((arg) => rewrite(arg));
      if (state.ending || this.stopping) return;
      const started = Date.now();
      const child = startProcess({
        name: `${rule.binary} of ${nameOf(state.pod)}`,
        command,
        args: [
          ...enter,
          ...processArgs(args, files.kubeconfig, state.sandbox ? metricsPort : (state.ports.get(metricsPort) ?? 0)),
        ],
        env,
        cwd: podFolder(this.plane, state),
        logFile: podLog(this.plane, state, container),
      });
      state.process = child;
      state.binary = rule.binary;
      this.setup.log(`node: ${rule.binary} runs for ${nameOf(state.pod)} (pid ${child.pid})`);
      await this.setStatus(state, runningStatus(state, false));
      void this.becomeReady(state, container, child).catch((error) =>
        this.setup.log(`node: ${nameOf(state.pod)}: ${error.message}`),
      );
      const code = await child.exited;
      if (state.ending || this.stopping || state.lost) return;
      state.restarts++;
      this.setup.log(
        `node: ${rule.binary} of ${nameOf(state.pod)} ended (exit code ${code ?? "none"}); log: ${child.logFile}`,
      );
      await this.setStatus(state, runningStatus(state, false)).catch(() => {});
      // Quick the first times, as tests kill it on purpose; slow for one that cannot start.
      await sleep(Date.now() - started > 10_000 ? 500 : Math.min(500 * 2 ** state.restarts, 10_000));
    }
  }

  private async becomeReady(state: PodState, container: V1Container, child: RunningProcess) {
    const probe = container.readinessProbe?.httpGet;
    if (probe) {
      const port =
        typeof probe.port === "number"
          ? probe.port
          : container.ports?.find((p) => p.name === (probe.port as unknown as string))?.containerPort;
      const machinePort = state.ports?.get(Number(port)) ?? port;
      const url = `${(probe.scheme ?? "HTTP").toLowerCase()}://${loopback}:${machinePort}${probe.path ?? "/"}`;
      for (;;) {
        if (!child.isRunning() || state.ending || this.stopping) return;
        // As a kubelet: its certificate is not checked.
        const status = await send(url, { rejectUnauthorized: false, timeout: 3000 }).then(
          (a) => a.status,
          () => 0,
        );
        if (status >= 200 && status < 400) break;
        await sleep(250);
      }
    }
    if (child.isRunning() && !state.ending) await this.setStatus(state, runningStatus(state, true));
  }

  /** A Job's script, with the kubectl that fits the API server. */
  private async runScript(state: PodState, container: V1Container) {
    const kubectl = await ensureTool("kubectl", this.setup.log);
    const files = await this.retry(
      () => preparePod(this.plane.client, state.pod, container, podFolder(this.plane, state)),
      state,
    );
    if (files === undefined) return;
    const { env, rewrite } = processEnv(podFolder(this.plane, state), files, this.setup.processEnv);
    const [command = "sh", ...args] = [...(container.command ?? []), ...(container.args ?? [])].map((a) => rewrite(a));
    const child = startProcess({
      name: `script of ${nameOf(state.pod)}`,
      // Images may lack what the machine has, and the other way round; a plain shell is on both.
      command: path.basename(command) === "sh" ? "/bin/sh" : command,
      args,
      env: { ...env, PATH: `${path.dirname(kubectl)}:${env.PATH}`, KUBECONFIG: files.kubeconfig },
      cwd: podFolder(this.plane, state),
      logFile: podLog(this.plane, state, container),
    });
    state.process = child;
    await this.setStatus(state, runningStatus(state, true));
    const code = await child.exited;
    if (this.stopping || state.ending) return;
    if (code !== 0)
      this.setup.log(`node: script of ${nameOf(state.pod)} failed (exit code ${code}):\n${child.tail(5)}`);
    await this.setStatus(state, finishedStatus(state, code ?? 137));
  }

  private isIsolated(rule: RunRule) {
    return rule.isolated === true && this.setup.oneReplica === undefined;
  }

  private async retry<T>(action: () => Promise<T>, state: PodState): Promise<T | undefined> {
    let last = "";
    while (!state.ending && !this.stopping) {
      try {
        return await action();
      } catch (error) {
        const message = (error as Error).message;
        if (message !== last) this.setup.log(`node: ${nameOf(state.pod)} waits: ${message}`);
        last = message;
        await sleep(500);
      }
    }
    return undefined;
  }
}
