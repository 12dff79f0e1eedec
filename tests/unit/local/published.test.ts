import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { create } from "tar";
import { resolveSettings } from "../../../components/resolve";
import { ensurePublished, ensurePublishedChart, ensureTool, toolVersion } from "../../../local/build";
import { forgetRegistries } from "../../../local/published/fetch";
import { KYVERNO_CHART, PUBLISHED } from "../../../local/published/images";
import { takeProgram } from "../../../local/published/layers";
import { settingsFor } from "../../../local/published/signature";
import { architecture, placesOf } from "../../../local/published/source";

const FROM = "IMAGE_SIGNING_GUARD_PROGRAMS_FROM";
const sha256 = (content: Buffer) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** Files of an image, a layer each list; the last is the topmost. */
type Layers = readonly (readonly (readonly [path: string, content: string, mode?: number])[])[];

/** What a registry may do to who asks for a layer. */
interface Trouble {
  /** Ends the connection of the first so many answers for a layer in the middle. */
  cuts?: number;
  /** Sends the whole layer, whatever part is asked for. */
  noRanges?: boolean;
  /** Sends other content than the digest says. */
  lies?: boolean;
  /** Answers everything so. */
  status?: number;
  /** In the words of its error. */
  says?: string;
  /** Takes the connection and says nothing. */
  silent?: boolean;
}

describe("programs from published images", function () {
  this.timeout(30_000);
  let folder: string;
  let server: http.Server;
  let trouble: Trouble;
  let told: string[];
  let ranges: string[];
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, string>();
  const before = { ...process.env };

  beforeEach(async function () {
    if (architecture() === undefined) {
      this.skipReason = `programs of images run on Linux, not on ${process.platform}`;
      this.skip();
    }
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-published-"));
    [trouble, told, ranges] = [{}, [], []];
    blobs.clear();
    manifests.clear();
    forgetRegistries();
    server = http.createServer(answer).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    process.env.IMAGE_SIGNING_GUARD_CACHE = path.join(folder, "cache");
    process.env[FROM] = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    delete process.env.IMAGE_SIGNING_GUARD_BIN;
  });

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    for (const name of ["IMAGE_SIGNING_GUARD_CACHE", "IMAGE_SIGNING_GUARD_BIN", FROM, "PATH"])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  const log = (line: string) => told.push(line);
  const fetched = (version = "v3.6.8") => ensurePublished("etcd", version, log);

  function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = decodeURIComponent(request.url ?? "");
    if (trouble.silent) return;
    const errors = [{ code: "DENIED", message: trouble.says ?? "" }];
    if (trouble.status) return void response.writeHead(trouble.status).end(JSON.stringify({ errors }));
    const manifest = manifests.get(url.replace(/^\/v2\//, "").replace("/manifests/", "@"));
    const blob = blobs.get(/\/blobs\/(.*)$/.exec(url)?.[1] ?? "");
    if (manifest !== undefined) return void response.end(manifest);
    if (blob === undefined) return void response.writeHead(404).end("{}");
    const content = trouble.lies ? Buffer.alloc(blob.length) : blob;
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
    ranges.push(range ?? "all");
    const from = range !== undefined && !trouble.noRanges ? Number(range) : 0;
    const part = content.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, { "content-length": part.length });
    if (!trouble.cuts) return void response.end(part);
    trouble.cuts--;
    response.write(part.subarray(0, Math.ceil(part.length / 2)), () => setTimeout(() => response.destroy(), 20));
  }

  /** An index of one image for each of these architectures, all with the same layers. */
  async function publish(name: string, layers: Layers, architectures = [architecture()!]): Promise<string> {
    const descriptors = [];
    for (const files of layers) {
      const at = fs.mkdtempSync(path.join(folder, "layer-"));
      for (const [file, content, mode = 0o644] of files) {
        fs.mkdirSync(path.dirname(path.join(at, file)), { recursive: true });
        fs.writeFileSync(path.join(at, file), content, { mode });
      }
      await create({ file: `${at}.tar`, cwd: at, portable: true }, fs.readdirSync(at));
      const content = gzipSync(fs.readFileSync(`${at}.tar`));
      blobs.set(sha256(content), content);
      descriptors.push({ digest: sha256(content), size: content.length });
    }
    const image = JSON.stringify({
      schemaVersion: 2,
      config: { digest: sha256(Buffer.from("{}")) },
      layers: descriptors,
    });
    const [repository = ""] = name.split("@");
    const digest = sha256(Buffer.from(image));
    manifests.set(`${repository}@${digest}`, image);
    const platforms = architectures.map((one) => ({ digest, platform: { os: "linux", architecture: one } }));
    const index = JSON.stringify({ schemaVersion: 2, manifests: platforms });
    manifests.set(name, index);
    manifests.set(`${repository}@${sha256(Buffer.from(index))}`, index);
    return sha256(Buffer.from(index));
  }

  const etcd = "gcr.io/etcd-development/etcd@v3.6.8";
  const LAYERS: Layers = [
    [["etc/os-release", "base"]],
    [["usr/local/bin/etcd", "old", 0o755]],
    [
      ["usr/local/bin/etcd", "program", 0o755],
      ["LICENSE", "licence"],
      ["usr/share/doc/etcd", "no program"],
    ],
    [["var/lib/etcd/.keep", ""]],
  ];

  it("are taken from the topmost layer that has them, with their licence, and kept with where they are from", async () => {
    const digest = await publish(etcd, LAYERS);
    const program = (await fetched())!;
    assert.equal(fs.readFileSync(program, "utf8"), "program");
    assert.ok((fs.statSync(program).mode & 0o111) !== 0);
    assert.equal(fs.readFileSync(`${program}.LICENSE`, "utf8"), "licence");
    assert.match(fs.readFileSync(`${program}.origin`, "utf8"), new RegExp(`/etcd:v3\\.6\\.8@${digest}\n`));
    assert.match(
      told.at(-1)!,
      /^fetched etcd v3\.6\.8 from .*; its project signs no images; [\d.]+ MiB, [\d.]+ MiB\/s$/,
    );
    assert.deepEqual(fs.readdirSync(path.dirname(program)).sort(), ["etcd", "etcd.LICENSE", "etcd.origin"]);
    server.close();
    assert.equal(await fetched(), program);
  });

  it("are found under the image's path alone too, as registries that stand in for one other have them", async () => {
    await publish(etcd.replace("gcr.io/", ""), LAYERS);
    assert.equal(fs.readFileSync((await fetched())!, "utf8"), "program");
  });

  it("of another architecture are not taken", async () => {
    await publish(etcd, LAYERS, ["s390x"]);
    assert.equal(await fetched(), undefined);
    assert.match(told.join("\n"), /not published for linux\//);
  });

  it("go on where they were interrupted, also in the next run", async () => {
    await publish(etcd, [[["bin/etcd", "x".repeat(100_000) + Math.random(), 0o755]]]);
    trouble = { cuts: 2 };
    assert.ok(await fetched());
    assert.equal(ranges.length, 3);
    assert.deepEqual(
      ranges.map((range) => range === "all"),
      [true, false, false],
    );
  });

  it("are kept as far as they came when the registry gives up, and gone on from", async () => {
    await publish(etcd, [[["bin/etcd", "y".repeat(100_000) + Math.random(), 0o755]]]);
    trouble = { cuts: 3 };
    assert.equal(await fetched(), undefined);
    forgetRegistries();
    assert.ok(await fetched());
    assert.notEqual(ranges.at(-1), "all");
  });

  it("begin anew where the registry knows no ranges", async () => {
    await publish(etcd, LAYERS);
    trouble = { cuts: 1, noRanges: true };
    assert.equal(fs.readFileSync((await fetched())!, "utf8"), "program");
  });

  const REFUSALS: readonly (readonly [what: string, trouble: Trouble, says: RegExp])[] = [
    ["sends something else", { lies: true }, /arrived as sha256:/],
    ["says no", { status: 403 }, /answered 403/],
    ["wants a login", { status: 401 }, /answered 401/],
    ["is broken", { status: 500 }, /answered 500/],
    ["never answers", { silent: true }, /did not answer within 5 s/],
  ];
  for (const [what, kind, says] of REFUSALS)
    it(`where the registry ${what}: the next way, and nothing is left of it`, async () => {
      await publish(etcd, LAYERS);
      trouble = kind;
      assert.equal(await fetched(), undefined);
      assert.match(told.join("\n"), says);
      const left = fs.readdirSync(path.join(folder, "cache", "published"), { recursive: true }) as string[];
      assert.deepEqual(
        left.filter((name) => /etcd(\.|$)/.test(path.basename(name))),
        [],
      );
    });

  it("a registry that does not answer is asked once for all programs", async () => {
    trouble = { silent: true };
    await fetched();
    const start = told.length;
    await ensurePublished("crane", "v0.20.7", log);
    assert.deepEqual(told.slice(start), []);
  });

  it("no such version, program or layer is the next way too", async () => {
    assert.equal(await fetched("v9.9.9"), undefined);
    assert.match(told.join("\n"), /answered 404/);
    await publish(etcd, [[["bin/another", "x", 0o755]]]);
    assert.equal(await fetched(), undefined);
    assert.match(told.join("\n"), /no layer of it has a program etcd/);
  });

  it("a file that can't be run, or lies outside of the image, is no program", async () => {
    await publish(etcd, [[["etcd", "a folder's file", 0o644]]]);
    assert.equal(await fetched(), undefined);
  });

  it("a layer that would unpack to more than any program is left alone", async () => {
    fs.writeFileSync(path.join(folder, "etcd"), "x".repeat(100), { mode: 0o755 });
    const layer = path.join(folder, "layer.tar");
    await create({ file: layer, cwd: folder }, ["etcd"]);
    const target = path.join(folder, "taken");
    assert.equal(await takeProgram(layer, "etcd", target, 99), false);
    assert.equal(await takeProgram(layer, "etcd", target, 100), true);
  });

  it("what a registry says rewrites no terminal", async () => {
    trouble = { status: 403, says: "\u001b[2Jno\nway" };
    assert.equal(await fetched(), undefined);
    assert.match(told.join(""), /no way/);
    assert.doesNotMatch(told.join(""), /\p{C}/u);
  });

  it("a chart comes as its folder", async () => {
    await publish("ghcr.io/kyverno/charts/kyverno@3.0.9", [
      [
        ["kyverno/Chart.yaml", "version: 3.0.9\nappVersion: v1.10.7\n"],
        ["kyverno/templates/a.yaml", "a"],
      ],
    ]);
    const chart = (await ensurePublishedChart("3.0.9", log))!;
    assert.deepEqual(fs.readdirSync(chart).sort(), ["Chart.yaml", "templates"]);
  });

  it("what must be signed is not taken from its own registry when nobody signed it", () => {
    // A registry that is not named by the user is its project's own; there a missing signature is a bad sign.
    for (const name of ["kyverno", "kube-apiserver", "cosign"] as const) assert.ok(PUBLISHED[name]?.signer, name);
    for (const { repository, signer } of Object.values(PUBLISHED))
      if (signer) assert.equal(resolveSettings(settingsFor(repository, signer)).posture.images.length, 1);
    assert.equal(placesOf(KYVERNO_CHART, {})[0]!.isMirror, false);
    assert.equal(placesOf(KYVERNO_CHART, { [FROM]: "127.0.0.1:5000" })[0]!.isMirror, true);
  });

  it("where to look is the registry that is named, nowhere, or each image's own", () => {
    const helm = PUBLISHED.helm!;
    const places = (from?: string) =>
      placesOf(helm, from === undefined ? {} : { [FROM]: from }).map(({ host, repository }) => `${host} ${repository}`);
    assert.deepEqual(places(), ["registry-1.docker.io alpine/helm"]);
    assert.deepEqual(places("build"), []);
    assert.deepEqual(places("registry.example.com/mirror/"), [
      "registry.example.com mirror/docker.io/alpine/helm",
      "registry.example.com mirror/alpine/helm",
    ]);
    assert.throws(
      () => places("https://registry.example.com"),
      /IMAGE_SIGNING_GUARD_PROGRAMS_FROM is .*; allowed: HOST/,
    );
  });

  it("what is given or cached comes first", async () => {
    await publish(etcd.replace("v3.6.8", toolVersion("etcd")), LAYERS);
    process.env.IMAGE_SIGNING_GUARD_BIN = folder;
    fs.writeFileSync(path.join(folder, "etcd"), "given");
    assert.equal(await ensureTool("etcd", log), path.join(folder, "etcd"));
    delete process.env.IMAGE_SIGNING_GUARD_BIN;
    assert.equal(fs.readFileSync(await ensureTool("etcd", log), "utf8"), "program");
  });

  it("where there is neither an image nor Go, the error says what to do", async () => {
    process.env.PATH = "";
    trouble = { status: 404 };
    await assert.rejects(ensureTool("etcd", log), /has to be built, but no "go" was found on PATH: install Go/);
  });
});
