import { createHash, type KeyObject, verify } from "node:crypto";
import { dsse } from "@sigstore/core";
import type { Certificate } from "./certificates";
import type { SignatureLayer } from "./layers";
import {
  type Anchor,
  expiredFault,
  needLogKey,
  needValidToday,
  promiseHolds,
  SignatureFault,
  trustedKey,
} from "./verifySignature";

export const INTOTO = "application/vnd.in-toto+json";

/** An in-toto statement out of its signed envelope. */
export interface Statement {
  readonly predicateType: string;
  readonly digests: readonly string[];
}

interface Envelope {
  payloadType?: string;
  payload?: string;
  signatures?: { sig?: string }[];
}

/** Verifies one attestation as Kyverno does and returns what it states; throws {@link SignatureFault}. */
export function verifyStatement(
  layer: SignatureLayer,
  imageDigest: string,
  anchor: Anchor,
  intermediates: readonly Certificate[],
): Statement {
  if (layer.malformed) throw new SignatureFault("malformedSignature", layer.malformed);
  const key = anchor.key ?? trustedKey(layer, anchor, intermediates);
  const envelope = parseEnvelope(layer.payload);
  if (!envelopeHolds(envelope, key, anchor)) {
    throw new SignatureFault(anchor.key ? "wrongKey" : "tampered", "the statement is not signed with this key");
  }
  const statement = parseStatement(Buffer.from(envelope.payload!, "base64"));
  if (!statement.digests.includes(imageDigest)) {
    throw new SignatureFault("wrongDigest", "the statement is about another image");
  }
  verifyLogEntry(layer, anchor);
  return statement;
}

function parseEnvelope(payload: Buffer): Envelope {
  try {
    const envelope = JSON.parse(payload.toString("utf8")) as Envelope;
    if (envelope.payloadType === INTOTO && typeof envelope.payload === "string") return envelope;
  } catch {
    // Told below.
  }
  throw new SignatureFault("malformedSignature", "no in-toto statement in a signed envelope");
}

function envelopeHolds({ payload, signatures = [] }: Envelope, key: KeyObject, anchor: Anchor): boolean {
  const content = Buffer.from(payload!, "base64");
  const hash = anchor.key ? anchor.hash : "sha256";
  return signatures.some(({ sig = "" }) => dsseHolds(INTOTO, content, Buffer.from(sig, "base64"), key, hash));
}

/** Whether a key signed this content of an envelope. */
export function dsseHolds(type: string, content: Buffer, signature: Buffer, key: KeyObject, hash: string): boolean {
  const algorithm = key.asymmetricKeyType === "ed25519" ? null : hash;
  return verify(algorithm, dsse.preAuthEncoding(type, content), key, signature);
}

export function parseStatement(content: Buffer): Statement {
  try {
    const { predicateType, subject = [] } = JSON.parse(content.toString("utf8")) as {
      predicateType?: string;
      subject?: { digest?: { sha256?: string } }[];
    };
    return {
      predicateType: predicateType ?? "",
      digests: subject.flatMap(({ digest }) => (digest?.sha256 ? [`sha256:${digest.sha256}`] : [])),
    };
  } catch {
    throw new SignatureFault("malformedSignature", "the statement is not JSON");
  }
}

/**
 * The log keeps the hash of the whole envelope, in an entry of the kind `intoto` or, as cosign 2 and 3 write by default,
 * `dsse`, which Kyverno 1.10 can't read.
 */
function verifyLogEntry(layer: SignatureLayer, anchor: Anchor): void {
  if (anchor.entries === "ignored") {
    needValidToday(layer);
    return;
  }
  const { bundle, certificate } = layer;
  if (!bundle) {
    if (anchor.entries === "read") return;
    throw new SignatureFault("noLogEntry", "no entry of the transparency log comes with the statement", true);
  }
  needLogKey(anchor);
  const broken = (why: string) =>
    new SignatureFault("untrustedLog", `the log entry does not hold: ${why}`, anchor.entries === "demanded");
  if (!promiseHolds(bundle, anchor)) throw broken("it is not by the trusted log");
  const time = new Date(bundle.integratedTime * 1000);
  if (certificate && !certificate.sigstore.validForDate(time)) throw expiredFault(layer, bundle);
  let entry: {
    kind?: string;
    spec?: { content?: { hash?: { value?: string } }; envelopeHash?: { value?: string } };
  };
  try {
    entry = JSON.parse(Buffer.from(bundle.body, "base64").toString("utf8"));
  } catch {
    throw broken("it is not JSON");
  }
  const isDsse = entry.kind === "dsse" && anchor.readsDsseEntries;
  if (entry.kind !== "intoto" && !isDsse) {
    throw broken(`it is of the kind ${entry.kind}; attest with --rekor-entry-type=intoto`);
  }
  const hash = isDsse ? entry.spec?.envelopeHash?.value : entry.spec?.content?.hash?.value;
  if (hash !== createHash("sha256").update(layer.payload).digest("hex")) {
    throw broken("it is about another statement");
  }
}
