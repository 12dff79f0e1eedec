import * as assert from "node:assert/strict";
import type { KubeConfig } from "@kubernetes/client-node";
import { pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { otherPolicies } from "../../local/demo/otherPolicies";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { applyPolicies } from "../../local/kyverno";
import { request } from "../../local/request";
import { waitFor } from "../../local/waitFor";
import { create, log, refusedWith, withBuilds } from "./support";

const production = "production";
const DRY_RUN = "?dryRun=All";

/** Several teams share one Kyverno: what it did for them before the guard came, it does beside it. */
describe("others: policies of other teams in the same Kyverno", function () {
  this.timeout(120_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let client: KubeConfig;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    client = plane.client;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, [production]);
    await applyRendered(plane, node.kyverno, { ...localSettings("prod", sigstore, node.kyverno), mode: "audit" });
    await applyPolicies(plane, otherPolicies as never);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const privileged = (image: string) => {
    const made = pod("privileged", image);
    const [container] = made.spec.containers;
    return { ...made, spec: { ...made.spec, containers: [{ ...container, securityContext: { privileged: true } }] } };
  };

  const theirsWork = (namespace: string) => async () => {
    await refusedWith(create(client, production, privileged(images.signed), DRY_RUN), /^no-privileged-containers: /m);
    const made = (await create(client, production, pod("changed", images.signed), DRY_RUN)) as unknown as {
      metadata: { labels?: Record<string, string> };
      spec: { containers: { image: string; resources?: { requests?: { memory?: string } } }[] };
    };
    assert.equal(made.metadata.labels?.team, "nobody");
    assert.equal(made.spec.containers[0]!.resources?.requests?.memory, "64Mi");
    await ensureNamespaces(cluster.plane, [namespace]);
    const generated = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/deny-all`;
    await waitFor("the NetworkPolicy is generated", 60_000, async () => {
      return (await request(client, "GET", generated)).status === 200;
    });
  };

  it("work beside a guard that audits", theirsWork("new-audited"));

  describe("beside a guard that enforces", () => {
    before(async () => {
      const { plane, sigstore, node } = cluster;
      await applyRendered(plane, node.kyverno, localSettings("prod", sigstore, node.kyverno));
    });

    it("work as before", theirsWork("new-enforced"));

    it("what they change is judged as it will run: signed is admitted by its digest, unsigned refused", async () => {
      const made = await create(client, production, pod("signed", images.signed), DRY_RUN);
      assert.match(made.spec.containers[0]!.image, /@sha256:/);
      await refusedWith(
        create(client, production, pod("unsigned", images.unsigned), DRY_RUN),
        /^require-signed-images: signed-by-modulo: /m,
      );
    });
  });
});
