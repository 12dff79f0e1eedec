import type { ImageRule } from "../../components/posture/types";
import type { Manifest } from "../images/manifest";
import { apiLocation, type ImageReference, parseReference, policyText } from "../images/reference";
import { RegistryClient } from "../images/registry";
import { quietly, RegistryError } from "../images/registryError";
import { signatureLayers, signedMembers, type UnreadSignature, unreadSignatures } from "../signatures/formats";
import type { SignatureLayer } from "../signatures/layers";

/** What the registry holds for one image and one place of its signatures. */
export interface Found {
  readonly digest: string;
  readonly layers: SignatureLayer[];
  readonly unread: UnreadSignature[];
  readonly membersSigned: number;
  /** The digest of an index that the tag names beside the digest of one of its members, where the index is signed. */
  readonly signedIndex?: string;
}

/** One connection to each registry. */
export class Clients {
  private readonly byHost = new Map<string, RegistryClient>();

  of(host: string): RegistryClient {
    const client = this.byHost.get(host) ?? new RegistryClient(host);
    this.byHost.set(host, client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.byHost.values()) await client.close();
  }
}

/** Reads an image and what lies beside it; throws where the registry can't be read, or has neither image nor signature. */
export async function readImage(
  reference: ImageReference,
  entry: ImageRule | undefined,
  clients: Clients,
): Promise<Found> {
  const { host, repository } = apiLocation(reference.registry, reference.path);
  const client = clients.of(host);
  const manifest = await findImage(client, repository, reference);
  const digest = manifest?.digest ?? reference.digest!;
  const place = signaturePlace(reference, entry);
  const layers = await signatureLayers(clients.of(place.host), place.repository, digest);
  // Of an image that is not there, only a signature can be judged; its absence says nothing.
  if (!manifest && layers.length === 0) throw noSuchImage(reference);
  const unread = await unreadIn([{ host, repository }, place], digest, clients);
  if (layers.length > 0) return { digest, layers, unread, membersSigned: 0 };
  const membersSigned =
    manifest && manifest.manifests.length > 0
      ? await signedMembers(clients.of(place.host), place.repository, manifest)
      : 0;
  const signedIndex = await indexOfMember(reference, digest, { host, repository }, place, clients);
  return { digest, layers, unread, membersSigned, ...(signedIndex ? { signedIndex } : {}) };
}

interface Location {
  readonly host: string;
  readonly repository: string;
}

/** In the image's repository and, where signatures have their own, in that. */
async function unreadIn(places: readonly Location[], digest: string, clients: Clients): Promise<UnreadSignature[]> {
  const different = [...new Map(places.map((place) => [`${place.host}/${place.repository}`, place])).values()];
  const found: UnreadSignature[] = [];
  for (const { host, repository } of different)
    found.push(...(await unreadSignatures(clients.of(host), repository, digest)));
  return found;
}

async function indexOfMember(
  { tag }: ImageReference,
  digest: string,
  image: Location,
  place: Location,
  clients: Clients,
): Promise<string | undefined> {
  if (!tag) return undefined;
  const look = async () => {
    const index = await clients.of(image.host).findManifest(image.repository, tag);
    if (!index?.manifests.some((member) => member.digest === digest)) return undefined;
    const layers = await signatureLayers(clients.of(place.host), place.repository, index.digest);
    return layers.length > 0 ? index.digest : undefined;
  };
  return quietly(look());
}

/** Kyverno 1.10 does not ask for an image that is named by its digest, only for its signature. */
async function findImage(
  client: RegistryClient,
  repository: string,
  reference: ImageReference,
): Promise<Manifest | undefined> {
  const found = await client.findManifest(repository, reference.digest ?? reference.tag!);
  if (!found && !reference.digest) throw noSuchImage(reference);
  return found;
}

function noSuchImage(reference: ImageReference): RegistryError {
  return new RegistryError("notFound", `there is no image ${policyText(reference)}`);
}

/** Where the signatures of an image lie. */
export function signaturePlace(
  reference: ImageReference,
  entry: ImageRule | undefined,
): { host: string; repository: string } {
  if (!entry?.signatureRepository) return apiLocation(reference.registry, reference.path);
  const { registry, path } = parseReference(entry.signatureRepository);
  return apiLocation(registry, path);
}
