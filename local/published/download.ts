import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Descriptor } from "../../cli/images/manifest";
import type { RegistryClient } from "../../cli/images/registry";
import { RegistryError } from "../../cli/images/registryError";

const LARGEST = 512 * 1024 * 1024;
const TRIES = 3;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Told of every part that has arrived. */
export type OnBytes = (bytes: number) => void;

/**
 * A layer as a file, checked against its digest. What arrived before an interruption is kept and gone on from, in this run
 * and in the next.
 */
export async function downloadLayer(
  client: RegistryClient,
  repository: string,
  { digest, size = 0 }: Descriptor,
  folder: string,
  onBytes: OnBytes,
): Promise<string> {
  if (!DIGEST.test(digest)) throw new RegistryError("malformed", `${repository} has a layer without a sha256 digest`);
  if (size > LARGEST) throw new RegistryError("tooLarge", `a layer of ${repository} has ${size} bytes`);
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, digest.replace(":", "-"));
  if (fs.existsSync(file)) return file;
  const partial = `${file}.partial`;
  for (let tries = 1; ; tries++) {
    try {
      await append(client, repository, digest, partial, onBytes);
      break;
    } catch (error) {
      if (!(error instanceof RegistryError) || !canGoOn(error) || tries === TRIES) throw error;
    }
  }
  const found = `sha256:${await hashOf(partial)}`;
  if (found !== digest) {
    fs.rmSync(partial);
    throw new RegistryError("malformed", `the layer ${digest} of ${repository} arrived as ${found}`);
  }
  fs.renameSync(partial, file);
  return file;
}

const canGoOn = ({ trouble }: RegistryError) => ["unreachable", "timeout", "serverError"].includes(trouble);

async function append(
  client: RegistryClient,
  repository: string,
  digest: string,
  partial: string,
  onBytes: OnBytes,
): Promise<void> {
  const have = fs.existsSync(partial) ? fs.statSync(partial).size : 0;
  const { body, from } = await client.blobStream(repository, digest, have);
  let total = from;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      onBytes(chunk.length);
      done(total > LARGEST ? new RegistryError("tooLarge", `a layer of ${repository} is too large`) : null, chunk);
    },
  });
  await pipeline(Readable.from(body), counted, fs.createWriteStream(partial, { flags: from > 0 ? "a" : "w" }));
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
