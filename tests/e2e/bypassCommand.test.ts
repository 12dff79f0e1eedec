import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { grantBypass, listBypasses, revokeBypass } from "../../cli/bypass/commands";
import type { Posture } from "../../components/posture/types";
import { resolveSettings } from "../../components/resolve";
import { deployment } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { request } from "../../local/request";
import { waitFor } from "../../local/waitFor";
import { create, grant, log, withBuilds } from "./support";

const asked = { policies: ["require-signed-images"], reason: "INC-1234: signing service is down", duration: "2h" };

describe("bypass: grant, list and revoke on a cluster", function () {
  this.timeout(120_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let posture: Posture;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production"]);
    // From before the guard: unsigned, and its pods can't be replaced without a bypass.
    await create(plane.client, "production", deployment("shop", images.unsigned));
    const settings = localSettings("prod", sigstore, node.kyverno);
    await applyRendered(plane, node.kyverno, settings);
    posture = resolveSettings(settings).posture;
    for (const group of ["platform-oncall", "developers"]) await grant(plane, group, "edit");
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const targetOf = async (name: string, groups: string[]) => {
    const config: KubeConfig = await cluster.plane.asUser(name, groups);
    const file = path.join(cluster.plane.workDir, `${name}.kubeconfig`);
    fs.writeFileSync(file, config.exportConfig());
    return { kubeconfig: file };
  };
  const livePods = async () => {
    const { body } = await request(cluster.plane.client, "GET", "/api/v1/namespaces/production/pods");
    return (
      JSON.parse(body).items as { metadata: { deletionTimestamp?: string; annotations?: Record<string, string> } }[]
    ).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  };

  it("tells an outsider what the cluster says and leaves the workload alone", async () => {
    const target = await targetOf("mallory", ["developers"]);
    await assert.rejects(
      grantBypass(target, "deployment/shop", "production", asked, posture, false),
      /mallory may not set/,
    );
    assert.deepEqual((await listBypasses(target, "production", new Date())).bypasses, []);
  });

  it("lets a member of the group try it first and then grant it; the controllers carry it out", async () => {
    const target = await targetOf("olga", ["platform-oncall"]);
    await grantBypass(target, "deployment/shop", "production", asked, posture, true);
    assert.deepEqual((await listBypasses(target, "production", new Date())).bypasses, []);
    const line = await grantBypass(target, "deployment/shop", "production", asked, posture, false);
    assert.equal(line.by, "olga");
    assert.equal(line.reason, asked.reason);
    await waitFor("a pod of the bypassed Deployment", 60_000, async () =>
      (await livePods()).some(({ metadata }) => metadata.annotations?.["policies.kyverno.io/skip"]),
    );
  });

  it("lists it with its state, on the Deployment and on its pods", async () => {
    const target = { kubeconfig: cluster.plane.kubeconfig };
    const { bypasses, unread } = await listBypasses(target, undefined, new Date());
    assert.deepEqual(unread, []);
    const found = bypasses.find(({ kind }) => kind === "Deployment");
    assert.deepEqual([found?.name, found?.state, found?.reason], ["shop", "running", asked.reason]);
    assert.ok(bypasses.some(({ kind }) => kind === "Pod"));
    const later = new Date(Date.now() + 3 * 3600_000);
    assert.equal((await listBypasses(target, undefined, later)).bypasses[0]?.state, "ended");
  });

  it("says which right lacks when a kind can't be read", async () => {
    const { unread } = await listBypasses(await targetOf("nobody", ["strangers"]), "production", new Date());
    assert.match(unread.join("\n"), /nobody.*cannot list resource "deployments"/);
  });

  it("revokes it", async () => {
    const line = await revokeBypass(await targetOf("olga", ["platform-oncall"]), "deployment/shop", "production");
    assert.equal(line.action, "revoked");
    assert.match(line.revisions.join(), /^ReplicaSet\/shop-\w+$/);
    assert.deepEqual(line.left, []);
    const { bypasses } = await listBypasses({ kubeconfig: cluster.plane.kubeconfig }, "production", new Date());
    // A pod that got in runs on; nothing makes another.
    assert.deepEqual(
      bypasses.filter(({ kind }) => kind !== "Pod"),
      [],
    );
  });
});
