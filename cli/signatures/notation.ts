import { constants, type KeyObject, verify } from "node:crypto";
import { pemOf } from "../../components/posture/pem";
import type { CertificateSigner, Resolved } from "../../components/posture/types";
import type { RegistryClient } from "../images/registry";
import { type Certificate, certificateOf, certificatesOf } from "./certificates";
import { SignatureFault } from "./verifySignature";

/** A signature of Notation among an image's referrers, taken apart. Nothing of it is verified yet. */
export interface NotationSignature {
  /** Signing certificate first. */
  readonly chain: readonly Certificate[];
  readonly signed: Buffer;
  readonly signature: Buffer;
  readonly algorithm: string;
  /** Digest of the image that it is about. */
  readonly target: string;
  readonly expiry?: Date;
  /** Why only the cluster can read it. */
  readonly unread?: string;
}

export const NOTATION_TYPE = "application/vnd.cncf.notary.signature";
/** So many Kyverno looks at. */
const MOST_SIGNATURES = 10;
const JWS = "application/jose+json";

export async function notationSignatures(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<NotationSignature[]> {
  const referrers = await client.referrers(repository, digest);
  const found: NotationSignature[] = [];
  for (const { artifactType, digest: referrer } of referrers) {
    if (found.length === MOST_SIGNATURES) break;
    if (artifactType !== undefined && artifactType !== "" && artifactType !== NOTATION_TYPE) continue;
    const manifest = await client.manifest(repository, referrer);
    const [layer] = manifest.layers;
    if (manifest.artifactType !== NOTATION_TYPE || !layer) continue;
    if (layer.mediaType !== JWS) found.push({ ...NOTHING, unread: `its envelope is ${layer.mediaType}` });
    else found.push(readJws(await client.blob(repository, layer)));
  }
  return found;
}

const NOTHING = { chain: [], signed: Buffer.alloc(0), signature: Buffer.alloc(0), algorithm: "", target: "" };

interface Envelope {
  readonly payload: string;
  readonly protected: string;
  readonly header: { readonly x5c: readonly string[] };
  readonly signature: string;
}

/** https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-jws.md */
function readJws(content: Buffer): NotationSignature {
  try {
    const envelope = JSON.parse(content.toString("utf8")) as Envelope;
    const decoded = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    const header = decoded(envelope.protected) as Record<string, unknown>;
    const { targetArtifact } = decoded(envelope.payload) as { targetArtifact: { digest: string } };
    const expiry = header["io.cncf.notary.expiry"];
    return {
      chain: envelope.header.x5c.map((der) => certificateOf(Buffer.from(der, "base64"))),
      signed: Buffer.from(`${envelope.protected}.${envelope.payload}`),
      signature: Buffer.from(envelope.signature, "base64url"),
      algorithm: String(header.alg),
      target: targetArtifact.digest,
      ...(typeof expiry === "string" ? { expiry: new Date(expiry) } : {}),
      ...(header["io.cncf.notary.signingScheme"] === "notary.x509"
        ? {}
        : { unread: `it is of the scheme ${String(header["io.cncf.notary.signingScheme"])}` }),
    };
  } catch (error) {
    throw new SignatureFault("malformedSignature", `a signature can't be read: ${(error as Error).message}`);
  }
}

/** The faults of all signatures for one signer; none when one of them counts. */
export function notationFaults(
  { certificate, chain }: CertificateSigner,
  signatures: readonly NotationSignature[],
  imageDigest: string,
  { materials }: Resolved,
): SignatureFault[] {
  const trusted = certificatesOf(pemOf(materials.pem, (certificate ?? chain)!));
  const faults: SignatureFault[] = [];
  for (const signature of signatures) {
    try {
      verifyNotation(signature, trusted, imageDigest, new Date());
      return [];
    } catch (error) {
      if (!(error instanceof SignatureFault)) throw error;
      faults.push(error);
    }
  }
  return faults;
}

/** As notation-go does at its strict level, for certificates that name no list of revoked ones. */
function verifyNotation(
  { chain, signed, signature, algorithm, target, expiry, unread }: NotationSignature,
  trusted: readonly Certificate[],
  imageDigest: string,
  now: Date,
): void {
  if (unread) throw new SignatureFault("malformedSignature", `only the cluster can read it: ${unread}`, true);
  const [leaf] = chain;
  if (!leaf) throw new SignatureFault("noCertificate", "the signature has no certificate");
  if (!signatureHolds(algorithm, signed, signature, leaf.node.publicKey))
    throw new SignatureFault("tampered", "the certificate's key did not sign this content");
  if (!leadsUp(chain) || !chain.some((one) => trusted.some((other) => other.node.raw.equals(one.node.raw))))
    throw new SignatureFault("wrongCA", "the certificate does not lead to a trusted one");
  if (target !== imageDigest)
    throw new SignatureFault("wrongDigest", `the signature is for ${target || "no image"}, not for this image`);
  if (expiry && expiry < now) throw new SignatureFault("expired", `the signature ended ${expiry.toISOString()}`);
  const over = chain.find(({ sigstore }) => !sigstore.validForDate(now));
  if (over)
    throw new SignatureFault(
      "expired",
      `a certificate is valid from ${over.sigstore.notBefore.toISOString()} to ${over.sigstore.notAfter.toISOString()}`,
    );
}

/** Each certificate is issued by the next, the last by itself. */
function leadsUp(chain: readonly Certificate[]): boolean {
  return chain.every(({ node }, index) => {
    const issuer = (chain[index + 1] ?? chain[index]!).node;
    return node.checkIssued(issuer) && node.verify(issuer.publicKey);
  });
}

function signatureHolds(algorithm: string, signed: Buffer, signature: Buffer, key: KeyObject): boolean {
  const [, family, bits] = /^(PS|ES)(256|384|512)$/.exec(algorithm) ?? [];
  if (!family) return false;
  const hash = `sha${bits}`;
  if (family === "ES") return verify(hash, signed, { key, dsaEncoding: "ieee-p1363" }, signature);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return verify(hash, signed, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature);
}
