import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { resolveSettings } from "../../../components/resolve";
import type { DemoCluster } from "../../../local/demo/cluster";
import { handOver } from "../../../local/demo/handOver";
import type { DemoImages } from "../../../local/demo/images";
import { verdictsPicture } from "../../../local/demo/picture";
import { newAuthority, newKeyPair } from "../../support/pems";

describe("the demo", () => {
  it("draws its tables, and nothing of a message becomes markup", () => {
    const row = {
      title: "unsigned",
      namespace: "production",
      verdict: "refused",
      message: `<script>&${"x".repeat(99)}`,
    };
    const svg = verdictsPicture({ dev: [row], prod: [row] });
    assert.equal(svg.match(/>production</g)?.length, 2);
    assert.match(svg, /Pulumi\.prod\.yaml/);
    assert.match(svg, /&lt;script&gt;&amp;x+\.\.\.</);
    assert.doesNotMatch(svg, /<script/);
  });

  it("hands over a stack file that the guard takes", async () => {
    const workDir = fs.mkdtempSync(path.join(os.tmpdir(), "hand-over-"));
    const fulcioRoots = (await newAuthority()).root.pem;
    const sigstore = { fulcioRoots, rekorPublicKey: newKeyPair().publicKey, ctLogPublicKey: newKeyPair().publicKey };
    const plane = { workDir, kubeconfig: "/tmp/kubeconfig" };
    const node = { kyverno: { version: "1.10.7", chart: "/charts/kyverno" } };
    const words = handOver(
      { plane, sigstore, node } as unknown as DemoCluster,
      { signed: "ghcr.io/ikey168/modulo-backend:1.0.0" } as DemoImages,
      "prod",
    );
    const file = words.find((line) => line.endsWith(".yaml"))!;
    const { config } = parse(fs.readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    const settings = Object.entries(config).map(([key, value]) => [key.replace("image-signing-guard:", ""), value]);
    const { posture } = resolveSettings(Object.fromEntries(settings));
    assert.equal(posture.mode, "enforce");
    assert.equal(posture.kyverno.chart.name, "/charts/kyverno");
    assert.ok(words.some((line) => line.includes("modulo-backend:1.0.0")));
    assert.ok(words.includes("export KUBECONFIG=/tmp/kubeconfig"));
    fs.rmSync(workDir, { recursive: true });
  });
});
