import * as assert from "node:assert/strict";
import { type ImageSigningGuardArgs, PolicyForm } from "../../components/args";
import { argsFromSettings } from "../../components/settings";
import { type DemoCluster, ensureNamespaces } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { localSettings } from "../../local/demo/settings";
import { type EngineStack, openStack } from "../../local/engine";
import { trustOfCelPolicies } from "../../local/policyForm";
import { requestObject } from "../../local/request";
import { startTraffic } from "../e2e/traffic";
import { whatIsLeft } from "./outages";
import { startEngine } from "./support";

const POLICY = "/apis/policies.kyverno.io/v1/imagevalidatingpolicies/require-signed-images";

/** The policies take another form by one field of the stack, under somebody who offers unsigned pods without pause. */
describe("engine: from ClusterPolicies to ImageValidatingPolicies and back", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let stack: EngineStack;

  before(async function () {
    const { engine, ...started } = await startEngine(this, { updates: true });
    cluster = started.cluster;
    const { plane, node, cosign, sigstore } = cluster;
    if (node.kyverno.version.startsWith("1.10.")) {
      this.skipReason = `needs Kyverno 1.19: ${node.kyverno.version} knows no ImageValidatingPolicy`;
      return this.skip();
    }
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop"]);
    stack = await openStack(plane, engine, "forms");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const as = (policies: PolicyForm): ImageSigningGuardArgs => {
    const settings = localSettings("prod", cluster.sigstore, cluster.node.kyverno);
    return argsFromSettings({
      ...settings,
      trust: { ...(settings.trust as object), ...trustOfCelPolicies(cluster.sigstore) },
      kyverno: { ...(settings.kyverno as object), policies },
      readiness: { signedImage: images.signed },
    });
  };

  it("up makes the newer form in a cluster that does not know its kinds yet", async () => {
    const { outputs } = await stack.up(as(PolicyForm.ImageValidatingPolicy));
    assert.match(String(outputs.readiness), /unsigned canary refused, signed canary admitted$/);
  });

  for (const [way, form] of [
    ["back", PolicyForm.ClusterPolicy],
    ["there again", PolicyForm.ImageValidatingPolicy],
  ] as const)
    it(`${way}: nothing unsigned gets in meanwhile, and what was there before is gone`, async () => {
      const traffic = await startTraffic(cluster.plane.client, images);
      const { outputs } = await stack.up(as(form));
      traffic.repaired();
      const { offered, unsigned, signed, longestGap } = await traffic.stop();
      console.log(
        `        ${unsigned.length} of ${offered} unsigned got in, ${signed} signed; longest time without: ${longestGap.toFixed(0)} s`,
      );
      assert.deepEqual(unsigned, []);
      assert.match(String(outputs.readiness), /unsigned canary refused, signed canary admitted$/);
      const preview = await stack.preview(as(form), { expectNoChanges: true });
      assert.ok(preview.operations.every(({ op }) => op === "same" || op === "read"));
      const left = await requestObject<{ items: unknown[] }>(
        cluster.plane.client,
        "GET",
        form === PolicyForm.ClusterPolicy
          ? "/apis/policies.kyverno.io/v1/imagevalidatingpolicies"
          : "/apis/kyverno.io/v1/clusterpolicies",
      );
      assert.deepEqual(left.items, []);
    });

  it("what somebody changed in the cluster fails the next up, and comes back by the words of the error", async () => {
    const weaker = { spec: { validationActions: ["Audit"] } };
    await requestObject(cluster.plane.client, "PATCH", POLICY, weaker, "application/merge-patch+json");
    await assert.rejects(
      stack.up(as(PolicyForm.ImageValidatingPolicy)),
      /ImageValidatingPolicy require-signed-images was changed in the cluster.*kubectl delete imagevalidatingpolicy require-signed-images, then pulumi up --refresh/,
    );
    // Applied again it would keep what somebody put into a list.
    await requestObject(cluster.plane.client, "DELETE", POLICY);
    await stack.refresh();
    await stack.up(as(PolicyForm.ImageValidatingPolicy));
    const { spec } = await requestObject<{ spec: { validationActions: string[] } }>(
      cluster.plane.client,
      "GET",
      POLICY,
    );
    assert.deepEqual(spec.validationActions, ["Deny"]);
  });

  it("destroy leaves nothing", async () => {
    await stack.destroy();
    assert.deepEqual(await whatIsLeft(cluster), []);
  });
});
