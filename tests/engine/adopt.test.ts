import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ImportResource } from "@pulumi/pulumi/automation";
import { argsFromSettings } from "../../components/settings";
import { type DemoCluster, ensureNamespaces } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { localSettings } from "../../local/demo/settings";
import { type EngineStack, openStack } from "../../local/engine";
import { installKyverno } from "../../local/kyverno";
import { requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { runCommand } from "../support/runCommand";
import { needsNodeHost, projectOf, startEngine } from "./support";
import { clusterPolicies, haveTheirPolicies, offerPod, theirsRefuses } from "./theirs";

/** Somebody else's release, with somebody else's policies, becomes the guard's own and is given back. */
describe("engine: a Kyverno that is adopted", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let stack: EngineStack;
  let settings: Record<string, unknown>;

  before(async function () {
    needsNodeHost(this);
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    const { plane, node, cosign, sigstore } = cluster;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production"]);
    settings = localSettings("prod", sigstore, node.kyverno);
    await installKyverno(plane, node.kyverno, {});
    // One of theirs, and one that somebody applied by hand under a name of the guard's.
    await haveTheirPolicies(plane, ["need-a-team", "verify-image-signatures"]);
    stack = await openStack(plane, engine, "adopted");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const offer = (image: string) => offerPod(cluster.plane, image);

  const label = (path: string, value: string | null) =>
    requestObject(
      cluster.plane.client,
      "PATCH",
      path,
      { metadata: { labels: { "app.kubernetes.io/managed-by": value } } },
      "application/merge-patch+json",
    );

  const args = (kyverno: Record<string, unknown> = {}) =>
    argsFromSettings({ ...settings, kyverno: { ...(settings.kyverno as object), ...kyverno } });

  /** Asks for something that their policy refuses, again and again; how often it got in. */
  async function guarded(action: () => Promise<unknown>): Promise<number> {
    let [ended, admitted] = [false, 0];
    const asking = (async () => {
      for (; !ended; await sleep(200)) if (!(await theirsRefuses(cluster.plane))) admitted++;
    })();
    try {
      await action();
    } finally {
      ended = true;
      await asking;
    }
    return admitted;
  }

  it("up without adopting is refused, and says how", async () => {
    await assert.rejects(stack.up(args()), /image-signing-guard adopt/);
  });

  it("the command lists what to import and which commands do it", async () => {
    const folder = projectOf(cluster.plane, settings);
    const file = path.join(folder, "adopt.json");
    const flags = ["--stack", "prod", "--cwd", folder, "--out", file, "--kubeconfig", cluster.plane.kubeconfig];
    const { code, out: text, err } = await runCommand(["adopt", ...flags]);
    assert.equal(code, 0, err);
    assert.match(text, /pulumi import --stack prod --file \S+adopt\.json --protect=false/);
    assert.match(text, /kubectl label namespaces kyverno app\.kubernetes\.io\/managed-by=image-signing-guard/);
    assert.match(text, /kubectl label clusterpolicies verify-image-signatures app/);
    const { resources } = JSON.parse(fs.readFileSync(file, "utf8")) as { resources: ImportResource[] };
    const names = resources.map(({ name }) => name);
    for (const name of ["guard", "guard-namespace", "guard-kyverno", "guard-verify-image-signatures"])
      assert.ok(names.includes(name), names.join());
    assert.ok(!names.some((name) => name.includes("need-a-team")), names.join());
    await stack.import(resources);
    await label("/api/v1/namespaces/kyverno", "image-signing-guard");
    await label(`${clusterPolicies}/verify-image-signatures`, "image-signing-guard");
  });

  it("up makes the release the guard's own without a moment in which their policy does not hold", async () => {
    const admitted = await guarded(async () => {
      const { operations, outputs } = await stack.up(args({ retainOnDelete: true }));
      const of = (name: string) => operations.filter((one) => one.name === name).map(({ op }) => op);
      assert.deepEqual(of("guard-kyverno"), ["update"]);
      assert.deepEqual(of("guard-namespace"), ["update"]);
      assert.match(String(outputs.readiness), /unsigned canary refused$/);
    });
    assert.equal(admitted, 0);
    assert.equal(await offer(images.unsigned), 400);
    assert.equal(await offer(images.signed), 201);
    const { operations } = await stack.preview(args({ retainOnDelete: true }), { expectNoChanges: true });
    assert.deepEqual(
      operations.filter(({ op }) => op !== "same"),
      [],
    );
  });

  it("install: false would uninstall it, and is refused until it is given back", async () => {
    const { target } = settings.kyverno as { target: string };
    const foreign = () => argsFromSettings({ ...settings, kyverno: { install: false, target, replicas: 1 } });
    await assert.rejects(stack.up(foreign()), /would be uninstalled.*retainOnDelete.*kubectl label namespace kyverno/s);
    await label("/api/v1/namespaces/kyverno", null);
    const admitted = await guarded(() => stack.up(foreign()));
    assert.equal(admitted, 0);
    assert.equal(await offer(images.unsigned), 400);
    await stack.destroy();
    assert.equal(await guarded(() => sleep(2000)), 0);
    await waitFor("unsigned pods get in again", 60_000, async () => (await offer(images.unsigned)) === 201);
  });
});
