import { createHash, type KeyObject, verify } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { crypto, json } from "@sigstore/core";
import { type TrustMaterial, toSignedEntity, VerificationError, Verifier } from "@sigstore/verify";
import { globMatches } from "../../components/globs";
import type { KeylessSigner } from "../../components/posture/types";
import { type Certificate, type Identity, receiptsOf, trustedPath } from "./certificates";
import { type LogBundle, type SignatureLayer, signedDigest } from "./layers";

/** Why one signature does not count, ordered by how far it got. */
export const FAULTS = [
  "malformedSignature",
  "wrongKey",
  "noCertificate",
  "wrongCA",
  "untrustedCertificateLog",
  "tampered",
  "wrongDigest",
  "noLogEntry",
  "untrustedLog",
  "expired",
  "wrongSigner",
] as const;
export type Fault = (typeof FAULTS)[number];

export class SignatureFault extends Error {
  constructor(
    readonly fault: Fault,
    message: string,
    /** Kyverno would now search the log online, and may find what the signature lacks. */
    readonly asksLog = false,
  ) {
    super(message);
  }
}

/** Signatures are made by others, and the parsers of certificates throw errors of many kinds at what is not one. */
export function asFault(error: unknown): SignatureFault {
  if (error instanceof SignatureFault) return error;
  return new SignatureFault("malformedSignature", error instanceof Error ? error.message : String(error));
}

/** Why none of an image's signatures counts for a signer; nothing where one of them does. */
export function faultsUnlessOneCounts<Stored>(
  signatures: readonly Stored[],
  verify: (one: Stored) => void,
): SignatureFault[] {
  const faults: SignatureFault[] = [];
  for (const one of signatures) {
    try {
      verify(one);
      return [];
    } catch (error) {
      faults.push(asFault(error));
    }
  }
  return faults;
}

/** What one signer of the posture believes: a key, or every certificate under some roots. */
export interface Anchor {
  readonly key?: KeyObject;
  readonly hash: "sha256" | "sha512";
  readonly roots: readonly Certificate[];
  /** Keys of the logs that Kyverno has as files. */
  readonly rekorKey?: string;
  readonly ctLogKey?: string;
  /** Entries of the transparency log: of each signature, of those that bring one along, or of none. */
  readonly entries: Attention;
  /** The same for receipts of the certificate log. */
  readonly receipts: Attention;
  /** Whether a statement's entry in the log may be of the kind `dsse`. */
  readonly readsDsseEntries: boolean;
}

export type Attention = "demanded" | "read" | "ignored";

/** Whether an identity is the signer's; throws {@link SignatureFault}. */
export function matchIdentity(signer: KeylessSigner, has: Identity | undefined): void {
  const { subject, issuer, claims } = has ?? { subject: "", issuer: "", claims: {} as Record<string, string> };
  const pairs: [string, string, string][] = [
    ["subject", signer.subject, subject],
    ["issuer", signer.issuer, issuer],
    ...Object.entries(signer.claims).map(([name, wanted]): [string, string, string] => [
      name,
      wanted,
      claims[name] ?? "",
    ]),
  ];
  for (const [name, wanted, found] of pairs) {
    if (globMatches(wanted, found)) continue;
    const caseOnly = wanted.toLowerCase() === found.toLowerCase() ? " (only upper and lower case differ)" : "";
    throw new SignatureFault("wrongSigner", `${name} is "${found}", expected "${wanted}"${caseOnly}`);
  }
}

/** Verifies one signature as Kyverno does, in the order of 1.10; throws {@link SignatureFault}. */
export function verifySignature(
  layer: SignatureLayer,
  imageDigest: string,
  anchor: Anchor,
  intermediates: readonly Certificate[],
): void {
  if (layer.malformed) throw new SignatureFault("malformedSignature", layer.malformed);
  const key = anchor.key ?? trustedKey(layer, anchor, intermediates);
  if (!signatureHolds(layer, key, anchor)) {
    throw anchor.key
      ? new SignatureFault("wrongKey", "not signed with this key")
      : new SignatureFault("tampered", "the certificate's key did not sign this content");
  }
  const claimed = signedDigest(layer.payload);
  if (claimed !== imageDigest) {
    throw new SignatureFault("wrongDigest", `the signature is for ${claimed || "no image"}, not for this image`);
  }
  verifyLogEntry(layer, key, anchor);
}

/** The key of a certificate that leads to the anchor's roots and whose receipts hold. */
export function trustedKey(layer: SignatureLayer, anchor: Anchor, intermediates: readonly Certificate[]): KeyObject {
  const { certificate } = layer;
  if (!certificate) throw new SignatureFault("noCertificate", "signed with a key, not with a certificate");
  const path = trustedPath(certificate, anchor.roots, intermediates);
  if (!path) throw new SignatureFault("wrongCA", "the certificate does not lead to a trusted authority");
  if (anchor.receipts === "ignored") return certificate.node.publicKey;
  const receipts = receiptsOf(path, anchor.ctLogKey);
  if (receipts === "none" && anchor.receipts === "demanded") {
    throw new SignatureFault("untrustedCertificateLog", "the certificate has no receipt of a certificate log");
  }
  if (receipts === "invalid") {
    throw new SignatureFault(
      "untrustedCertificateLog",
      anchor.ctLogKey
        ? "the certificate's log receipt is not by the trusted certificate log"
        : "the certificate carries a log receipt, and trust.ctLogPublicKey is not set",
    );
  }
  return certificate.node.publicKey;
}

const HINT = "signer";

function signatureHolds(layer: SignatureLayer, key: KeyObject, anchor: Anchor): boolean {
  if (key.asymmetricKeyType === "ed25519") {
    return verify(null, layer.payload, key, Buffer.from(layer.signature, "base64"));
  }
  try {
    verifyWith(layer, key, anchor, []);
    return true;
  } catch (error) {
    if (error instanceof VerificationError) return false;
    throw new SignatureFault("malformedSignature", (error as Error).message);
  }
}

/** Sigstore's verifier over cosign's annotations; paths of certificates were already found as Go finds them. */
function verifyWith(layer: SignatureLayer, key: KeyObject, anchor: Anchor, entries: readonly LogBundle[]): void {
  const { certificate } = layer;
  const material: TrustMaterial = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    ctlogs: [],
    tlogs: anchor.rekorKey ? [logAuthority(anchor.rekorKey)] : [],
    publicKey: () => ({
      publicKey: key,
      validFor: (date) => !certificate || certificate.sigstore.validForDate(date),
    }),
  };
  const bundle = bundleFromJSON({
    mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1",
    verificationMaterial: {
      publicKey: { hint: HINT },
      tlogEntries: entries.map(logEntry),
      timestampVerificationData: undefined,
      x509CertificateChain: undefined,
      certificate: undefined,
    },
    messageSignature: {
      messageDigest: {
        algorithm: anchor.key && anchor.hash === "sha512" ? "SHA2_512" : "SHA2_256",
        // What the log keeps is always SHA-256, whatever the signature uses.
        digest: createHash("sha256").update(layer.payload).digest("base64"),
      },
      signature: layer.signature,
    },
    dsseEnvelope: undefined,
  });
  const verifier = new Verifier(material, { tlogThreshold: entries.length, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundle, layer.payload));
}

/** A log by its key alone: it counts at any time. */
export function logAuthority(pem: string): TrustMaterial["tlogs"][number] {
  const publicKey = crypto.createPublicKey(pem);
  return {
    publicKey,
    logID: crypto.digest("sha256", publicKey.export({ type: "spki", format: "der" })),
    baseURL: "",
    validFor: { start: new Date(0), end: new Date(8640000000000000) },
  };
}

function logEntry(bundle: LogBundle) {
  const { kind, apiVersion } = entryKind(bundle);
  return {
    logIndex: String(bundle.logIndex),
    logId: { keyId: Buffer.from(bundle.logId, "hex").toString("base64") },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(bundle.integratedTime),
    inclusionPromise: { signedEntryTimestamp: bundle.signedEntryTimestamp },
    inclusionProof: undefined,
    canonicalizedBody: bundle.body,
  };
}

function entryKind({ body }: LogBundle): { kind: string; apiVersion: string; spec?: unknown } {
  return JSON.parse(Buffer.from(body, "base64").toString("utf8")) as { kind: string; apiVersion: string };
}

function verifyLogEntry(layer: SignatureLayer, key: KeyObject, anchor: Anchor): void {
  if (anchor.entries === "ignored") {
    needValidToday(layer);
    return;
  }
  const { bundle } = layer;
  if (!bundle) {
    if (anchor.entries === "read") return;
    throw new SignatureFault("noLogEntry", "no entry of the transparency log comes with the signature", true);
  }
  needLogKey(anchor);
  try {
    verifyWith(layer, key, anchor, [bundle]);
  } catch (error) {
    throw logFault(error, layer, bundle, anchor);
  }
}

/** Where no log tells the time of a signature, today's counts. */
export function needValidToday({ certificate }: SignatureLayer): void {
  if (!certificate || certificate.sigstore.validForDate(new Date())) return;
  const { notBefore, notAfter } = certificate.sigstore;
  throw new SignatureFault(
    "expired",
    `no log proves when it was made, and the certificate is valid from ${iso(notBefore)} to ${iso(notAfter)}`,
  );
}

/** Without a key Kyverno 1.10 goes to its own root of trust, which it can't load. */
export function needLogKey(anchor: Anchor): void {
  if (anchor.rekorKey) return;
  throw new SignatureFault("untrustedLog", "the signature comes with a log entry, and trust.rekor is not set");
}

function logFault(error: unknown, layer: SignatureLayer, bundle: LogBundle, anchor: Anchor): SignatureFault {
  if (error instanceof VerificationError && error.code === "PUBLIC_KEY_ERROR" && promiseHolds(bundle, anchor)) {
    return expiredFault(layer, bundle);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new SignatureFault("untrustedLog", `the log entry does not hold: ${reason}`, anchor.entries === "demanded");
}

export function expiredFault({ certificate }: SignatureLayer, bundle: LogBundle): SignatureFault {
  const { notBefore, notAfter } = certificate!.sigstore;
  return new SignatureFault(
    "expired",
    `logged ${iso(new Date(bundle.integratedTime * 1000))}, but the certificate was valid from ${iso(notBefore)} to ${iso(notAfter)}`,
  );
}

const iso = (date: Date) => date.toISOString().replace(".000Z", "Z");

/** Whether the trusted log made this promise. */
export function promiseHolds(bundle: LogBundle, { rekorKey }: Anchor): boolean {
  if (!rekorKey) return false;
  const { publicKey, logID } = logAuthority(rekorKey);
  const { body, integratedTime, logIndex, logId } = bundle;
  const signed = json.canonicalize({ body, integratedTime, logIndex, logID: logId });
  return (
    logID.toString("hex") === logId &&
    crypto.verify(Buffer.from(signed), publicKey, Buffer.from(bundle.signedEntryTimestamp, "base64"), "sha256")
  );
}
