import { createHash } from "node:crypto";

/** Writes what cosign would never write: manifests and blobs as a test wants them. */
export interface Pusher {
  blob(repository: string, content: string): Promise<{ digest: string; size: number }>;
  manifest(repository: string, reference: string, manifest: object): Promise<string>;
  read(repository: string, reference: string): Promise<SignatureManifest>;
  readBlob(repository: string, digest: string): Promise<string>;
}

export interface SignatureManifest {
  schemaVersion: number;
  mediaType: string;
  config: { mediaType: string; digest: string; size: number };
  layers: { mediaType: string; digest: string; size: number; annotations: Record<string, string> }[];
}

const digestOf = (content: string) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

export function pusher(host: string): Pusher {
  const base = `http://${host}/v2`;
  const must = async (response: Response) => {
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
    return response;
  };
  return {
    blob: async (repository, content) => {
      const start = await must(await fetch(`${base}/${repository}/blobs/uploads/`, { method: "POST" }));
      const upload = new URL(start.headers.get("location") ?? "", base);
      upload.searchParams.set("digest", digestOf(content));
      await must(await fetch(upload, { method: "PUT", body: content }));
      return { digest: digestOf(content), size: Buffer.byteLength(content) };
    },
    manifest: async (repository, reference, manifest) => {
      const body = JSON.stringify(manifest);
      const type = (manifest as { mediaType: string }).mediaType;
      const place = reference === "" ? digestOf(body) : reference;
      const headers = { "content-type": type };
      await must(await fetch(`${base}/${repository}/manifests/${place}`, { method: "PUT", body, headers }));
      return digestOf(body);
    },
    read: async (repository, reference) => {
      const headers = { accept: "application/vnd.oci.image.manifest.v1+json" };
      const response = await must(await fetch(`${base}/${repository}/manifests/${reference}`, { headers }));
      return (await response.json()) as SignatureManifest;
    },
    readBlob: async (repository, digest) => (await must(await fetch(`${base}/${repository}/blobs/${digest}`))).text(),
  };
}
