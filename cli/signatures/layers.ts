import type { Descriptor } from "../images/manifest";
import { type Certificate, certificatesOf, type Identity, identityOf } from "./certificates";

/** One signature or statement in cosign's tag format, taken apart. Nothing of it is verified yet. */
export interface SignatureLayer {
  readonly payload: Buffer;
  /** Base64; empty for a statement, which carries its signature inside. */
  readonly signature: string;
  readonly certificate?: Certificate;
  readonly identity?: Identity;
  readonly chain: Certificate[];
  readonly bundle?: LogBundle;
  /** What can't be read, for a person. */
  readonly malformed?: string;
}

/** The promise of a Rekor log, as cosign stores it. */
export interface LogBundle {
  readonly signedEntryTimestamp: string;
  readonly body: string;
  readonly integratedTime: number;
  readonly logIndex: number;
  readonly logId: string;
}

const SIGNATURE = "dev.cosignproject.cosign/signature";
const CERTIFICATE = "dev.sigstore.cosign/certificate";
const CHAIN = "dev.sigstore.cosign/chain";
const BUNDLE = "dev.sigstore.cosign/bundle";

export function readLayer({ annotations = {} }: Descriptor, payload: Buffer): SignatureLayer {
  const layer = { payload, signature: annotations[SIGNATURE] ?? "", chain: [] };
  if (annotations[SIGNATURE] === undefined) return { ...layer, malformed: "the signature is missing" };
  try {
    const certificate = certificatesOf(annotations[CERTIFICATE] ?? "")[0];
    if (annotations[CERTIFICATE] && !certificate) return { ...layer, malformed: "the certificate is not PEM" };
    return {
      ...layer,
      ...(certificate ? { certificate, identity: identityOf(certificate) } : {}),
      chain: certificatesOf(annotations[CHAIN] ?? ""),
      ...(annotations[BUNDLE] ? { bundle: readBundle(annotations[BUNDLE]) } : {}),
    };
  } catch (error) {
    return { ...layer, malformed: (error as Error).message };
  }
}

function readBundle(text: string): LogBundle {
  const { SignedEntryTimestamp, Payload } = JSON.parse(text) as {
    SignedEntryTimestamp: string;
    Payload: { body: string; integratedTime: number; logIndex: number; logID: string };
  };
  const fields = [SignedEntryTimestamp, Payload?.body, Payload?.logID];
  if (!fields.every((field) => typeof field === "string") || !Number.isSafeInteger(Payload.integratedTime)) {
    throw new Error("the log's bundle is incomplete");
  }
  return {
    signedEntryTimestamp: SignedEntryTimestamp,
    body: Payload.body,
    integratedTime: Payload.integratedTime,
    logIndex: Payload.logIndex,
    logId: Payload.logID,
  };
}

/** The digest that a simple-signing payload is about. */
export function signedDigest(payload: Buffer): string {
  try {
    const { critical } = JSON.parse(payload.toString("utf8")) as {
      critical?: { image?: { "docker-manifest-digest"?: string } };
    };
    return critical?.image?.["docker-manifest-digest"] ?? "";
  } catch {
    return "";
  }
}
