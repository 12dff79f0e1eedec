import { constants, type KeyObject, verify } from "node:crypto";
import { decode, encode, Tag } from "cbor2";
import { pemOf } from "../../components/posture/pem";
import type { CertificateSigner, Resolved } from "../../components/posture/types";
import type { RegistryClient } from "../images/registry";
import { type Certificate, certificateOf, certificatesOf } from "./certificates";
import { faultsUnlessOneCounts, SignatureFault } from "./verifySignature";

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
}

export const NOTATION_TYPE = "application/vnd.cncf.notary.signature";
/** So many Kyverno looks at. */
const MOST_SIGNATURES = 10;

/** In the registry's order; a fault where one can't be read, which says nothing against the others. */
export async function notationSignatures(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<(NotationSignature | SignatureFault)[]> {
  const referrers = await client.referrers(repository, digest);
  const found: (NotationSignature | SignatureFault)[] = [];
  for (const { artifactType, digest: referrer } of referrers) {
    if (found.length === MOST_SIGNATURES) break;
    if (artifactType !== undefined && artifactType !== "" && artifactType !== NOTATION_TYPE) continue;
    const manifest = await client.manifest(repository, referrer);
    const [layer] = manifest.layers;
    if (manifest.artifactType !== NOTATION_TYPE || !layer) continue;
    const read = layer.mediaType === undefined ? undefined : ENVELOPES[layer.mediaType];
    if (read) found.push(readEnvelope(read, await client.blob(repository, layer)));
    else found.push(new SignatureFault("malformedSignature", `the envelope of ${referrer} is of no known kind`));
  }
  return found;
}

/** What both kinds of envelope hold. */
interface Envelope {
  readonly header: Readonly<Record<string, unknown>>;
  readonly critical: readonly unknown[];
  readonly contentType: unknown;
  readonly payload: Buffer;
  readonly chain: readonly Uint8Array[];
  readonly signed: Buffer;
  readonly signature: Buffer;
  readonly algorithm: string;
}

/** By media type. To read another kind, add a line. */
const ENVELOPES: Readonly<Record<string, (content: Buffer) => Envelope>> = {
  "application/jose+json": readJws,
  "application/cose": readCose,
};

const PREFIX = "io.cncf.notary.";
/** What a reader must understand of a signature; Kyverno has no plugin that would understand more. */
const UNDERSTOOD: readonly unknown[] = ["signingScheme", "expiry"].map((name) => `${PREFIX}${name}`);
const PAYLOAD = "application/vnd.cncf.notary.payload.v1+json";

function readEnvelope(read: (content: Buffer) => Envelope, content: Buffer): NotationSignature | SignatureFault {
  try {
    const { header, critical, contentType, payload, chain, signed, signature, algorithm } = read(content);
    const scheme = header[`${PREFIX}signingScheme`];
    if (scheme !== "notary.x509") throw new Error(`it is of the scheme ${String(scheme)}`);
    const beyond = critical.find((name) => !UNDERSTOOD.includes(name));
    if (beyond !== undefined || `${PREFIX}verificationPlugin` in header)
      throw new Error(`Kyverno has no plugin for ${String(beyond ?? header[`${PREFIX}verificationPlugin`])}`);
    if (contentType !== PAYLOAD) throw new Error(`its content is ${String(contentType)}`);
    const { targetArtifact } = JSON.parse(payload.toString("utf8")) as { targetArtifact: { digest: string } };
    const end = header[`${PREFIX}expiry`];
    const expiry = end === undefined || end instanceof Date ? end : new Date(String(end));
    if (expiry && Number.isNaN(expiry.getTime())) throw new Error("it says no time at which it ends");
    return {
      chain: chain.map((der) => certificateOf(Buffer.from(der))),
      signed,
      signature,
      algorithm,
      target: targetArtifact.digest,
      ...(expiry ? { expiry } : {}),
    };
  } catch (error) {
    return new SignatureFault("malformedSignature", `a signature can't be read: ${(error as Error).message}`);
  }
}

/** https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-jws.md */
function readJws(content: Buffer): Envelope {
  const envelope = JSON.parse(content.toString("utf8")) as {
    readonly payload: string;
    readonly protected: string;
    readonly header: { readonly x5c: readonly string[] };
    readonly signature: string;
  };
  const header = JSON.parse(Buffer.from(envelope.protected, "base64url").toString("utf8")) as Record<string, unknown>;
  return {
    header,
    critical: header.crit as unknown[],
    contentType: header.cty,
    payload: Buffer.from(envelope.payload, "base64url"),
    chain: envelope.header.x5c.map((der) => Buffer.from(der, "base64")),
    signed: Buffer.from(`${envelope.protected}.${envelope.payload}`),
    signature: Buffer.from(envelope.signature, "base64url"),
    algorithm: String(header.alg),
  };
}

/** Of a COSE header: https://www.iana.org/assignments/cose/cose.xhtml#header-parameters */
const COSE = { tag: 18, algorithm: 1, critical: 2, contentType: 3, chain: 33 } as const;
const COSE_ALGORITHMS: ReadonlyMap<unknown, string> = new Map([
  [-7, "ES256"],
  [-35, "ES384"],
  [-36, "ES512"],
  [-37, "PS256"],
  [-38, "PS384"],
  [-39, "PS512"],
]);

/** A tag of the signer's choice could take hours: a large number does. Times are the only one that is wanted. */
const READING = { rejectDuplicateKeys: true, preferMap: true, ignoreGlobalTags: true, maxDepth: 16 };
const TIME = 1;

/** https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-cose.md */
function readCose(content: Buffer): Envelope {
  // Parts of a Buffer would be Buffers, which the library writes as objects.
  const { tag, contents } = decode<Tag>(new Uint8Array(content), READING);
  if (tag !== COSE.tag) throw new Error("it is no COSE_Sign1");
  const [head, unprotected, payload, signature] = contents as [
    Uint8Array,
    Map<unknown, unknown>,
    Uint8Array,
    Uint8Array,
  ];
  const header = decode<Map<unknown, unknown>>(head, READING);
  return {
    header: Object.fromEntries(
      [...header].map(([name, value]) => [
        String(name),
        value instanceof Tag && value.tag === TIME ? new Date(Number(value.contents) * 1000) : value,
      ]),
    ),
    critical: header.get(COSE.critical) as unknown[],
    contentType: header.get(COSE.contentType),
    payload: Buffer.from(payload),
    chain: unprotected.get(COSE.chain) as Uint8Array[],
    signed: Buffer.from(encode(["Signature1", head, new Uint8Array(), payload])),
    signature: Buffer.from(signature),
    algorithm: COSE_ALGORITHMS.get(header.get(COSE.algorithm)) ?? "",
  };
}

/** The faults of all signatures for one signer; none when one of them counts. */
export function notationFaults(
  { certificate, chain }: CertificateSigner,
  signatures: readonly (NotationSignature | SignatureFault)[],
  imageDigest: string,
  { materials }: Resolved,
): SignatureFault[] {
  const trusted = certificatesOf(pemOf(materials.pem, (certificate ?? chain)!));
  return faultsUnlessOneCounts(signatures, (signature) => {
    if (signature instanceof SignatureFault) throw signature;
    verifyNotation(signature, trusted, imageDigest, new Date());
  });
}

/** As notation-go does at its strict level, for certificates that name no list of revoked ones. */
function verifyNotation(
  { chain, signed, signature, algorithm, target, expiry }: NotationSignature,
  trusted: readonly Certificate[],
  imageDigest: string,
  now: Date,
): void {
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
