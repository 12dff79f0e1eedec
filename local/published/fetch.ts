import * as fs from "node:fs";
import * as path from "node:path";
import { x as extract } from "tar";
import type { Descriptor, Manifest } from "../../cli/images/manifest";
import { RegistryClient } from "../../cli/images/registry";
import { RegistryError } from "../../cli/images/registryError";
import { printable } from "../../cli/terminal/printable";
import type { Log } from "../log";
import { downloadLayer } from "./download";
import type { PublishedImage } from "./images";
import { takeProgram } from "./layers";
import { bytesProgress } from "./progress";
import { assertSigned } from "./signature";
import { architecture, type Place, placesOf } from "./source";

/** A registry that does not answer must not be what people wait for: there is another way. */
const PATIENCE_MS = 5000;

/** Registries that did not answer in this run; asked once. */
const away = new Set<string>();

interface Wanted {
  readonly image: PublishedImage;
  readonly version: string;
  /** For people: "etcd v3.6.8". */
  readonly what: string;
  /** Where the layers are kept while they are read. */
  readonly folder: string;
  readonly log: Log;
}

/** Takes a program out of its published image; false where that can't be had. What is wrong is told, never thrown. */
export function fetchProgram(wanted: Wanted, name: string, target: string): Promise<boolean> {
  return fetchFrom(wanted, target, async (layers) => {
    // The program is near the top: below are what the image is built on.
    for (const layer of [...layers].reverse()) if (await takeProgram(await layer(), name, target)) return;
    throw new Error(`no layer of it has a program ${name}`);
  });
}

/** Takes a Helm chart out of its published image, as a folder. */
export function fetchChart(wanted: Wanted, target: string): Promise<boolean> {
  return fetchFrom(wanted, target, async ([layer]) => {
    if (layer === undefined) throw new Error("it has no layer");
    fs.mkdirSync(target);
    await extract({ file: await layer(), cwd: target, strip: 1, strict: true });
  });
}

type Layers = readonly (() => Promise<string>)[];

async function fetchFrom(wanted: Wanted, target: string, take: (layers: Layers) => Promise<void>): Promise<boolean> {
  const refusals: string[] = [];
  for (const place of placesOf(wanted.image)) {
    if (away.has(place.host)) continue;
    const client = new RegistryClient(place.host, { timeoutMs: PATIENCE_MS });
    try {
      await fetchAt(wanted, place, client, target, take);
      return true;
    } catch (error) {
      fs.rmSync(target, { recursive: true, force: true });
      const { message } = error as Error;
      const isAway =
        error instanceof RegistryError && ["unreachable", "timeout", "certificate"].includes(error.trouble);
      if (isAway) away.add(place.host);
      refusals.push(message);
    } finally {
      await client.close();
    }
  }
  if (refusals.length > 0) wanted.log(`no published image for ${wanted.what}: ${printable(refusals.join("; "))}`);
  return false;
}

async function fetchAt(
  { image, version, what, folder, log }: Wanted,
  place: Place,
  client: RegistryClient,
  target: string,
  take: (layers: Layers) => Promise<void>,
): Promise<void> {
  const tag = image.tag(version);
  const tagged = await client.manifest(place.repository, tag);
  const signed = await assertSigned(image, place, tagged.digest);
  const manifest = tagged.manifests.length > 0 ? await forThisMachine(tagged, place, client) : tagged;
  const kept: string[] = [];
  const size = manifest.layers.reduce((sum, layer) => sum + (layer.size ?? 0), 0);
  const progress = bytesProgress(`fetching ${what}`, size, log);
  try {
    await take(
      manifest.layers.map((layer) => async () => {
        const file = await downloadLayer(client, place.repository, layer, folder, progress.add);
        kept.push(file);
        return file;
      }),
    );
  } finally {
    progress.end();
  }
  const from = `${place.host}/${place.repository}:${tag}@${tagged.digest}`;
  // Which bytes run here can be told later, and compared.
  fs.writeFileSync(`${target}.origin`, `${from}\n${signed}\n`);
  for (const file of kept) fs.rmSync(file, { force: true });
  log(`fetched ${what} from ${from}; ${signed}; ${progress.summary()}`);
}

async function forThisMachine({ manifests }: Manifest, place: Place, client: RegistryClient): Promise<Manifest> {
  const wanted = architecture();
  const isOurs = ({ platform }: Descriptor) => platform?.os === "linux" && platform.architecture === wanted;
  const found = manifests.find(isOurs);
  if (!found) throw new Error(`it is not published for linux/${wanted}`);
  return client.manifest(place.repository, found.digest);
}

/** For tests, which bring registries up and down within a run. */
export const forgetRegistries = (): void => away.clear();

/** Where what is fetched stays, by version: beside what is built, which has a folder of its own. */
export const fetchedFolder = (cache: string, version: string): string =>
  path.join(cache, "published", `${version}-${process.platform}-${process.arch}`);
