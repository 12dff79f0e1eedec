import * as fs from "node:fs";
import * as path from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import type { ControlPlane } from "./controlPlane";
import type { PodFiles } from "./podFiles";
import { expand, rewritePath } from "./podPlan";
import type { PodState } from "./podStatus";
import { freePort } from "./ports";
import { baseEnv } from "./processes";

/** What a pod may have to reach: the API server, the registry, and whatever the environment names. */
export function machinePorts(plane: ControlPlane, processEnv: Readonly<Record<string, string>> = {}): number[] {
  const named = Object.values(processEnv).map((value) => value.match(/^https?:\/\/127\.0\.0\.1:(\d+)/)?.[1]);
  const ports = [new URL(plane.server).port, plane.registry.port, ...named].filter((port) => port !== undefined);
  return [...new Set(ports.map(Number))];
}

/** In the machine's own network every port is taken as it is, but for the metrics', which all programs share. */
export async function machinePortsOf(ports: readonly number[], metricsPort: number): Promise<Map<number, number>> {
  const known = new Map(ports.map((port) => [port, port]));
  known.set(metricsPort, await freePort());
  return known;
}

export const podFolder = (plane: ControlPlane, state: PodState) =>
  path.join(plane.workDir, "pods", state.pod.metadata?.uid ?? "unknown");
export const podLog = (plane: ControlPlane, state: PodState, container: V1Container) =>
  path.join(plane.workDir, "logs", `${state.pod.metadata?.name}-${container.name}.log`);

/** Environment of a pod's program, and what turns the paths of its container into those of this machine. */
export function processEnv(
  folder: string,
  { env: own, mounts }: Pick<PodFiles, "env" | "mounts">,
  below: Readonly<Record<string, string>> = {},
) {
  const home = path.join(folder, "home");
  fs.mkdirSync(home, { recursive: true });
  const rewrite = (value: string) => rewritePath(expand(value, own), mounts);
  const env: NodeJS.ProcessEnv = { ...baseEnv(), HOME: home, TMPDIR: home, ...below };
  for (const [name, value] of Object.entries(own)) env[name] = rewrite(value);
  return { env, rewrite };
}
