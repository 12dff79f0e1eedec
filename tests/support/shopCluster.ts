import type { Resource } from "../../components/kubernetes/resources";
import { CLUSTER_POLICIES, type KubeObject, POLICY_REPORTS, SCAN_REPORTS } from "../../components/kubernetes/resources";
import { WORKLOADS } from "../../components/kubernetes/workloads";
import { pod, policyReport, rows, scanReport, stored, workload } from "./clusterObjects";
import { compile, settings } from "./settings";

const digest = (char: string) => `sha256:${char.repeat(64)}`;
const owner = "ghcr.io/ikey168";

export const images = {
  signed: `${owner}/modulo-backend@${digest("a")}`,
  unsigned: `${owner}/modulo-worker:1.4`,
  other: `${owner}/modulo-frontend@${digest("b")}`,
  denied: `${owner}/modulo-private:2`,
  unscanned: `${owner}/modulo-new:7`,
  nginx: "nginx:1.27",
};

const skip = (until: string, policies = "require-signed-images") => ({
  "policies.kyverno.io/skip": policies,
  "policies.kyverno.io/skip-reason": "INC-1234: signing service is down",
  "policies.kyverno.io/skip-until": until,
});

export const RUNNING_UNTIL = "2026-06-01T14:00:00Z";
export const ENDED_UNTIL = "2026-05-30T18:00:00Z";

export const STACK = settings({ bypass: { groups: ["platform-oncall"], maxHours: 4 } });

/** A cluster in audit with one workload of each kind of trouble; time is NOW of settings.ts. */
export function shopCluster(): KubeObject[] {
  const shop = workload("Deployment", "production", "shop", [images.signed]);
  const current = workload("ReplicaSet", "production", "shop-2", [images.signed], { owner: shop, replicas: 2 });
  const old = workload("ReplicaSet", "production", "shop-1", [images.unsigned], { owner: shop, replicas: 0 });
  const pods = ["a", "b"].map((name) => pod("production", `shop-2-${name}`, [images.signed], { owner: current }));
  const mixed = pod("production", "mixed", [images.signed, images.unsigned]);
  const nightly = workload("CronJob", "production", "nightly", [images.other]);
  const hotfix = workload("Deployment", "production", "hotfix", [images.unsigned], {
    annotations: skip(RUNNING_UNTIL),
  });
  const stale = workload("StatefulSet", "production", "stale", [images.signed], { annotations: skip(ENDED_UNTIL) });
  const revision = workload("ControllerRevision", "production", "stale-1", [images.unsigned], { owner: stale });
  const locked = workload("DaemonSet", "production", "locked", [images.denied]);
  const fresh = pod("production", "fresh", [images.unscanned]);
  const web = workload("Deployment", "shop", "web", [images.nginx]);
  const done = workload("Job", "shop", "done", [images.unsigned], {
    status: { conditions: [{ type: "Complete", status: "True" }] },
  });
  const tinkering = pod("dev", "tinkering", [images.unsigned]);
  const inAudit = { policy: "verify-image-signatures" };
  return [
    ...compile(STACK).policies.map(stored),
    ...[shop, current, old, ...pods, mixed, nightly, hotfix, stale, revision, locked, fresh, web, done, tinkering],
    scanReport(shop, [{ ...rows.pass(images.signed), rule: "autogen-signed-by-modulo" }]),
    scanReport(old, [{ ...rows.unsigned(images.unsigned), rule: "autogen-signed-by-modulo" }]),
    scanReport(mixed, [rows.pass(images.signed), rows.unsigned(images.unsigned)]),
    scanReport(nightly, [{ ...rows.wrongSigner(images.other), rule: "autogen-cronjob-signed-by-modulo" }]),
    scanReport(locked, [{ ...rows.registryDenied(images.denied), rule: "autogen-signed-by-modulo" }]),
    scanReport(web, [{ ...rows.noSigner(["docker.io/nginx:1.27"]), rule: "autogen-image-has-a-signer" }]),
    scanReport(tinkering, [rows.unsigned(images.unsigned, inAudit)]),
    // What 1.10 makes of the two rows about "mixed".
    policyReport("production", [rows.pass(images.signed)]),
  ];
}

export function collectionsOf(objects: readonly KubeObject[]): [Resource, KubeObject[]][] {
  return [...WORKLOADS, CLUSTER_POLICIES, SCAN_REPORTS, POLICY_REPORTS].map((resource) => [
    resource,
    objects.filter(({ kind }) => kind === resource.kind),
  ]);
}
