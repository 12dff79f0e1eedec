import * as crypto from "node:crypto";
import * as x509 from "@peculiar/x509";
import { type Certificate, issue, type KeyPair, newSerial, type Request } from "./certificates";

/**
 * Issues a certificate with the receipt of a certificate log in it (RFC 6962), as Fulcio does: the log signs the
 * certificate without that extension, then the same certificate is made with it.
 */
export async function issueLogged(
  issuer: Certificate,
  request: Request,
  pair: KeyPair,
  log: KeyPair,
): Promise<Certificate> {
  const exact = {
    ...request,
    serialNumber: newSerial(),
    notBefore: request.notBefore ?? new Date(),
    notAfter: request.notAfter ?? new Date(Date.now() + 600_000),
  };
  const bare = await issue(issuer, exact, pair);
  const tbs = firstElement(Buffer.from(bare.certificate.rawData));
  const receipts = new x509.Extension(sctListOid, false, octetString(sctList(tbs, issuer, log, exact.notBefore)));
  return issue(issuer, { ...exact, extensions: [...(request.extensions ?? []), receipts] }, pair);
}

const sctListOid = "1.3.6.1.4.1.11129.2.4.2";

function sctList(tbs: Buffer, issuer: Certificate, log: KeyPair, time: Date): Buffer {
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(time.getTime()));
  const version = Buffer.from([0]);
  const noExtensions = Buffer.from([0, 0]);
  const certificateTimestamp = Buffer.from([0]);
  const precertEntry = Buffer.from([0, 1]);
  const signed = Buffer.concat([
    version,
    certificateTimestamp,
    timestamp,
    precertEntry,
    keyHash(issuer.publicKeyPem),
    sized(tbs, 3),
    noExtensions,
  ]);
  const signature = crypto.sign("sha256", signed, { key: log.privateKeyPem, dsaEncoding: "der" });
  const sha256WithEcdsa = Buffer.from([4, 3]);
  const sct = Buffer.concat([
    version,
    keyHash(log.publicKeyPem),
    timestamp,
    noExtensions,
    sha256WithEcdsa,
    sized(signature, 2),
  ]);
  return sized(sized(sct, 2), 2);
}

const keyHash = (publicKeyPem: string) =>
  crypto
    .createHash("sha256")
    .update(crypto.createPublicKey(publicKeyPem).export({ type: "spki", format: "der" }))
    .digest();

/** TLS's vector: its length in so many bytes, then the content. */
function sized(content: Buffer, width: number): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(content.length, 0, width);
  return Buffer.concat([length, content]);
}

/** The first element of a DER sequence, with its header: of a certificate that is what gets signed. */
function firstElement(sequence: Buffer): Buffer {
  const content = sequence.subarray(header(sequence).size);
  const { size, length } = header(content);
  return content.subarray(0, size + length);
}

function header(der: Buffer): { size: number; length: number } {
  const first = der[1] as number;
  if (first < 0x80) return { size: 2, length: first };
  const width = first & 0x7f;
  return { size: 2 + width, length: der.readUIntBE(2, width) };
}

export const derElement = (tag: number, content: Buffer): Buffer<ArrayBuffer> => {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]) as Buffer<ArrayBuffer>;
};

const octetString = (content: Buffer) => derElement(0x04, content);
