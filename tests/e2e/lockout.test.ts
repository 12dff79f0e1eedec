import * as assert from "node:assert/strict";
import type { KubeConfig } from "@kubernetes/client-node";
import { isLockedOut, lockOutState, removeWebhooks } from "../../cli/recover/run";
import { pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { isCelForm } from "../../local/policyForm";
import { requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { admissionControllers, create, killKyverno, log, refusal, refusedWith, withBuilds } from "./support";
import { startTraffic } from "./traffic";

const deployment = "/apis/apps/v1/namespaces/kyverno/deployments/kyverno-admission-controller";
const resourceWebhooks = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const DRY_RUN = "?dryRun=All";

/** Kyverno takes its webhooks away when nothing reached it for 100 s; it looks every 10 s. */
const beyondWatchdogMs = 115_000;

describe("lock-out: what goes on when something is down", function () {
  this.timeout(180_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let client: KubeConfig;
  let replicas = 3;
  let count = 0;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    client = plane.client;
    if (node.oneReplica !== undefined) {
      replicas = 1;
      console.log(`      one replica only, as this machine gives a pod no network of its own: ${node.oneReplica}`);
    }
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop", "dev"]);
    const settings = localSettings("prod", sigstore, node.kyverno);
    await applyRendered(plane, node.kyverno, { ...settings, kyverno: { ...(settings.kyverno as object), replicas } });
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const offer = (namespace: string, image: string) =>
    create(client, namespace, pod(`offered-${count++}`, image), DRY_RUN);
  const scale = (to: number) =>
    requestObject(client, "PATCH", deployment, { spec: { replicas: to } }, "application/merge-patch+json");
  const alive = () => admissionControllers(cluster.node);
  /** How many webhooks judge resources; none once Kyverno has withdrawn them. */
  const registered = async () => {
    const { items } = await requestObject<{ items: { metadata: { name: string }; webhooks?: object[] }[] }>(
      client,
      "GET",
      resourceWebhooks,
    );
    return items.find((i) => i.metadata.name === "kyverno-resource-mutating-webhook-cfg")?.webhooks?.length ?? 0;
  };
  const hasBackstop = async () => {
    const path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    return (await requestObject<{ items: object[] }>(client, "GET", path)).items.length > 0;
  };
  const allReady = () =>
    waitFor("every replica is ready", 120_000, async () => {
      const { status } = await requestObject<{ status: { readyReplicas?: number } }>(client, "GET", deployment);
      return status.readyReplicas === replicas;
    });
  const judgesAgain = () =>
    waitFor("Kyverno judges again", 120_000, async () => {
      await offer("production", images.signed);
      return /blocked due to|no signature that counts/.test(await refusal(offer("production", images.unsigned)));
    });

  interface Outage {
    readonly title: string;
    /** Breaks something, waits, mends it. */
    readonly happens: (repaired: () => void) => Promise<void>;
    /** Kyverno takes its webhooks away meanwhile; where it always does and no longer did, the row would show nothing. */
    readonly withdraws?: "always" | "maybe";
    readonly needsReplicas?: true;
  }

  const outages: readonly Outage[] = [
    {
      title: "the API server is restarted",
      happens: () => cluster.plane.restartApiServer(),
    },
    {
      title: "etcd is restarted",
      happens: () => cluster.plane.restartEtcd(),
    },
    {
      title: "the registry answers 500 for a quarter of a minute",
      happens: async (repaired) => {
        cluster.proxy.setFault("*", { kind: "status", status: 500 });
        await sleep(15_000);
        cluster.proxy.clearFaults();
        repaired();
      },
    },
    {
      title: "one of three replicas is killed",
      needsReplicas: true,
      happens: async () => {
        process.kill(alive()[0]!.pid, "SIGKILL");
        await sleep(5000);
      },
    },
    {
      title: "the machine of one of three replicas is lost",
      needsReplicas: true,
      happens: async (repaired) => {
        const lost = alive()[0]!.pod;
        cluster.node.loseMachineOf(lost);
        await sleep(45_000);
        // Evicted at last; its successor runs elsewhere.
        const [namespace, name] = lost.split("/");
        await requestObject(client, "DELETE", `/api/v1/namespaces/${namespace}/pods/${name}`);
        await allReady();
        cluster.plane.network.heal();
        repaired();
      },
    },
    {
      // Kyverno takes its webhooks along, unless it is told to stop before it has heard of the scaling.
      title: "the Deployment is scaled to 0 and back",
      withdraws: "maybe",
      happens: async (repaired) => {
        await scale(0);
        await waitFor("Kyverno has stopped", 60_000, () => alive().length === 0);
        await sleep(10_000);
        await scale(replicas);
        repaired();
      },
    },
    {
      title: "the API server can't reach Kyverno, which lives, for longer than its watchdog waits",
      withdraws: "always",
      happens: async (repaired) => {
        cluster.plane.network.cut();
        await sleep(beyondWatchdogMs);
        cluster.plane.network.heal();
        repaired();
      },
    },
    {
      title: "all replicas are dead for longer than the watchdog waits and one comes back",
      withdraws: "always",
      happens: async (repaired) => {
        const [first] = alive();
        killKyverno(cluster.node);
        await sleep(beyondWatchdogMs);
        cluster.node.startOnly((name) => name === first?.pod);
        repaired();
      },
    },
  ];

  describe("somebody creates pods without pause", function () {
    this.timeout(400_000);

    for (const { title, happens, withdraws, needsReplicas } of outages) {
      it(`nothing unsigned gets in while ${title}`, async function () {
        if (needsReplicas && replicas < 3) {
          this.skipReason = `needs three replicas: ${cluster.node.oneReplica}`;
          return this.skip();
        }
        if (withdraws && !(await hasBackstop())) {
          this.skipReason = "nothing of ours in the API server itself holds while Kyverno has withdrawn its webhooks";
          return this.skip();
        }
        await allReady();
        await judgesAgain();
        const traffic = await startTraffic(client, images);
        let watching = true;
        let fewest = await registered();
        const watch = (async () => {
          while (watching) {
            fewest = Math.min(fewest, await registered().catch(() => fewest));
            await sleep(500);
          }
        })();
        await sleep(2000);
        await happens(traffic.repaired);
        const { offered, unsigned, signed, longestGap, again } = await traffic.stop();
        watching = false;
        await watch;
        cluster.node.startOnly(() => true);
        console.log(
          `        ${unsigned.length} of ${offered} unsigned got in, ${signed} signed; none signed for ${longestGap.toFixed(1)} s at most, again ${again.toFixed(1)} s after the end${fewest === 0 ? "; Kyverno had taken its webhooks away" : ""}`,
        );
        // Later lines hold on to theirs in some of these outages.
        if (withdraws === "always" && cluster.node.kyverno.version.startsWith("1.10."))
          assert.equal(fewest, 0, "Kyverno did not withdraw its webhooks, so this row shows nothing");
        assert.deepEqual(unsigned, []);
      });
    }
  });

  // After the table: the last of them takes the guard's protection away.
  describe("what is refused, what goes on, and the way out", () => {
    it("a registry that answers 500, is slow beyond the timeout or drops connections refuses, and says so", async () => {
      const repository = "ikey168/modulo-backend";
      const unread = isCelForm ? /^require-signed-images: : failed to evaluate policy/ : /signed-by-modulo/;
      cluster.proxy.setFault(repository, { kind: "status", status: 500 });
      await refusedWith(offer("production", images.signed), unread);
      cluster.proxy.setFault(repository, { kind: "reset" });
      await refusedWith(offer("production", images.signed), unread);
      cluster.proxy.setFault(repository, { kind: "delay", ms: 40_000 });
      assert.match(
        await refusal(offer("production", images.signed)),
        /signed-by-modulo|failed to evaluate policy|deadline exceeded|failed calling webhook/,
      );
      cluster.proxy.clearFaults();
      await offer("production", images.signed);
    });

    it("a registry that is down does not stop a namespace that only audits", async () => {
      cluster.proxy.setFault("*", { kind: "status", status: 500 });
      await offer("dev", images.signed);
      cluster.proxy.clearFaults();
    });

    it("without any live replica every namespace of an enforcing stack refuses, while kube-system and Kyverno's own go on", async () => {
      killKyverno(cluster.node);
      assert.match(await refusal(offer("production", images.signed)), /failed calling webhook/);
      await offer("kube-system", images.nginx);
      await offer("kyverno", images.nginx);
      // For ClusterPolicies Kyverno registers one webhook for all namespaces, so audited ones wait for it too.
      if (isCelForm) await offer("dev", images.signed);
      else assert.match(await refusal(offer("dev", images.signed)), /failed calling webhook/);
    });

    it("recover names the lock-out, removes the webhooks when told to, and Kyverno registers them again", async () => {
      const target = { kubeconfig: cluster.plane.kubeconfig };
      await waitFor(
        "no replica is said to be ready",
        30_000,
        async () =>
          (await lockOutState(target, "kyverno")).deployments.find((d) => d.name.includes("admission"))?.ready === 0,
      );
      assert.equal(isLockedOut(await lockOutState(target, "kyverno")), true);
      assert.ok((await removeWebhooks(target)).length > 0);
      await waitFor("the API server has forgotten the backstop", 30_000, async () => {
        await offer("production", images.signed);
        return true;
      });
      assert.equal(isLockedOut(await lockOutState(target, "kyverno")), false);
      cluster.node.startOnly(() => true);
      await waitFor("Kyverno runs", 60_000, () => alive().length > 0);
      await judgesAgain();
    });
  });
});
