import { bundleFromJSON, type SerializedBundle } from "@sigstore/bundle";
import type { Descriptor, Manifest } from "../images/manifest";
import type { RegistryClient } from "../images/registry";
import { quietly, RegistryError } from "../images/registryError";
import { certificateOf, type Identity, identityOf } from "./certificates";
import { readLayer, type SignatureLayer } from "./layers";

/** Ways of signing that a registry can hold. Kyverno 1.10 reads the first one only. */
export const SignatureFormat = {
  /** A tag `sha256-<hex>.sig` beside the image. */
  CosignTag: "cosignTag",
  /** A Sigstore bundle that refers to the image: cosign 3 and GitHub's attestations by default. */
  SigstoreBundle: "sigstoreBundle",
  /** Cosign's old content, but referring to the image instead of tagged: `--registry-referrers-mode=oci-1-1`. */
  CosignReferrer: "cosignReferrer",
  Notation: "notation",
} as const;
export type SignatureFormat = (typeof SignatureFormat)[keyof typeof SignatureFormat];

/** A signature that Kyverno 1.10 does not see. */
export interface UnreadSignature {
  readonly format: SignatureFormat;
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

/** How to sign instead, for each format that Kyverno 1.10 does not see. */
export const FORMAT_HINTS: Readonly<Record<SignatureFormat, string>> = {
  [SignatureFormat.CosignTag]: "",
  [SignatureFormat.SigstoreBundle]:
    "a Sigstore bundle, the default of cosign 3 and GitHub's attestations: sign with cosign 3's --new-bundle-format=false --use-signing-config=false, or with cosign 2",
  [SignatureFormat.CosignReferrer]:
    "cosign's content as an OCI 1.1 referrer: sign without --registry-referrers-mode=oci-1-1 (and COSIGN_EXPERIMENTAL)",
  [SignatureFormat.Notation]: "Notation: sign with cosign",
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
  if (listed === SignatureFormat.Notation) return { format: listed };
  const manifest = await quietly(client.manifest(repository, referrer.digest));
  const format = listed ?? formatOf([manifest?.artifactType, ...(manifest?.layers ?? []).map((one) => one.mediaType)]);
  if (!format) return undefined;
  const layer = manifest?.layers[0];
  const identity =
    layer && format !== SignatureFormat.Notation
      ? await quietly(
          format === SignatureFormat.CosignReferrer
            ? layerIdentity(client, repository, layer)
            : bundleIdentity(client, repository, layer),
        )
      : undefined;
  return { format, ...(identity ? { identity } : {}) };
}

const TYPES: readonly [begin: string, format: SignatureFormat][] = [
  ["application/vnd.dev.sigstore.bundle", SignatureFormat.SigstoreBundle],
  ["application/vnd.dev.cosign.artifact.sig", SignatureFormat.CosignReferrer],
  ["application/vnd.dev.cosign.simplesigning", SignatureFormat.CosignReferrer],
  ["application/vnd.cncf.notary.signature", SignatureFormat.Notation],
];

function formatOf(types: readonly (string | undefined)[]): SignatureFormat | undefined {
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
  const content = await client.blob(repository, layer);
  try {
    const bundle = bundleFromJSON(JSON.parse(content.toString("utf8")) as SerializedBundle);
    const material = bundle.verificationMaterial.content;
    const der =
      material.$case === "certificate"
        ? material.certificate.rawBytes
        : material.$case === "x509CertificateChain"
          ? material.x509CertificateChain.certificates[0]?.rawBytes
          : undefined;
    return der ? identityOf(certificateOf(Buffer.from(der))) : undefined;
  } catch {
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
