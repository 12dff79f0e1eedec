import * as assert from "node:assert/strict";
import type { KubeConfig } from "@kubernetes/client-node";
import { isLockedOut, lockOutState, removeWebhooks } from "../../cli/recover/run";
import { pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { requestObject } from "../../local/request";
import { waitFor } from "../../local/waitFor";
import { create, log, refusal, refusedWith, withBuilds } from "./support";

const deployment = "/apis/apps/v1/namespaces/kyverno/deployments/kyverno-admission-controller";
const DRY_RUN = "?dryRun=All";

describe("lock-out: what goes on when something is down", function () {
  this.timeout(180_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let client: KubeConfig;
  let count = 0;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    client = plane.client;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "dev"]);
    await applyRendered(plane, node.kyverno, localSettings("prod", sigstore, node.kyverno));
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const offer = (namespace: string, image: string) =>
    create(client, namespace, pod(`offered-${count++}`, image), DRY_RUN);
  const scale = (replicas: number) =>
    requestObject(client, "PATCH", deployment, { spec: { replicas } }, "application/merge-patch+json");
  const running = () => cluster.node.processes().some(({ binary }) => binary === "kyverno");
  const judgesAgain = () =>
    waitFor("Kyverno judges again", 120_000, async () => {
      await offer("production", images.signed);
      return /blocked due to/.test(await refusal(offer("production", images.unsigned)));
    });

  it("a registry that answers 500, is slow beyond the timeout or drops connections refuses, and says so", async () => {
    const repository = "ikey168/modulo-backend";
    cluster.proxy.setFault(repository, { kind: "status", status: 500 });
    await refusedWith(offer("production", images.signed), /signed-by-modulo/);
    cluster.proxy.setFault(repository, { kind: "reset" });
    await refusedWith(offer("production", images.signed), /signed-by-modulo/);
    cluster.proxy.setFault(repository, { kind: "delay", ms: 40_000 });
    assert.match(
      await refusal(offer("production", images.signed)),
      /signed-by-modulo|deadline exceeded|failed calling webhook/,
    );
    cluster.proxy.clearFaults();
    await offer("production", images.signed);
  });

  it("a registry that is down does not stop a namespace that only audits", async () => {
    cluster.proxy.setFault("*", { kind: "status", status: 500 });
    await offer("dev", images.signed);
    cluster.proxy.clearFaults();
  });

  it("a restart of the API server and of etcd changes no verdict", async () => {
    await cluster.plane.restartApiServer();
    await judgesAgain();
    await cluster.plane.restartEtcd();
    await judgesAgain();
  });

  it("without any replica every namespace of an enforcing stack refuses, while kube-system and Kyverno's own go on", async () => {
    await scale(0);
    await waitFor("Kyverno has stopped", 60_000, async () => !running());
    assert.match(await refusal(offer("production", images.signed)), /failed calling webhook/);
    await offer("kube-system", images.nginx);
    await offer("kyverno", images.nginx);
    // Kyverno registers one webhook for all namespaces, so audited ones wait for it too.
    assert.match(await refusal(offer("dev", images.signed)), /failed calling webhook/);
  });

  it("recover names the lock-out, removes the webhooks when told to, and Kyverno registers them again", async () => {
    const target = { kubeconfig: cluster.plane.kubeconfig };
    assert.equal(isLockedOut(await lockOutState(target, "kyverno")), true);
    assert.ok((await removeWebhooks(target)).length > 0);
    await offer("production", images.signed);
    assert.equal(isLockedOut(await lockOutState(target, "kyverno")), false);
    await scale(1);
    await waitFor("Kyverno runs", 60_000, async () => running());
    await judgesAgain();
  });
});
