import { bundleFromJSON, type SerializedBundle } from "@sigstore/bundle";
import { type Descriptor, type Manifest, type RegistryClient, RegistryError } from "../images/registry";
import { certificateOf, type Identity, identityOf } from "./certificates";
import { readLayer, type SignatureLayer } from "./layers";

/** Ways of signing that a registry can hold. Kyverno 1.10 reads the first one only. */
export const SignatureFormat = {
  /** A tag `sha256-<hex>.sig` beside the image. */
  CosignTag: "cosignTag",
  /** A Sigstore bundle that refers to the image: cosign 3 and GitHub's attestations by default. */
  SigstoreBundle: "sigstoreBundle",
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

/** Signatures in other formats. Only a help for a person, so a registry without such a list is no trouble. */
export async function unreadSignatures(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<UnreadSignature[]> {
  try {
    const found: UnreadSignature[] = [];
    for (const referrer of (await client.referrers(repository, digest)).slice(0, MOST_LAYERS)) {
      const format = formatOf(referrer);
      if (!format) continue;
      const identity =
        format === SignatureFormat.SigstoreBundle ? await bundleIdentity(client, repository, referrer) : undefined;
      found.push({ format, ...(identity ? { identity } : {}) });
    }
    return found;
  } catch (error) {
    if (error instanceof RegistryError) return [];
    throw error;
  }
}

function formatOf({ artifactType = "" }: Descriptor): SignatureFormat | undefined {
  if (artifactType.startsWith("application/vnd.dev.sigstore.bundle")) return SignatureFormat.SigstoreBundle;
  if (artifactType === "application/vnd.cncf.notary.signature") return SignatureFormat.Notation;
  return undefined;
}

async function bundleIdentity(
  client: RegistryClient,
  repository: string,
  { digest }: Descriptor,
): Promise<Identity | undefined> {
  const manifest: Manifest = await client.manifest(repository, digest);
  const layer = manifest.layers[0];
  if (!layer) return undefined;
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

/** The members of an image index that carry signatures of their own. */
export async function signedMembers(client: RegistryClient, repository: string, manifest: Manifest): Promise<number> {
  let signed = 0;
  for (const { digest } of manifest.manifests.slice(0, 10)) {
    if (await client.findManifest(repository, `${digest.replace(":", "-")}.sig`)) signed++;
  }
  return signed;
}
