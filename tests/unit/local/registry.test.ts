import * as assert from "node:assert/strict";
import { repositoryOf } from "../../../local/proxy";
import { sha256, signatureTag, tinyImage } from "../../../local/registry";

interface Described {
  digest: string;
  size: number;
}

describe("the local registry's images", () => {
  it("differ with their content and are the same for the same content", () => {
    assert.equal(tinyImage("a").manifest, tinyImage("a").manifest);
    assert.notEqual(sha256(tinyImage("a").manifest), sha256(tinyImage("b").manifest));
    assert.notEqual(tinyImage("a", "linux/arm64").manifest, tinyImage("a").manifest);
  });

  it("describe their blobs by true digest and size", () => {
    const { manifest, blobs } = tinyImage("content");
    const { config, layers } = JSON.parse(manifest) as { config: Described; layers: Described[] };
    assert.deepEqual(
      [config, ...layers].map(({ digest, size }) => ({ digest, size })),
      blobs.map(({ content }) => ({ digest: sha256(content), size: content.length })),
    );
  });

  it("have a layer that tar can read: whole blocks, a valid checksum, two empty blocks at the end", () => {
    const layer = tinyImage("content").blobs[1]!.content;
    assert.equal(layer.length % 512, 0);
    const header = Buffer.from(layer.subarray(0, 512));
    const stated = Number.parseInt(header.subarray(148, 155).toString(), 8);
    header.fill(" ", 148, 156);
    assert.equal(
      stated,
      header.reduce((sum, byte) => sum + byte, 0),
    );
    assert.equal(Number.parseInt(header.subarray(124, 135).toString(), 8), "content".length);
    assert.equal(layer.subarray(512, 519).toString(), "content");
    assert.ok(layer.subarray(-1024).every((byte) => byte === 0));
  });

  it("have their signature under cosign's tag", () => {
    assert.equal(signatureTag("sha256:abc"), "sha256-abc.sig");
  });
});

describe("the local registry's proxy", () => {
  it("knows the repository that a request is about", () => {
    assert.equal(repositoryOf("/v2/a/b/manifests/v1"), "a/b");
    assert.equal(repositoryOf("/v2/a/blobs/sha256:1"), "a");
    assert.equal(repositoryOf("/v2/a/b/c/tags/list"), "a/b/c");
    assert.equal(repositoryOf("/v2/"), undefined);
    assert.equal(repositoryOf("/token?scope=a"), undefined);
  });
});
