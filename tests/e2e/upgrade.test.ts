import * as assert from "node:assert/strict";
import { MANAGED_BY, type Manifest } from "../../components/kubernetes/manifest";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyManifests, applyRendered, policiesOf } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { installKyverno } from "../../local/kyverno";
import { requestObject } from "../../local/request";
import type { Sigstore } from "../../local/sigstore";
import { type ReleaseRecord, readReleases } from "../package/release";
import { log, withBuilds } from "./support";
import { startTraffic } from "./traffic";

describe("an upgrade while somebody creates pods without pause", function () {
  this.timeout(400_000);

  for (const record of readReleases()) {
    describe(`from v${record.version}, enforcing`, () => {
      let cluster: DemoCluster;
      let images: DemoImages;

      before(async function () {
        this.timeout(withBuilds);
        cluster = await startCluster({ log });
        const { plane, cosign, sigstore, node } = cluster;
        images = await makeImages(plane.registry, cosign, sigstore);
        await ensureNamespaces(plane, ["production", "shop", "kyverno"]);
        const old = recorded(record, sigstore);
        for (const map of old.configMaps)
          await requestObject(plane.client, "POST", `/api/v1/namespaces/${map.metadata.namespace}/configmaps`, map);
        await installKyverno(plane, node.kyverno, old.values);
        await applyManifests(plane, old.policies);
      });

      after(async function () {
        this.timeout(60_000);
        await cluster?.stop();
      });

      it("nothing unsigned gets in, whether the new policies come first to last or last to first", async () => {
        const { plane, sigstore, node } = cluster;
        const settings = localSettings("prod", sigstore, node.kyverno);
        const old = recorded(record, sigstore).policies;
        const wanted = policiesOf(settings);
        const traffic = await startTraffic(plane.client, images);
        // The engine's order among policies that don't depend on each other is not fixed.
        for (const order of [wanted, [...wanted].reverse(), old, wanted]) await applyManifests(plane, order);
        await applyRendered(plane, node.kyverno, settings);
        traffic.repaired();
        const { offered, unsigned, signed, longestGap } = await traffic.stop();
        console.log(
          `          ${unsigned.length} of ${offered} unsigned got in, ${signed} signed; none signed for ${longestGap.toFixed(1)} s at most`,
        );
        assert.deepEqual(unsigned, []);
      });
    });
  }
});

/** What the release made, with the trust anchors of this machine's Sigstore and one replica. */
function recorded({ deployment }: ReleaseRecord, sigstore: Sigstore) {
  const inputsOf = (kind: string) =>
    deployment.resources.filter(({ type }) => type.endsWith(`:${kind}`)).map(({ inputs }) => structuredClone(inputs));
  const anchors: Record<string, string> = {
    "fulcio.pem": sigstore.fulcioRoots,
    "rekor.pub": sigstore.rekorPublicKey,
    "ctfe.pub": sigstore.ctLogPublicKey,
    roots: sigstore.fulcioRoots,
  };
  const withLocalTrust = <T>(value: unknown): T =>
    JSON.parse(JSON.stringify(value), (key, inner) =>
      typeof inner === "string" ? (anchors[key] ?? inner) : inner,
    ) as T;
  const [label, value] = Object.entries(MANAGED_BY)[0]!;
  const policies = withLocalTrust<Manifest[]>(inputsOf("ClusterPolicy")).filter(
    ({ metadata }) => metadata.labels?.[label] === value,
  );
  const [release] = withLocalTrust<{ values: { admissionController: object } }[]>(inputsOf("Release"));
  assert.ok(release && policies.length > 5, "the record has the guard's policies and its release");
  const values = { ...release.values, admissionController: { ...release.values.admissionController, replicas: 1 } };
  const configMaps = withLocalTrust<{ metadata: { namespace: string } }[]>(inputsOf("ConfigMap"));
  return { policies, values, configMaps };
}
