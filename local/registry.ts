import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type Log, silent } from "./log";
import { freePort, loopback } from "./ports";
import { baseEnv, startProcess } from "./processes";
import { type Answer, send } from "./request";
import { waitFor } from "./waitFor";

export interface Registry {
  /** host:port */
  readonly host: string;
  readonly port: number;
  /** Pushes a tiny image whose content, and so whose digest, depends on this text; returns the digest. */
  pushImage(repository: string, tag: string, content?: string): Promise<string>;
  /** Pushes any image; returns the digest. */
  push(repository: string, tag: string, image: Image): Promise<string>;
  /** Pushes an image index of one image a platform ("linux/amd64"); returns the index's digest. */
  pushIndex(repository: string, tag: string, platforms: readonly string[], content?: string): Promise<Index>;
  /** Points a tag at what another tag or digest names. */
  retag(repository: string, from: string, to: string): Promise<void>;
  /** Adds a signature of a digest to its legacy tag, as `cosign attach signature` does. */
  attachSignature(to: ImageDigest, payload: string, annotations: Readonly<Record<string, string>>): Promise<void>;
  /** Makes the legacy signature tag of one digest be the one of another, maybe in another repository. */
  copySignature(from: ImageDigest, to: ImageDigest): Promise<void>;
  digest(repository: string, reference: string): Promise<string | undefined>;
  remove(repository: string, reference: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ImageDigest {
  repository: string;
  digest: string;
}

export interface Index {
  digest: string;
  /** platform -> digest of its image */
  images: Record<string, string>;
}

const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  signature: "application/vnd.dev.cosign.simplesigning.v1+json",
};

/** cosign's tag for the signature of a digest. */
export const signatureTag = (digest: string): string => `${digest.replace(":", "-")}.sig`;

export const sha256 = (content: string | Buffer): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`;

const describe = (mediaType: string, content: Buffer) => ({
  mediaType,
  digest: sha256(content),
  size: content.length,
});

export interface Image {
  manifest: string;
  blobs: { type: string; content: Buffer }[];
}

/** An image of one layer: a tar with one file that holds the content. */
export function tinyImage(content: string, platform = "linux/amd64"): Image {
  return imageOf(tarOf("content", content), platform);
}

/** An image of one layer. */
export function imageOf(layer: Buffer, platform = "linux/amd64"): Image {
  const [system = "linux", architecture = "amd64"] = platform.split("/");
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: system,
      config: {},
      rootfs: { type: "layers", diff_ids: [sha256(layer)] },
      history: [{ created_by: "image-signing-guard" }],
    }),
  );
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: describe(types.config, config),
    layers: [describe(types.layer, layer)],
  });
  return {
    manifest,
    blobs: [
      { type: types.config, content: config },
      { type: types.layer, content: layer },
    ],
  };
}

/** One file as a ustar archive. */
function tarOf(name: string, content: string): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(body.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\x0000", 257);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
    148,
  );
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512), Buffer.alloc(1024)]);
}

export async function startRegistry(options: { crane: string; workDir: string; log?: Log }): Promise<Registry> {
  const log = options.log ?? silent;
  const port = await freePort();
  const host = `${loopback}:${port}`;
  const disk = path.join(options.workDir, "registry");
  fs.mkdirSync(disk, { recursive: true });
  const server = startProcess({
    name: "registry",
    command: options.crane,
    args: ["registry", "serve", `--address=${host}`, `--disk=${disk}`],
    env: baseEnv(),
    logFile: path.join(options.workDir, "logs", "registry.log"),
  });
  await waitFor("the registry answers", 15_000, async () => {
    server.assertRunning();
    return (await send(`http://${host}/v2/`, {})).status === 200;
  });
  log(`registry at ${host}`);
  return { host, port, stop: () => server.stop(), ...registryClient(`http://${host}`) };
}

/** What can be done with any registry that asks for no login. */
export function registryClient(base: string): Omit<Registry, "host" | "port" | "stop"> {
  const call = async (method: string, url: string, body?: string | Buffer, type?: string): Promise<Answer> => {
    const headers: Record<string, string | number> = { accept: `${types.manifest}, ${types.index}, */*` };
    if (type) headers["content-type"] = type;
    if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
    const answer = await send(`${base}${url}`, { method, headers, timeout: 15_000 }, body);
    if (answer.status >= 300 && answer.status !== 404) {
      throw new Error(`registry: ${method} ${url} answered ${answer.status}: ${answer.body.slice(0, 200)}`);
    }
    return answer;
  };
  const putBlob = async (repository: string, content: Buffer) => {
    const start = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const upload = new URL(start.headers.get("location") ?? "", base);
    upload.searchParams.set("digest", sha256(content));
    await call("PUT", `${upload.pathname}${upload.search}`, content, "application/octet-stream");
  };
  const putManifest = async (repository: string, reference: string, manifest: string) => {
    const type = (JSON.parse(manifest) as { mediaType?: string }).mediaType ?? types.manifest;
    await call("PUT", `/v2/${repository}/manifests/${reference}`, manifest, type);
    return sha256(manifest);
  };
  const getManifest = async (repository: string, reference: string) => {
    const { status, body } = await call("GET", `/v2/${repository}/manifests/${reference}`);
    return status === 404 ? undefined : body;
  };
  const putImage = async (repository: string, reference: string | undefined, image: Image) => {
    for (const blob of image.blobs) await putBlob(repository, blob.content);
    return putManifest(repository, reference ?? sha256(image.manifest), image.manifest);
  };
  const need = async (repository: string, reference: string) => {
    const manifest = await getManifest(repository, reference);
    if (manifest === undefined) throw new Error(`registry: ${repository} has no ${reference}`);
    return manifest;
  };

  return {
    push: putImage,
    pushImage: (repository, tag, content = `${repository}:${tag}`) => putImage(repository, tag, tinyImage(content)),
    pushIndex: async (repository, tag, platforms, content = `${repository}:${tag}`) => {
      const images: Record<string, string> = {};
      const manifests = [];
      for (const platform of platforms) {
        const image = tinyImage(`${content} ${platform}`, platform);
        const digest = await putImage(repository, undefined, image);
        const [system, architecture] = platform.split("/");
        images[platform] = digest;
        manifests.push({
          mediaType: types.manifest,
          digest,
          size: Buffer.byteLength(image.manifest),
          platform: { os: system, architecture },
        });
      }
      const index = JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests });
      return { digest: await putManifest(repository, tag, index), images };
    },
    retag: async (repository, from, to) => {
      await putManifest(repository, to, await need(repository, from));
    },
    attachSignature: async ({ repository, digest }, payload, annotations) => {
      const tag = signatureTag(digest);
      const earlier = await getManifest(repository, tag);
      const layers = earlier === undefined ? [] : (JSON.parse(earlier) as { layers: object[] }).layers;
      const config = Buffer.from(
        JSON.stringify({ architecture: "", os: "", config: {}, rootfs: { type: "layers", diff_ids: [] } }),
      );
      const content = Buffer.from(payload);
      for (const blob of [config, content]) await putBlob(repository, blob);
      const manifest = {
        schemaVersion: 2,
        mediaType: types.manifest,
        config: describe(types.config, config),
        layers: [...layers, { ...describe(types.signature, content), annotations }],
      };
      await putManifest(repository, tag, JSON.stringify(manifest));
    },
    copySignature: async (from, to) => {
      const manifest = await need(from.repository, signatureTag(from.digest));
      const { config, layers } = JSON.parse(manifest) as { config: { digest: string }; layers: { digest: string }[] };
      if (from.repository !== to.repository) {
        for (const { digest } of [config, ...layers]) {
          const blob = await call("GET", `/v2/${from.repository}/blobs/${digest}`);
          await putBlob(to.repository, Buffer.from(blob.body));
        }
      }
      await putManifest(to.repository, signatureTag(to.digest), manifest);
    },
    digest: async (repository, reference) => {
      const manifest = await getManifest(repository, reference);
      return manifest === undefined ? undefined : sha256(manifest);
    },
    remove: async (repository, reference) => {
      await call("DELETE", `/v2/${repository}/manifests/${reference}`);
    },
  };
}
