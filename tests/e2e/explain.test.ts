import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { explain } from "../../cli/doctor/explain/explain";
import { namespaces } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { disturbances, makeWorld, situations, type World } from "./refusals";
import { log, withBuilds } from "./support";

/** With IMAGE_SIGNING_GUARD_RECORD=1 the texts become the fixtures of tests/unit/doctor/explain.test.ts. */
const record = process.env.IMAGE_SIGNING_GUARD_RECORD === "1";
const FIXTURES = path.join(__dirname, "../unit/fixtures/refusals");

/** Refusals whose text or reason differs on later lines: skipped rules are not listed, authorities are checked earlier. */
/** 1.19 lists no skipped rules, which say so, and lets its record be changed. */
const ONLY_1_10 = ["bypass-ended", "annotation-changed"];

describe("doctor explain: refusals of a real Kyverno", function () {
  this.timeout(150_000);
  let cluster: DemoCluster;
  let world: World;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    const images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, Object.values(namespaces));
    await applyRendered(plane, node.kyverno, localSettings("prod", sigstore, node.kyverno));
    world = await makeWorld(cluster, images);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** 1.19 asks for the log first, and another Sigstore has another. */
  const ON_1_19: Readonly<Record<string, string>> = { "other-certificate-authority": "untrusted-log" };

  for (const { name, means, provoke } of [...situations, ...disturbances]) {
    it(`${name}: ${means.join(", ")}`, async function () {
      const { version } = cluster.node.kyverno;
      if (ONLY_1_10.includes(name) && !version.startsWith("1.10.")) {
        this.skipReason = `needs Kyverno 1.10: ${version} refuses nothing in these words`;
        this.skip();
      }
      const text = await provoke(world);
      if (record) fs.writeFileSync(path.join(FIXTURES, `${name}.txt`), `${text}\n`);
      const { findings } = explain(text);
      const wanted = version.startsWith("1.10.") ? means : [ON_1_19[name] ?? means].flat();
      assert.deepEqual(findings.map(({ id }) => id).sort(), [...wanted].sort(), text);
    });
  }
});
