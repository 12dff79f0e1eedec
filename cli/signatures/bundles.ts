import type { KeyObject } from "node:crypto";
import { type Bundle, bundleFromJSON, type SerializedBundle } from "@sigstore/bundle";
import { type TrustMaterial, toSignedEntity, VerificationError, Verifier } from "@sigstore/verify";
import { TrustRoot } from "../../components/args";
import { pemOf } from "../../components/posture/pem";
import type { KeylessSigner, KeySigner, Resolved, Signer } from "../../components/posture/types";
import type { RegistryClient } from "../images/registry";
import {
  type Certificate,
  certificateOf,
  certificatesOf,
  type Identity,
  identityOf,
  trustedPath,
} from "./certificates";
import { keyOf } from "./keys";
import { publicGoodMaterial } from "./publicGood";
import { faultsUnlessOneCounts, logAuthority, matchIdentity, SignatureFault } from "./verifySignature";
import { dsseHolds, INTOTO, parseStatement, type Statement } from "./verifyStatement";

/** A Sigstore bundle among an image's referrers, taken apart. Nothing of it is verified yet. */
export interface StoredBundle {
  readonly bundle: Bundle;
  /** Absent where it is signed with a key. */
  readonly certificate?: Certificate;
  readonly identity?: Identity;
  readonly statement?: Statement;
}

export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle";
/** With more Kyverno 1.19 refuses the image. */
const MOST_REFERRERS = 50;
const LARGEST_BUNDLE = 10_000_000;

/** Reads every bundle, as Kyverno does: one that can't be read, or too many referrers, and none counts. */
export async function storedBundles(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<StoredBundle[]> {
  const referrers = await client.referrers(repository, digest);
  if (referrers.length > MOST_REFERRERS)
    throw new SignatureFault(
      "malformedSignature",
      `${referrers.length} things refer to the image; Kyverno reads none of more than ${MOST_REFERRERS}`,
    );
  const bundles: StoredBundle[] = [];
  for (const { digest: referrer } of referrers.filter(({ artifactType }) => artifactType?.startsWith(BUNDLE_TYPE))) {
    const [layer] = (await client.manifest(repository, referrer)).layers;
    if (!layer) throw new SignatureFault("malformedSignature", `the bundle ${referrer} has no content`);
    bundles.push(readBundle(await client.blob(repository, layer, LARGEST_BUNDLE)));
  }
  return bundles;
}

export function readBundle(content: Buffer): StoredBundle {
  try {
    const bundle = bundleFromJSON(JSON.parse(content.toString("utf8")) as SerializedBundle);
    const material = bundle.verificationMaterial.content;
    const der =
      material.$case === "certificate"
        ? material.certificate.rawBytes
        : material.$case === "x509CertificateChain"
          ? material.x509CertificateChain.certificates[0]?.rawBytes
          : undefined;
    const certificate = der ? certificateOf(Buffer.from(der)) : undefined;
    const statement = statementOf(bundle);
    return {
      bundle,
      ...(certificate ? { certificate, identity: identityOf(certificate) } : {}),
      ...(statement ? { statement } : {}),
    };
  } catch (error) {
    throw new SignatureFault(
      "malformedSignature",
      `a bundle can't be read, so that Kyverno reads none: ${(error as Error).message}`,
    );
  }
}

function statementOf({ content }: Bundle): Statement | undefined {
  if (content.$case !== "dsseEnvelope" || content.dsseEnvelope.payloadType !== INTOTO) return undefined;
  return parseStatement(Buffer.from(content.dsseEnvelope.payload));
}

/** The faults of all bundles for one signer, none when one of them counts; "elsewhere" for a key that only the cluster has. */
export function bundleFaults(
  signer: Signer,
  bundles: readonly StoredBundle[],
  imageDigest: string,
  resolved: Resolved,
): SignatureFault[] | "elsewhere" {
  if (signer.kind === "key") {
    const key = keyOf(signer, resolved);
    return key ? faultsUnlessOneCounts(bundles, (one) => verifyByKey(one, key, signer, imageDigest)) : "elsewhere";
  }
  const anchors = anchorsOf(resolved);
  return faultsUnlessOneCounts(bundles, (one) => verifyByIdentity(one, signer as KeylessSigner, imageDigest, anchors));
}

/** Without any log, whatever the bundle brings along. */
function verifyByKey(
  stored: StoredBundle,
  key: KeyObject,
  { signatureAlgorithm }: KeySigner,
  imageDigest: string,
): void {
  if (stored.certificate) throw new SignatureFault("wrongKey", "signed with a certificate, not with this key");
  const { content } = stored.bundle;
  if (content.$case !== "dsseEnvelope") throw notAStatement();
  const { payloadType, payload, signatures } = content.dsseEnvelope;
  const [first] = signatures;
  if (!first || !dsseHolds(payloadType, Buffer.from(payload), Buffer.from(first.sig), key, signatureAlgorithm))
    throw new SignatureFault("wrongKey", "not signed with this key");
  checkDigest(stored, imageDigest);
}

/** What the stack believes of keyless bundles. */
interface BundleAnchors {
  readonly roots: readonly Certificate[];
  readonly publicGood?: TrustMaterial;
  readonly rekorKey?: string;
}

function anchorsOf({ posture: { trust }, materials }: Resolved): BundleAnchors {
  const pem = (id: string) => pemOf(materials.pem, id);
  return {
    roots: trust.fulcioCertificates.flatMap((id) => certificatesOf(pem(id))),
    ...(trust.root === TrustRoot.PublicGood ? { publicGood: publicGoodMaterial() } : {}),
    ...(trust.rekor ? { rekorKey: pem(trust.rekor.publicKey) } : {}),
  };
}

function verifyByIdentity(
  stored: StoredBundle,
  signer: KeylessSigner,
  imageDigest: string,
  { roots, publicGood, rekorKey }: BundleAnchors,
): void {
  const { certificate, identity, bundle } = stored;
  if (!certificate || !identity) throw new SignatureFault("noCertificate", "signed with a key, not with a certificate");
  if (!trustedPath(certificate, roots, []))
    throw new SignatureFault("wrongCA", "the certificate does not lead to a trusted authority");
  if (bundle.content.$case !== "dsseEnvelope") throw notAStatement();
  const names = checkpointNames(bundle);
  const material: TrustMaterial = {
    certificateAuthorities: [],
    ctlogs: [],
    // The library wants the name in the URL; whose the checkpoint is, the key tells.
    tlogs: publicGood?.tlogs ?? (rekorKey ? [{ ...logAuthority(rekorKey), baseURL: names }] : []),
    timestampAuthorities: publicGood?.timestampAuthorities ?? [],
    publicKey: () => ({
      publicKey: certificate.node.publicKey,
      validFor: (date) => certificate.sigstore.validForDate(date),
    }),
  };
  const entity = toSignedEntity(bundle);
  // Whose timestamp authority counts is only in the update repository.
  if (!publicGood && entity.timestamps.some(({ $case }) => $case === "timestamp-authority"))
    throw new SignatureFault("untrustedLog", "only the cluster knows whose timestamps count (trust.tuf)", true);
  const tlogThreshold = rekorKey ? 1 : 0;
  if (entity.tlogEntries.length < tlogThreshold)
    throw new SignatureFault("noLogEntry", "no entry of the transparency log is in the bundle");
  try {
    // The path was found above, as Go finds it; Kyverno looks at no receipt of a certificate log.
    const byKey = { ...entity, key: { $case: "public-key" as const, hint: "signer" } };
    new Verifier(material, { tlogThreshold, ctlogThreshold: 0, timestampThreshold: 1 }).verify(byKey);
  } catch (error) {
    throw faultOf(error);
  }
  checkDigest(stored, imageDigest);
  matchIdentity(signer, identity);
}

/**
 * Who signed the checkpoints of a bundle's log entries. The library takes such a name for a regular expression, so one that
 * could be more than a name ends here.
 */
function checkpointNames({ verificationMaterial }: Bundle): string {
  const notes = verificationMaterial.tlogEntries.map((entry) => entry.inclusionProof?.checkpoint?.envelope ?? "");
  const names = notes.flatMap((note) => [...note.matchAll(/^\u2014 (\S+) /gm)].map(([, name]) => name!));
  if (names.some((name) => !/^[a-zA-Z0-9./-]{1,200}$/.test(name)))
    throw new SignatureFault("untrustedLog", "a checkpoint is signed by a name that is none");
  return names.join(" ");
}

function faultOf(error: unknown): SignatureFault {
  const text = error instanceof Error ? error.message : String(error);
  if (!(error instanceof VerificationError)) return new SignatureFault("malformedSignature", text);
  if (error.code === "SIGNATURE_ERROR")
    return new SignatureFault("tampered", "the certificate's key did not sign this content");
  if (error.code === "PUBLIC_KEY_ERROR")
    return new SignatureFault("expired", "logged when the certificate was not valid");
  return new SignatureFault("untrustedLog", `the log entry does not hold: ${text}`);
}

function checkDigest({ statement }: StoredBundle, imageDigest: string): void {
  if (!statement) throw notAStatement();
  if (!statement.digests.includes(imageDigest))
    throw new SignatureFault("wrongDigest", "the bundle is about another image");
}

function notAStatement(): SignatureFault {
  return new SignatureFault("malformedSignature", "a bundle without a statement about an image");
}
