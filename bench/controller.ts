import * as fs from "node:fs";
import type { Json } from "../components/kubernetes/manifest";
import { loopback } from "../local/ports";
import { send } from "../local/request";
import type { BenchCluster } from "./cluster";

/** Lets Kyverno say how much memory it has allocated, to this machine only. */
export const PROFILED: Json = {
  admissionController: { container: { extraArgs: { profile: true, profileAddress: loopback } } },
};
const profile = `http://${loopback}:6060/debug/pprof/heap?debug=1`;

/** What the admission controller has used since it was started. */
export interface Usage {
  readonly cpuMs: number;
  readonly allocatedMB: number;
  /** Calls of its webhooks. */
  readonly calls: number;
  /** Rules that matched and gave a result. */
  readonly results: number;
}

/**
 * What was used up to now. To write the heap's profile takes the controller a third of a second, as much as twenty
 * requests: at the `start` of a measurement it is read before the CPU, at the `end` after it.
 */
export async function usage({ node }: BenchCluster, at: "start" | "end"): Promise<Usage> {
  const kyverno = node.processes().find(({ binary }) => binary === "kyverno");
  if (kyverno === undefined) throw new Error("Kyverno does not run");
  const cpuAtEnd = cpuMs(kyverno.pid);
  const allocated = await allocatedBytes();
  const { body: metrics } = await send(kyverno.metricsUrl, {});
  return {
    cpuMs: at === "end" ? cpuAtEnd : cpuMs(kyverno.pid),
    allocatedMB: allocated / 1e6,
    calls: sum(metrics, "kyverno_admission_requests_total"),
    results: sum(metrics, "kyverno_policy_results_total"),
  };
}

async function allocatedBytes(): Promise<number> {
  const { body: heap } = await send(profile, {});
  const allocated = /^# TotalAlloc = (\d+)$/m.exec(heap)?.[1];
  if (allocated === undefined) throw new Error("Kyverno's profile has no TotalAlloc");
  return Number(allocated);
}

/** What one of `requests` used. */
export function each(before: Usage, after: Usage, requests: number): Usage {
  const of = (key: keyof Usage) => (after[key] - before[key]) / requests;
  return { cpuMs: of("cpuMs"), allocatedMB: of("allocatedMB"), calls: of("calls"), results: of("results") };
}

/** Linux counts in hundredths of a second for every program, whatever its own clock. */
export function cpuMs(pid: number): number {
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function sum(metrics: string, name: string): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
