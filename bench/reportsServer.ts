import { parentPort, workerData } from "node:worker_threads";
import type { KubeObject } from "../components/kubernetes/resources";
import { startApiServer } from "../tests/support/apiServer";
import { pod, policyReport, rows, scanReport, stored, workload } from "../tests/support/clusterObjects";
import { compile } from "../tests/support/settings";
import { collectionsOf, STACK } from "../tests/support/shopCluster";

/** A cluster whose size is in its pods: the same fifty images, twenty pods each and more. */
const IMAGES = 50;

function clusterOf(pods: number, rowsPerPod: number): KubeObject[] {
  const image = (index: number) => `ghcr.io/ikey168/modulo-${index % IMAGES}@sha256:${"a".repeat(64)}`;
  const sets = Array.from({ length: IMAGES }, (_, index) =>
    workload("ReplicaSet", "production", `app-${index}`, [image(index)], { replicas: pods / IMAGES }),
  );
  const all = Array.from({ length: pods }, (_, index) =>
    pod("production", `app-${index % IMAGES}-${index}`, [image(index)], { owner: sets[index % IMAGES]! }),
  );
  const row = (index: number) => (index % 5 === 0 ? rows.unsigned(image(index)) : rows.pass(image(index)));
  const rowsOf = (index: number) => [row(index), ...Array.from({ length: rowsPerPod - 1 }, () => rows.secondLook())];
  return [
    ...compile(STACK).policies.map(stored),
    ...sets,
    ...all,
    ...all.map((one, index) => scanReport(one, rowsOf(index))),
    policyReport(
      "production",
      all.slice(0, 1000).map((_, index) => row(index)),
    ),
  ];
}

const { pods, rowsPerPod } = workerData as { pods: number; rowsPerPod: number };
void startApiServer(collectionsOf(clusterOf(pods, rowsPerPod))).then(({ kubeconfig }) =>
  parentPort!.postMessage(kubeconfig),
);
