import type { Descriptor, Manifest } from "../images/manifest";
import type { RegistryClient } from "../images/registry";
import { quietly, RegistryError } from "../images/registryError";
import { BUNDLE_TYPE, readBundle } from "./bundles";
import type { Identity } from "./certificates";
import { readLayer, type SignatureLayer } from "./layers";
import { NOTATION_TYPE } from "./notation";

/** Ways of signing that a registry can hold. */
export const StoredFormat = {
  /** A tag `sha256-<hex>.sig` beside the image. */
  CosignTag: "cosignTag",
  /** A Sigstore bundle that refers to the image: cosign 3 and GitHub's attestations by default. */
  SigstoreBundle: "sigstoreBundle",
  /** Cosign's old content, but referring to the image instead of tagged: `--registry-referrers-mode=oci-1-1`. */
  CosignReferrer: "cosignReferrer",
  Notation: "notation",
} as const;
export type StoredFormat = (typeof StoredFormat)[keyof typeof StoredFormat];

/** A signature in another format than Cosign's tag. */
export interface UnreadSignature {
  readonly format: StoredFormat;
  readonly identity?: Identity;
}

const ATTESTATION_LIMIT = 32 * 1024 * 1024;
/** More would be no signatures but an attack on whoever reads them. */
const MOST_LAYERS = 100;

export async function signatureLayers(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<SignatureLayer[]> {
  return taggedLayers(client, repository, `${digest.replace(":", "-")}.sig`);
}

export async function attestationLayers(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<SignatureLayer[]> {
  return taggedLayers(client, repository, `${digest.replace(":", "-")}.att`, ATTESTATION_LIMIT);
}

async function taggedLayers(
  client: RegistryClient,
  repository: string,
  tag: string,
  limit?: number,
): Promise<SignatureLayer[]> {
  const manifest = await client.findManifest(repository, tag);
  if (!manifest) return [];
  if (manifest.layers.length > MOST_LAYERS) {
    throw new RegistryError("tooLarge", `${tag} holds ${manifest.layers.length} signatures, more than ${MOST_LAYERS}`);
  }
  const layers: SignatureLayer[] = [];
  for (const layer of manifest.layers) layers.push(readLayer(layer, await client.blob(repository, layer, limit)));
  return layers;
}

/** What to do about an entry that wants Cosign's tag format, for each other that an image is signed in. */
export const FORMAT_HINTS: Readonly<Record<StoredFormat, string>> = {
  [StoredFormat.CosignTag]: "",
  [StoredFormat.SigstoreBundle]:
    "a Sigstore bundle, the default of cosign 3 and GitHub's attestations: sign with cosign 3's --new-bundle-format=false --use-signing-config=false, or with cosign 2; or set format: sigstoreBundle, with kyverno.target: \"1.19\"",
  [StoredFormat.CosignReferrer]:
    "cosign's content as an OCI 1.1 referrer: sign without --registry-referrers-mode=oci-1-1 (and COSIGN_EXPERIMENTAL)",
  [StoredFormat.Notation]: "Notation: sign with cosign, or set format: notation",
};

/** Signatures in other formats. Only a help for a person, so a registry without such a list is no trouble. */
export async function unreadSignatures(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<UnreadSignature[]> {
  const referrers = (await quietly(client.referrers(repository, digest))) ?? [];
  const found: UnreadSignature[] = [];
  for (const referrer of referrers.slice(0, MOST_LAYERS)) {
    const unread = await quietly(unreadSignature(client, repository, referrer));
    if (unread) found.push(unread);
  }
  return found;
}

/** A list may leave the type out or give the configuration's; then the manifest itself says what it is. */
async function unreadSignature(
  client: RegistryClient,
  repository: string,
  referrer: Descriptor,
): Promise<UnreadSignature | undefined> {
  const listed = formatOf([referrer.artifactType]);
  if (listed === StoredFormat.Notation) return { format: listed };
  const manifest = await quietly(client.manifest(repository, referrer.digest));
  const format = listed ?? formatOf([manifest?.artifactType, ...(manifest?.layers ?? []).map((one) => one.mediaType)]);
  if (!format) return undefined;
  const layer = manifest?.layers[0];
  const identity =
    layer && format !== StoredFormat.Notation
      ? await quietly(
          format === StoredFormat.CosignReferrer
            ? layerIdentity(client, repository, layer)
            : bundleIdentity(client, repository, layer),
        )
      : undefined;
  return { format, ...(identity ? { identity } : {}) };
}

const TYPES: readonly [begin: string, format: StoredFormat][] = [
  [BUNDLE_TYPE, StoredFormat.SigstoreBundle],
  ["application/vnd.dev.cosign.artifact.sig", StoredFormat.CosignReferrer],
  ["application/vnd.dev.cosign.simplesigning", StoredFormat.CosignReferrer],
  [NOTATION_TYPE, StoredFormat.Notation],
];

function formatOf(types: readonly (string | undefined)[]): StoredFormat | undefined {
  return TYPES.find(([begin]) => types.some((type) => type?.startsWith(begin)))?.[1];
}

async function layerIdentity(
  client: RegistryClient,
  repository: string,
  layer: Descriptor,
): Promise<Identity | undefined> {
  return readLayer(layer, await client.blob(repository, layer)).identity;
}

async function bundleIdentity(
  client: RegistryClient,
  repository: string,
  layer: Descriptor,
): Promise<Identity | undefined> {
  try {
    return readBundle(await client.blob(repository, layer)).identity;
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    // Who signed is not known then; that somebody did is.
    return undefined;
  }
}

/** How many members of an image index carry signatures of their own, in cosign's tag format. */
export async function signedMembers(client: RegistryClient, repository: string, manifest: Manifest): Promise<number> {
  let signed = 0;
  for (const { digest } of manifest.manifests.slice(0, 10)) {
    if (await quietly(client.findManifest(repository, `${digest.replace(":", "-")}.sig`))) signed++;
  }
  return signed;
}
