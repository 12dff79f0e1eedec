import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { expectedSigner, publicName } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { createCosign } from "../../local/signing";
import { createSigner, createSigstore, githubIssuer, type Sigstore, workflowSubject } from "../../local/sigstore";
import { create, log, refusedWith, switchPolicies, withBuilds } from "./support";

const production = "production";
const OWN = "ikey168/modulo-own";
const VENDOR = "ikey168/vendor-app";

describe("trust: signers with a Fulcio of their own beside the stack's", function () {
  this.timeout(60_000);
  let cluster: DemoCluster;
  let other: Sigstore;

  const settings = (vendorRoots: string): Record<string, unknown> => {
    const { images, ...stack } = localSettings("prod", cluster.sigstore, cluster.node.kyverno);
    const keyless = { issuer: githubIssuer, subject: workflowSubject(expectedSigner) };
    const vendor = {
      name: "vendor",
      repositories: [publicName("ikey168/vendor-*")],
      signers: [{ keyless, trust: { fulcioCertificates: vendorRoots, acceptNoTransparencyLog: true } }],
    };
    return { ...stack, images: [...(images as object[]), vendor] };
  };

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, proxy, cosign, sigstore } = cluster;
    other = await createSigstore();
    const otherCosign = await createCosign({
      sigstore: other,
      workDir: fs.mkdtempSync(path.join(plane.workDir, "other-")),
      env: proxy.env,
      log,
    });
    const push = async (repository: string, tag: string) =>
      `${publicName(repository)}@${await plane.registry.pushImage(repository, tag)}`;
    for (const repository of [OWN, VENDOR]) {
      await cosign.sign(await push(repository, "by-stack"), await createSigner(sigstore, expectedSigner));
      // Kyverno 1.10 knows one log of each kind: a signature that counts without them has no receipt of another one.
      const vendor = await createSigner(other, { ...expectedSigner, sct: false });
      await otherCosign.sign(await push(repository, "by-other"), vendor, { tlog: false });
      await push(repository, "unsigned");
    }
    await ensureNamespaces(plane, [production]);
    await applyRendered(plane, cluster.node.kyverno, settings(other.fulcioRoots));
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const offer = (repository: string, tag: string) =>
    create(cluster.plane.client, production, pod(`app-${tag}`, `${publicName(repository)}:${tag}`), "?dryRun=All");

  for (const [repository, tag] of [
    [OWN, "by-stack"],
    [VENDOR, "by-other"],
  ] as const)
    it(`${repository}:${tag} is admitted`, async () => {
      assert.match((await offer(repository, tag)).spec.containers[0]!.image, /@sha256:/);
    });

  for (const [repository, tag, says] of [
    [OWN, "by-other", /certificate signed by unknown authority|no matching signatures/],
    [VENDOR, "by-stack", /certificate signed by unknown authority|no matching signatures/],
    [OWN, "unsigned", /no (matching )?signatures/],
    [VENDOR, "unsigned", /no (matching )?signatures/],
  ] as const)
    it(`${repository}:${tag} is refused: neither Fulcio signs for the other`, () =>
      refusedWith(offer(repository, tag), says));

  it("another Fulcio for a signer counts at once, without a new release", async () => {
    await switchPolicies(cluster.plane, settings(cluster.sigstore.fulcioRoots));
    assert.match((await offer(VENDOR, "by-stack")).spec.containers[0]!.image, /@sha256:/);
    await refusedWith(offer(VENDOR, "by-other"), /certificate signed by unknown authority|no matching signatures/);
    await switchPolicies(cluster.plane, settings(other.fulcioRoots));
  });
});
