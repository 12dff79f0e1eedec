import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { checkImage } from "../../../../cli/judging/image";
import { resolvePosture } from "../../../../components/resolve";
import { MODULO, settings } from "../../../support/settings";

const sha = (body: string) => `sha256:${createHash("sha256").update(body).digest("hex")}`;
const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const EMPTY = "application/vnd.oci.empty.v1+json";
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const COSIGN = "application/vnd.dev.cosign.artifact.sig.v1+json";
const NOTATION = "application/vnd.cncf.notary.signature";

/** A registry in memory: repositories, and how it answers `/referrers`. */
class FakeRegistry {
  readonly server = http.createServer((request, response) => this.answer(request, response));
  readonly content = new Map<string, string>();
  referrers: (response: http.ServerResponse, digest: string) => void = (response) => response.writeHead(404).end();

  push(repository: string, manifest: object, ...tags: string[]): string {
    const body = JSON.stringify(manifest);
    for (const reference of [sha(body), ...tags]) this.content.set(`${repository}/manifests/${reference}`, body);
    return sha(body);
  }

  blob(repository: string, body: string): { digest: string; size: number } {
    this.content.set(`${repository}/blobs/${sha(body)}`, body);
    return { digest: sha(body), size: body.length };
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const path = (request.url ?? "").replace("/v2/", "");
    const [, digest] = /\/referrers\/(.*)$/.exec(path) ?? [];
    if (digest) {
      this.referrers(response, digest);
      return;
    }
    const body = this.content.get(path);
    response.writeHead(body === undefined ? 404 : 200).end(body);
  }
}

describe("check: signatures that Kyverno 1.10 does not read", () => {
  let registry: FakeRegistry;
  let host: string;
  beforeEach(async () => {
    registry = new FakeRegistry();
    await new Promise<void>((resolve) => registry.server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(registry.server.address() as AddressInfo).port}`;
  });
  afterEach(() => registry.server.close());

  const image = (repository = "team/app", tag = "1") =>
    registry.push(repository, { schemaVersion: 2, mediaType: IMAGE, layers: [], annotations: { tag } }, tag);

  /** A manifest that refers to an image, in a repository. */
  const referrer = (artifactType: string | undefined, layerType: string, repository = "team/app") => {
    const layer = { mediaType: layerType, ...registry.blob(repository, "{}") };
    const config = { mediaType: EMPTY, ...registry.blob(repository, "{}") };
    const manifest = {
      schemaVersion: 2,
      mediaType: IMAGE,
      ...(artifactType ? { artifactType } : {}),
      config,
      layers: [layer],
    };
    return registry.push(repository, manifest);
  };
  const listOf = (digest: string, artifactType?: string) => ({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ mediaType: IMAGE, digest, size: 1, ...(artifactType ? { artifactType } : {}) }],
  });
  const tagOf = (digest: string) => digest.replace(":", "-");
  const check = async (reference: string, signatureRepository?: string) => {
    const entry = {
      ...MODULO,
      repositories: [`${host}/team/*`],
      ...(signatureRepository ? { signatureRepository } : {}),
    };
    const resolved = resolvePosture(settings({ mode: "enforce", images: [entry] }));
    const report = await checkImage(reference, ["production"], resolved);
    const { verdict, reason, detail } = report.judgements[0]!;
    return { verdict, reason, detail, formats: report.formats };
  };

  interface Case {
    readonly title: string;
    readonly artifactType?: string;
    /** What the list says of it, where that differs. */
    readonly listed?: string;
    readonly layer: string;
    readonly format: string;
    readonly hint: RegExp;
  }
  const bundle = { layer: BUNDLE, format: "sigstoreBundle", hint: /--new-bundle-format=false/ };
  const kinds: Case[] = [
    { title: "a bundle", artifactType: BUNDLE, listed: BUNDLE, ...bundle },
    { title: "a bundle that the list does not name", artifactType: BUNDLE, ...bundle },
    { title: "a bundle that the list calls empty", artifactType: BUNDLE, listed: EMPTY, ...bundle },
    { title: "a bundle known by its layer alone", ...bundle },
    {
      title: "--registry-referrers-mode=oci-1-1",
      artifactType: COSIGN,
      listed: COSIGN,
      layer: "application/vnd.dev.cosign.simplesigning.v1+json",
      format: "cosignReferrer",
      hint: /sign without --registry-referrers-mode=oci-1-1/,
    },
    {
      title: "cosign's content that no type names",
      layer: "application/vnd.dev.cosign.simplesigning.v1+json",
      format: "cosignReferrer",
      hint: /sign without --registry-referrers-mode=oci-1-1/,
    },
    {
      title: "Notation",
      artifactType: NOTATION,
      listed: NOTATION,
      layer: "application/jose+json",
      format: "notation",
      hint: /Notation: sign with cosign/,
    },
  ];
  for (const { title, artifactType, listed, layer, format, hint } of kinds) {
    for (const place of ["list", "tag"] as const) {
      it(`${title}, found by the ${place}`, async () => {
        const digest = image();
        const list = listOf(referrer(artifactType, layer), listed);
        if (place === "tag") registry.push("team/app", list, tagOf(digest));
        else registry.referrers = (response) => response.end(JSON.stringify(list));
        const found = await check(`${host}/team/app:1`);
        assert.deepEqual([found.verdict, found.reason, found.formats], ["refused", "unreadableFormat", [format]]);
        assert.match(found.detail, hint);
      });
    }
  }

  const answers: [title: string, answer: (response: http.ServerResponse) => void][] = [
    ...[400, 401, 403, 404, 405, 406, 500, 501].map((status): [string, (response: http.ServerResponse) => void] => [
      `${status}`,
      (response) => response.writeHead(status).end(),
    ]),
    ["429", (response) => response.writeHead(429, { "retry-after": "0" }).end()],
    ["a page with 200", (response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
    [
      "an empty list",
      (response) => response.end(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] })),
    ],
    ["JSON that is no list", (response) => response.end('{"manifests":{}}')],
  ];
  for (const [title, answer] of answers) {
    it(`the tag is read where /referrers answers ${title}`, async () => {
      registry.referrers = answer;
      const digest = image();
      registry.push("team/app", listOf(referrer(BUNDLE, BUNDLE)), tagOf(digest));
      assert.equal((await check(`${host}/team/app:1`)).reason, "unreadableFormat");
    });
  }

  it("a bundle in the repository of signatures", async () => {
    const digest = image();
    registry.push("sigs/all", listOf(referrer(BUNDLE, BUNDLE, "sigs/all")), tagOf(digest));
    const found = await check(`${host}/team/app:1`, `${host}/sigs/all`);
    assert.deepEqual([found.reason, found.formats], ["unreadableFormat", ["sigstoreBundle"]]);
  });

  it("one broken referrer does not hide the others", async () => {
    const digest = image();
    const { manifests, ...list } = listOf(referrer(BUNDLE, BUNDLE));
    const broken = { mediaType: IMAGE, digest: sha("gone"), size: 1 };
    registry.push("team/app", { ...list, manifests: [broken, ...manifests] }, tagOf(digest));
    assert.equal((await check(`${host}/team/app:1`)).reason, "unreadableFormat");
  });

  it("a signed member of an unsigned index, and an unsigned member of a signed one", async () => {
    const member = image("team/app", "amd64");
    const index = registry.push("team/app", listOf(member), "1");
    const sign = (digest: string) =>
      registry.push(
        "team/app",
        { schemaVersion: 2, layers: [registry.blob("team/app", "{}")] },
        `${tagOf(digest)}.sig`,
      );
    sign(member);
    const unsignedIndex = await check(`${host}/team/app:1`);
    assert.equal(unsignedIndex.reason, "unsigned");
    assert.match(unsignedIndex.detail, /its platform images are signed.*sign the digest of the index/);
    registry.content.delete(`team/app/manifests/${tagOf(member)}.sig`);
    sign(index);
    const unsignedMember = await check(`${host}/team/app:1@${member}`);
    assert.equal(unsignedMember.reason, "unsigned");
    assert.match(unsignedMember.detail, new RegExp(`the index is signed, this member of it is not: .*${index}`));
  });

  it("no signature at all is unsigned", async () => {
    image();
    const found = await check(`${host}/team/app:1`);
    assert.deepEqual([found.reason, found.detail, found.formats], ["unsigned", "there is no signature", []]);
  });
});
