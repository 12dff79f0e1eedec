import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ImageSigningGuard } from "../../components/imageSigningGuard";
import { argsFromSettings } from "../../components/settings";
import { pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { localSettings } from "../../local/demo/settings";
import { type EngineRun, type EngineStack, openStack } from "../../local/engine";
import { request } from "../../local/request";
import { whatIsLeft } from "./outages";
import { log, startEngine } from "./support";

const unsigned = "ghcr.io/ikey168/modulo-backend:never-signed";

/**
 * One program, two clusters, each with a guard and a provider of its own. What leads to the second is known only once
 * something else has been made, as where the same program makes the cluster; its provider does without server-side apply.
 */
describe("engine: two clusters, one of them made by the same program", function () {
  this.timeout(600_000);
  const clusters: DemoCluster[] = [];
  let stack: EngineStack;

  before(async function () {
    const { engine, cluster } = await startEngine(this);
    clusters.push(cluster, await startCluster({ log }));
    for (const { plane } of clusters) await ensureNamespaces(plane, ["production"]);
    stack = await openStack(cluster.plane, engine, "clusters", () => program);
  });

  after(async function () {
    this.timeout(60_000);
    for (const cluster of clusters) await cluster.stop();
  });

  const argsFor = ({ sigstore, node }: DemoCluster) => argsFromSettings(localSettings("prod", sigstore, node.kyverno));

  const program = async () => {
    const [first, second] = clusters as [DemoCluster, DemoCluster];
    const [one, two] = [first, second].map(({ plane }) => fs.readFileSync(plane.kubeconfig, "utf8")) as [
      string,
      string,
    ];
    const provider = new k8s.Provider("first", { kubeconfig: one });
    const made = new k8s.core.v1.ConfigMap("the-cluster", { data: {} }, { provider });
    const late = made.metadata.uid.apply(() => two);
    const lateProvider = new k8s.Provider("second", { kubeconfig: late, enableServerSideApply: false });
    const guards = [
      new ImageSigningGuard("first", { ...argsFor(first), readiness: { kubeconfig: one } }, { provider }),
      new ImageSigningGuard(
        "second",
        { ...argsFor(second), readiness: { kubeconfig: late } },
        { provider: lateProvider },
      ),
    ];
    return { readiness: pulumi.all(guards.map(({ readiness }) => readiness)) };
  };

  const changes = ({ operations }: EngineRun) =>
    operations.filter(({ op }) => op !== "same" && op !== "read").map(({ op, name }) => `${op} ${name}`);
  const args = () => argsFor(clusters[0]!);

  it("a preview needs no cluster that is not there yet", async () => {
    const run = await stack.preview(args());
    assert.ok(
      run.operations.every(({ op }) => op === "create"),
      changes(run).join("\n"),
    );
    const policies = run.operations.filter(({ name }) => name.endsWith("-require-signed-images"));
    assert.equal(policies.length, 2);
  });

  it("the first up makes both, and both refuse", async () => {
    const { outputs } = await stack.up(args());
    for (const readiness of outputs.readiness as string[]) assert.match(readiness, /unsigned canary refused$/);
    for (const { plane } of clusters) {
      const path = "/api/v1/namespaces/production/pods?dryRun=All";
      assert.equal((await request(plane.client, "POST", path, pod("app", unsigned))).status, 400);
    }
  });

  it("nothing differs afterwards, and destroy leaves nothing in either", async () => {
    assert.deepEqual(changes(await stack.preview(args(), { expectNoChanges: true })), []);
    await stack.destroy();
    for (const cluster of clusters) assert.deepEqual(await whatIsLeft(cluster), []);
  });
});
