import * as assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import { renderStack } from "../../cli/render/run";
import { type ImageSigningGuardArgs, InstallationFinding } from "../../components/args";
import type { Json } from "../../components/kubernetes/manifest";
import { mergeValues } from "../../components/kyverno/values";
import { argsFromSettings } from "../../components/settings";
import { type DemoCluster, ensureNamespaces } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { localSettings } from "../../local/demo/settings";
import { type EngineStack, openStack } from "../../local/engine";
import { installKyverno } from "../../local/kyverno";
import { requestObject } from "../../local/request";
import { waitFor } from "../../local/waitFor";
import { startEngine } from "./support";
import { clusterPolicies, haveTheirPolicies, offerPod, theirsRefuses } from "./theirs";

/** Kyverno runs here already, by Helm and with policies of others: the guard uses it and leaves it as it was. */
describe("engine: a Kyverno that somebody else runs", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let stack: EngineStack;
  let untouched: unknown;

  before(async function () {
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    const { plane, node, cosign, sigstore } = cluster;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production"]);
    // As the chart comes.
    await installKyverno(plane, node.kyverno, {});
    await haveTheirPolicies(plane, ["need-a-team"]);
    stack = await openStack(plane, engine, "installed");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const settings = (mode: "audit" | "enforce"): Record<string, unknown> => {
    const { kyverno, ...rest } = localSettings("prod", cluster.sigstore, cluster.node.kyverno);
    const { target } = kyverno as { target: string };
    return { ...rest, mode, kyverno: { install: false, target, replicas: 1 } };
  };
  const args = (mode: "audit" | "enforce"): ImageSigningGuardArgs =>
    argsFromSettings({ ...settings(mode), readiness: { signedImage: images.signed } });

  const offer = (image: string) => offerPod(cluster.plane, image);

  /** All that their installation consists of, without what changes by itself. */
  async function theirs(): Promise<unknown> {
    const read = async (path: string) => {
      type Items = {
        items: { metadata: { name: string; labels?: Record<string, string> }; spec?: unknown; data?: unknown }[];
      };
      const { items } = await requestObject<Items>(cluster.plane.client, "GET", path);
      return items
        .filter(({ metadata }) => metadata.labels?.["app.kubernetes.io/managed-by"] !== "image-signing-guard")
        .map(({ metadata, spec, data }) => ({ name: metadata.name, spec, data }));
    };
    return {
      namespaces: (await read("/api/v1/namespaces")).map(({ name }) => name),
      deployments: await read("/apis/apps/v1/namespaces/kyverno/deployments"),
      config: (await read("/api/v1/namespaces/kyverno/configmaps")).filter(({ name }) => name === "kyverno"),
      releases: (await read("/api/v1/namespaces/kyverno/secrets"))
        .map(({ name }) => name)
        .filter((name) => name.startsWith("sh.helm")),
      policies: await read(clusterPolicies),
      roles: (await read("/apis/rbac.authorization.k8s.io/v1/clusterroles")).map(({ name }) => name),
    };
  }

  it("enforce is refused with everything that would undo it, and nothing is made", async () => {
    const state = await theirs();
    await assert.rejects(stack.up(args("enforce")), (error: Error) => {
      assert.match(error.message, /ReplicaSet/);
      assert.match(error.message, /kyverno-admission-controller lacks SIGSTORE_ROOT_FILE/);
      assert.match(error.message, /kyverno-reports-controller lacks/);
      return true;
    });
    assert.deepEqual(await theirs(), state);
    const { items } = await requestObject<{ items: unknown[] }>(cluster.plane.client, "GET", clusterPolicies);
    assert.equal(items.length, 1);
  });

  it("audit is made, with warnings, and brings the trust files", async () => {
    const { text, outputs } = await stack.up(args("audit"));
    assert.match(text, /kyverno-admission-controller lacks SIGSTORE_ROOT_FILE/);
    assert.match(String(outputs.releaseStatus), /^none: somebody else runs Kyverno$/);
    assert.equal(await offer(images.unsigned), 201);
  });

  it("the patch that render prints brings the anchors, where no values are merged", async () => {
    const { plane } = cluster;
    const rendered = renderStack(settings("enforce")).files.find(({ name }) => name === "2-kyverno-trust.yaml")!;
    for (const document of parseAllDocuments(rendered.text)) {
      const patch = document.toJS() as { metadata: { name: string } };
      const path = `/apis/apps/v1/namespaces/kyverno/deployments/${patch.metadata.name}?fieldManager=image-signing-guard`;
      await requestObject(plane.client, "PATCH", path, patch, "application/apply-patch+yaml");
    }
    const { kyverno, ...rest } = args("enforce");
    const acknowledged = [{ finding: InstallationFinding.ResourceFilters, reason: "this test is about the anchors" }];
    const { outputs } = await stack.up({ ...rest, kyverno: { ...kyverno, acknowledged } });
    assert.match(String(outputs.readiness), /unsigned canary refused, signed canary admitted$/);
  });

  it("once whoever runs Kyverno has merged the values that render prints, enforce is made", async () => {
    const { plane, node } = cluster;
    const values = renderStack(settings("enforce")).files.find(({ name }) => name === "2-kyverno-values.yaml")!;
    await installKyverno(plane, node.kyverno, mergeValues({}, parse(values.text) as Json));
    untouched = await theirs();
    const { outputs } = await stack.up(args("enforce"));
    assert.match(String(outputs.readiness), /unsigned canary refused, signed canary admitted$/);
    assert.equal(await offer(images.unsigned), 400);
    assert.equal(await offer(images.signed), 201);
    assert.ok(await theirsRefuses(cluster.plane));
    assert.deepEqual(await theirs(), untouched);
    assert.deepEqual(
      (await stack.preview(args("enforce"), { expectNoChanges: true })).operations.filter(
        ({ op }) => op !== "same" && op !== "read",
      ),
      [],
    );
  });

  it("destroy takes away what the guard made and nothing else", async () => {
    await stack.destroy();
    assert.deepEqual(await theirs(), untouched);
    assert.ok(await theirsRefuses(cluster.plane));
    await waitFor("unsigned pods get in again", 60_000, async () => (await offer(images.unsigned)) === 201);
  });
});
