import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { clusterSource, type ObjectSource } from "../cli/cluster/source";
import { assessImpact } from "../cli/impact/assess";
import { makeReport } from "../cli/report/make";
import { POLICY_REPORTS, SCAN_REPORTS } from "../components/kubernetes/resources";
import { WORKLOADS } from "../components/kubernetes/workloads";
import { configFromSettings } from "../components/settings";
import { NOW } from "../tests/support/settings";
import { STACK } from "../tests/support/shopCluster";
import type { Bench, Measure } from "./measure";

const SECONDS = 2;
const SIZES = { pods: 1000, rowsPerPod: 10, times: 4 };

/**
 * impact and report over 10,000 results in 1,000 pods, from an API server in another thread. What they hold is compared
 * with the baseline of whoever keeps the parsed pages, and with their own need for four times as much.
 */
export const reports: Bench = async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const small = await serve(SIZES.pods);
  const large = await serve(SIZES.pods * SIZES.times);
  try {
    const measures: Measure[] = [];
    const baseline = await held(collect, small.kubeconfig, keepAll);
    const results = SIZES.pods * SIZES.rowsPerPod;
    for (const [name, run] of [
      ["impact", impact],
      ["report", report],
    ] as const) {
      await run(clusterSource({ kubeconfig: small.kubeconfig }));
      const start = performance.now();
      await run(clusterSource({ kubeconfig: small.kubeconfig }));
      const seconds = (performance.now() - start) / 1000;
      const little = await held(collect, small.kubeconfig, run);
      const much = await held(collect, large.kubeconfig, run);
      measures.push(
        limit(`${name}: ${results} results in ${SIZES.pods} pods`, seconds, SECONDS, "s"),
        limit(
          `${name}: memory, baseline JSON.parse of the same pages ${mib(baseline)} MiB`,
          mib(little),
          mib(baseline / 2),
          "MiB",
        ),
        limit(`${name}: memory, ${SIZES.times} times as much`, mib(much), mib(little) * 1.5 + 2, "MiB"),
      );
    }
    return measures;
  } finally {
    await small.stop();
    await large.stop();
  }
};

const impact = async (source: ObjectSource): Promise<unknown> => {
  const request = {
    stack: "bench",
    config: configFromSettings(STACK),
    namespaces: [],
    everywhere: false,
    rollbacks: true,
  };
  const result = await assessImpact(source, { ...request, check: "never", now: NOW });
  if (result.findings.length === 0 || result.readiness.images.cannotTell > 0)
    throw new Error("impact found no verdicts");
  return result;
};

const report = async (source: ObjectSource): Promise<unknown> => {
  const result = await makeReport(source, [], NOW);
  if (result.summary.images.signed === 0) throw new Error("report found no verdicts");
  return result;
};

const keepAll = async (source: ObjectSource): Promise<unknown> => {
  const pages: unknown[] = [];
  for (const resource of [...WORKLOADS, SCAN_REPORTS, POLICY_REPORTS])
    for await (const page of source.pages(resource)) pages.push(page);
  return pages;
};

/** The most that is alive after any page, above what was before. */
async function held(
  collect: () => void,
  kubeconfig: string,
  run: (source: ObjectSource) => Promise<unknown>,
): Promise<number> {
  collect();
  const before = process.memoryUsage().heapUsed;
  let most = 0;
  const look = () => {
    collect();
    most = Math.max(most, process.memoryUsage().heapUsed - before);
  };
  const source = clusterSource({ kubeconfig });
  await run({
    name: source.name,
    pages: async function* (resource, namespace) {
      for await (const page of source.pages(resource, namespace)) {
        yield page;
        look();
      }
    },
  });
  return most;
}

const mib = (bytes: number) => Math.round((bytes / 1024 / 1024) * 10) / 10;

function limit(what: string, value: number, most: number, unit: string): Measure {
  return {
    what,
    value: `${value.toFixed(1)} ${unit}`,
    limit: `${most.toFixed(1)} ${unit}`,
    holds: value <= most,
  };
}

/** An API server with its own heap, so that only the commands are measured. */
function serve(pods: number): Promise<{ kubeconfig: string; stop: () => Promise<unknown> }> {
  const worker = new Worker(
    `require("ts-node/register/transpile-only"); require(${JSON.stringify(`${__dirname}/reportsServer.ts`)})`,
    { eval: true, workerData: { pods, rowsPerPod: SIZES.rowsPerPod } },
  );
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (kubeconfig: string) => resolve({ kubeconfig, stop: () => worker.terminate() }));
  });
}
