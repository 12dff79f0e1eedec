import * as assert from "node:assert/strict";
import type { V1Pod } from "@kubernetes/client-node";
import {
  expand,
  fieldOf,
  kyvernoRules,
  metricsPortOf,
  planPod,
  processArgs,
  rewritePath,
} from "../../../local/podPlan";

const podOf = (image: string, more: Partial<V1Pod> = {}, command?: string[]): V1Pod => ({
  spec: { containers: [{ name: "c", image, ...(command ? { command } : {}) }] },
  ...more,
});
const ofJob = { metadata: { ownerReferences: [{ kind: "Job", name: "j", uid: "1", apiVersion: "batch/v1" }] } };
const kindOf = (pod: V1Pod) => planPod(pod, kyvernoRules).kind;

describe("the local node's plan for a pod", () => {
  it("runs Kyverno's controllers, by any registry, tag or digest", () => {
    for (const image of [
      "ghcr.io/kyverno/kyverno:v1.10.7",
      "mirror.example.com/kyverno/kyverno@sha256:ab",
      "kyverno/kyverno:x",
    ]) {
      const plan = planPod(podOf(image), kyvernoRules);
      assert.ok(plan.kind === "run" && plan.rule.binary === "kyverno", image);
    }
    const plan = planPod(podOf("ghcr.io/kyverno/reports-controller:v1.10.7"), kyvernoRules);
    assert.ok(plan.kind === "run" && plan.rule.binary === "reports-controller");
  });

  it("lets every other pod only look ready", () => {
    for (const image of [
      "docker.io/library/nginx:1",
      "ghcr.io/evil/kyvernox/kyverno-x:v1",
      "ghcr.io/kyverno/kyvernopre:v1",
    ])
      assert.equal(kindOf(podOf(image)), "lookReady", image);
    assert.equal(planPod({}, kyvernoRules).kind, "lookReady");
  });

  it("runs a Job's kubectl script, whichever image has it, and completes other Jobs", () => {
    assert.equal(kindOf(podOf("docker.io/alpine/k8s:1", ofJob, ["sh", "-c", "kubectl delete x"])), "script");
    assert.equal(kindOf(podOf("docker.io/library/busybox:1", ofJob, ["true"])), "complete");
    assert.equal(kindOf(podOf("ghcr.io/kyverno/kyverno:v1", ofJob)), "complete");
  });

  it("moves paths under their mount, the deepest one first, also behind a flag", () => {
    const mounts = { "/a": "/tmp/1", "/a/b/": "/tmp/2" };
    for (const [given, wanted] of [
      ["/a/x", "/tmp/1/x"],
      ["/a", "/tmp/1"],
      ["/a/b/c", "/tmp/2/c"],
      ["--cert=/a/b/c.pem", "--cert=/tmp/2/c.pem"],
      ["/ab", "/ab"],
      ["--name=a", "--name=a"],
    ])
      assert.equal(rewritePath(given!, mounts), wanted);
  });

  it("replaces $(NAME) as Kubernetes does", () => {
    const env = { A: "1", "B.C": "2" };
    for (const [given, wanted] of [
      ["x$(A)y$(B.C)", "x1y2"],
      ["$(NONE)", "$(NONE)"],
      ["$$(A)", "$(A)"],
      ["$A ${A}", "$A ${A}"],
    ])
      assert.equal(expand(given!, env), wanted);
  });

  it("knows the fields of the downward API", () => {
    const pod: V1Pod = {
      metadata: { name: "p", namespace: "n", labels: { "a.b/c": "l" } },
      spec: { containers: [], serviceAccountName: "s" },
    };
    const paths = ["metadata.name", "metadata.namespace", "spec.serviceAccountName", "metadata.labels['a.b/c']"];
    assert.deepEqual(
      paths.map((path) => fieldOf(pod, path)),
      ["p", "n", "s", "l"],
    );
    assert.equal(fieldOf(pod, "metadata.annotations['none']"), "");
    assert.equal(fieldOf(pod, "status.unheardOf"), undefined);
  });

  it("moves the metrics port and adds nothing but the pod's own rights", () => {
    const args = ["--v=2", "--metricsPort=8000"];
    assert.equal(metricsPortOf(args), 8000);
    assert.deepEqual(processArgs(args, "/k", 8123), ["--v=2", "--metricsPort=8123", "--kubeconfig=/k"]);
    assert.equal(metricsPortOf(["--v=2"]), undefined);
  });
});
