import { SignatureFormat } from "../../components/args";
import { SIGNED } from "../../components/policies/cel/demands";
import type { Attestation, CertificateSigner, ImageRule, Resolved, Signer } from "../../components/posture/types";
import type { RegistryClient } from "../images/registry";
import { bundleFaults, type StoredBundle, storedBundles } from "../signatures/bundles";
import { attestationLayers } from "../signatures/formats";
import type { SignatureLayer } from "../signatures/layers";
import { notationFaults, notationSignatures } from "../signatures/notation";
import {
  checkBundledAttestation,
  checkSignatures,
  checkStatements,
  countSigners,
  type SignersVerdict,
} from "../signatures/signers";
import { SignatureFault } from "../signatures/verifySignature";

/** Where an image's signatures are looked for. */
export interface SignatureSource {
  readonly client: RegistryClient;
  /** The image's own repository, and that of its signatures in the tag format. */
  readonly repository: string;
  readonly signatures: { readonly client: RegistryClient; readonly repository: string };
  readonly digest: string;
  readonly layers: readonly SignatureLayer[];
}

/**
 * What an ImageValidatingPolicy of 1.19 makes of an image: signatures and statements, each counted by itself. Where a bundle
 * that can be read lies beside the image, nothing else is looked at.
 */
export async function countedVerdicts(
  entry: ImageRule,
  source: SignatureSource,
  resolved: Resolved,
): Promise<SignersVerdict[]> {
  const { client, repository, digest, layers } = source;
  if (entry.format === SignatureFormat.Notation) {
    const found = await notationSignatures(client, repository, digest);
    return [
      countSigners(entry, found.length, resolved, (signer) =>
        notationFaults(signer as CertificateSigner, found, digest, resolved),
      ),
    ];
  }
  const bundles = await readableBundles(source);
  if (bundles.length > 0) {
    // Of an entry that asks for no bundles any statement of the signer's counts.
    const counted =
      entry.format === SignatureFormat.SigstoreBundle
        ? bundles.filter(({ statement }) => statement?.predicateType === SIGNED)
        : bundles;
    const faultsOf = (signer: Signer) => bundleFaults(signer, counted, digest, resolved);
    return [
      countSigners(entry, counted.length, resolved, faultsOf),
      ...entry.attestations.map((one) => checkBundledAttestation(one, bundles, digest, resolved)),
    ];
  }
  if (entry.format === SignatureFormat.SigstoreBundle) return [countSigners(entry, 0, resolved, () => [])];
  const statements =
    entry.attestations.length > 0
      ? await attestationLayers(source.signatures.client, source.signatures.repository, digest)
      : [];
  return [
    checkSignatures(entry, layers, digest, resolved),
    ...entry.attestations.map((one: Attestation) => checkStatements(one, statements, digest, resolved)),
  ];
}

async function readableBundles({ client, repository, digest }: SignatureSource): Promise<readonly StoredBundle[]> {
  try {
    return await storedBundles(client, repository, digest);
  } catch (error) {
    if (error instanceof SignatureFault) return [];
    throw error;
  }
}
