import * as assert from "node:assert/strict";
import type { ImageSigningGuardArgs } from "../../components/args";
import { argsFromSettings } from "../../components/settings";
import { type DemoCluster, ensureNamespaces } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { localSettings } from "../../local/demo/settings";
import { type EngineStack, openStack } from "../../local/engine";
import { builtKyverno, type KyvernoSource } from "../../local/kyvernoSource";
import { requestObject } from "../../local/request";
import { startTraffic } from "../e2e/traffic";
import { whatIsLeft } from "./outages";
import { log, startEngine } from "./support";

const CLEANUP_POLICIES = "/apis/kyverno.io/v2alpha1/namespaces/shop/cleanuppolicies";

/** The line changes by one field of the stack, under somebody who offers unsigned pods and forged verdicts without pause. */
describe("engine: from Kyverno 1.10 to the next line and back", function () {
  this.timeout(900_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let stack: EngineStack;
  let next: KyvernoSource;

  before(async function () {
    this.timeout(40 * 60_000);
    next = await builtKyverno(log);
    const { engine, ...started } = await startEngine(this, { movesTo: next });
    cluster = started.cluster;
    const { plane, node, cosign, sigstore } = cluster;
    if (!node.kyverno.version.startsWith("1.10.")) {
      this.skipReason = `needs Kyverno 1.10 beside the one that is built, not ${node.kyverno.version} alone`;
      return this.skip();
    }
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop"]);
    stack = await openStack(plane, engine, "move");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const on = (kyverno: KyvernoSource): ImageSigningGuardArgs => {
    const settings = localSettings("prod", cluster.sigstore, kyverno);
    const replicas = cluster.node.oneReplica === undefined ? 3 : 1;
    return argsFromSettings({
      ...settings,
      kyverno: { ...(settings.kyverno as object), replicas },
      readiness: { signedImage: images.signed },
    });
  };

  it("stops before anything changes where something is stored that the other line can't read", async () => {
    await stack.up(on(cluster.node.kyverno));
    const { client } = cluster.plane;
    await requestObject(client, "POST", CLEANUP_POLICIES, {
      apiVersion: "kyverno.io/v2alpha1",
      kind: "CleanupPolicy",
      metadata: { name: "kept" },
      spec: { schedule: "0 0 1 1 *", match: { any: [{ resources: { kinds: ["ConfigMap"] } }] } },
    });
    await assert.rejects(stack.up(on(next)), /1 CleanupPolicy of a version that Kyverno v1\.19\.\d does not have/);
    // The component alone, whose inputs the engine has taken down already.
    const { operations } = await stack.preview(on(cluster.node.kyverno));
    assert.deepEqual(
      operations.filter(({ op }) => op !== "same" && op !== "read").map(({ name }) => name),
      ["guard"],
    );
    await requestObject(client, "DELETE", `${CLEANUP_POLICIES}/kept`);
  });

  const moves = [
    ["there", () => next],
    ["back", () => cluster.node.kyverno],
    ["there again", () => next],
  ] as const;
  for (const [way, to] of moves)
    it(`${way}: up moves the release in place, and nothing unsigned gets in meanwhile`, async () => {
      const traffic = await startTraffic(cluster.plane.client, images);
      const { outputs, operations } = await stack.up(on(to()));
      traffic.repaired();
      const { offered, unsigned, signed, longestGap } = await traffic.stop();
      console.log(
        `        ${unsigned.length} of ${offered} unsigned got in, ${signed} signed; longest time without: ${longestGap.toFixed(0)} s`,
      );
      assert.deepEqual(unsigned, []);
      assert.ok(operations.every(({ op }) => !op.includes("replace")));
      assert.equal(outputs.kyvernoVersion, `v${to().version}`);
      assert.match(String(outputs.readiness), /unsigned canary refused, signed canary admitted$/);
      const preview = await stack.preview(on(to()), { expectNoChanges: true });
      assert.ok(preview.operations.every(({ op }) => op === "same" || op === "read"));
    });

  it("destroy leaves nothing of either", async () => {
    await stack.destroy();
    assert.deepEqual(await whatIsLeft(cluster), []);
  });
});
