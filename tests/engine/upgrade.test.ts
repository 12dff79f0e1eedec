import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import type { ImageSigningGuardArgs } from "../../components/args";
import { GUARD_TYPE } from "../../components/settings";
import { deployment, pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { collectionOf } from "../../local/demo/verdicts";
import { guardProgram, openStack } from "../../local/engine";
import { request } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { nameOf, type ReleaseRecord, readReleases } from "../package/release";
import { whatIsLeft } from "./outages";
import { startEngine } from "./support";

const { version: provider } = require("@pulumi/kubernetes/package.json") as { version: string };

/** Any resource of a record, by its type. */
class Recorded extends pulumi.CustomResource {}

/** What somebody offers without pause, none of it signed. */
const offers = (images: DemoImages) =>
  [
    ["production", pod("offered", images.unsigned)],
    ["shop", pod("offered", images.unsigned)],
    ["production", pod("offered", images.nginx)],
    ["production", deployment("offered", images.unsigned)],
    ["shop", deployment("offered", images.unsigned)],
  ] as const;

describe("engine: an upgrade from a published version, on a real Kyverno", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let open: (name: string, program: (args: ImageSigningGuardArgs) => PulumiFn) => ReturnType<typeof openStack>;

  before(async function () {
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    const { plane, node, cosign, sigstore } = cluster;
    if (!node.kyverno.version.startsWith("1.10.")) {
      this.skipReason = `needs Kyverno 1.10: published versions installed that, not ${node.kyverno.version}`;
      return this.skip();
    }
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop"]);
    open = (name, program) => openStack(plane, engine, name, program);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** The resources that the version made, as its record has them, from the local chart. */
  const asPublished =
    ({ deployment: { resources } }: ReleaseRecord): PulumiFn =>
    async () => {
      const guard = new pulumi.ComponentResource(GUARD_TYPE, "guard");
      const made: pulumi.Resource[] = [];
      for (const { type, urn, inputs = {} } of resources) {
        if (!type.startsWith("kubernetes:") || nameOf(urn) === "guard-own") continue;
        const isRelease = type.endsWith(":Release");
        const { repositoryOpts: _repository, version: _version, ...rest } = inputs;
        const own = isRelease ? { ...rest, chart: cluster.node.kyverno.chart } : inputs;
        made.push(new Recorded(type, nameOf(urn), own, { parent: guard, dependsOn: [...made], version: provider }));
      }
    };

  for (const record of readReleases())
    it(`from v${record.version}: nothing unsigned gets in while up is at work`, async () => {
      const { extraPolicies: _own, readiness: _readiness, ...published } = record.args;
      const args = { ...published, kyverno: { ...published.kyverno, chart: { path: cluster.node.kyverno.chart } } };
      let isOld = true;
      const stack = await open(`from-${record.version.replaceAll(".", "-")}`, (given) =>
        isOld ? asPublished(record) : guardProgram(given),
      );
      await stack.up(args);
      const tryOne = async ([namespace, object]: ReturnType<typeof offers>[number]) => {
        const path = `${collectionOf(object.kind, namespace)}?dryRun=All`;
        return (await request(cluster.plane.client, "POST", path, object)).status;
      };
      const all = offers(images);
      await waitFor("the published version refuses all of it", 120_000, async () =>
        (await Promise.all(all.map(tryOne))).every((status) => status >= 400),
      );
      let [ended, tried] = [false, 0];
      const admitted: string[] = [];
      const offering = all.map(async (offer) => {
        for (; !ended; tried++, await sleep(50))
          if ((await tryOne(offer)) < 300) admitted.push(`${offer[1].kind} in ${offer[0]}`);
      });
      isOld = false;
      const { operations } = await stack.up(args);
      ended = true;
      await Promise.all(offering);
      console.log(`        ${admitted.length} of ${tried} unsigned objects got in`);
      assert.deepEqual(admitted, []);
      assert.ok(operations.every(({ op }) => !op.includes("replace")));
      await stack.destroy();
      assert.deepEqual(await whatIsLeft(cluster), []);
    });
});
