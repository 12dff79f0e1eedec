import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const ecdsa = { name: "ECDSA", namedCurve: "P-256" } as const;
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" } as const;

export interface KeyPair {
  keys: CryptoKeyPair;
  /** PKCS #8 */
  privateKeyPem: string;
  /** SubjectPublicKeyInfo */
  publicKeyPem: string;
}

export interface Certificate extends KeyPair {
  certificate: x509.X509Certificate;
  pem: string;
}

export interface Request {
  subject: string;
  /** Subject alternative names; they are critical when there is no subject. */
  names?: x509.JsonGeneralNames;
  /** Extended key usages, as OIDs or the names of this library. */
  usages?: string[];
  notBefore?: Date;
  notAfter?: Date;
  /** Hexadecimal; random when left out. */
  serialNumber?: string;
  extensions?: x509.Extension[];
}

const hour = 3_600_000;

/** Ends with a newline, so that PEMs can be joined. */
const pemOf = (certificate: x509.X509Certificate) => `${certificate.toString("pem").trimEnd()}\n`;
const pemBlock = (der: ArrayBuffer, label: string) => `${x509.PemConverter.encode(der, label).trimEnd()}\n`;

export async function createKeyPair(): Promise<KeyPair> {
  const keys = (await webcrypto.subtle.generateKey(ecdsa, true, ["sign", "verify"])) as unknown as CryptoKeyPair;
  const [pkcs8, spki] = await Promise.all([
    webcrypto.subtle.exportKey("pkcs8", keys.privateKey as unknown as webcrypto.CryptoKey),
    webcrypto.subtle.exportKey("spki", keys.publicKey as unknown as webcrypto.CryptoKey),
  ]);
  return {
    keys,
    privateKeyPem: pemBlock(pkcs8, "PRIVATE KEY"),
    publicKeyPem: pemBlock(spki, "PUBLIC KEY"),
  };
}

/** Of a key whose private part somebody else has. */
export async function keyPairOf(publicKeyPem: string): Promise<KeyPair> {
  const der = x509.PemConverter.decodeFirst(publicKeyPem);
  const publicKey = await webcrypto.subtle.importKey("spki", der, ecdsa, true, ["verify"]);
  return { keys: { publicKey } as unknown as CryptoKeyPair, privateKeyPem: "", publicKeyPem };
}

/** A CA: self-signed without issuer, else an intermediate. */
export async function createAuthority(subject: string, issuer?: Certificate, days = 365): Promise<Certificate> {
  const pair = await createKeyPair();
  const common = {
    subject,
    serialNumber: newSerial(),
    notBefore: new Date(Date.now() - 24 * hour),
    notAfter: new Date(Date.now() + days * 24 * hour),
    publicKey: pair.keys.publicKey,
    signingAlgorithm,
  };
  const extensions = [
    new x509.BasicConstraintsExtension(true, issuer === undefined ? 1 : 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(pair.keys.publicKey),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    ...common,
    issuer: issuer?.certificate.subject ?? subject,
    signingKey: (issuer ?? pair).keys.privateKey,
    extensions: issuer ? [...extensions, await authorityKey(issuer)] : extensions,
  });
  return { ...pair, certificate, pem: pemOf(certificate) };
}

/** An end certificate with a fresh key. */
export async function issue(issuer: Certificate, request: Request, pair?: KeyPair): Promise<Certificate> {
  const own = pair ?? (await createKeyPair());
  const certificate = await x509.X509CertificateGenerator.create({
    subject: request.subject,
    issuer: issuer.certificate.subject,
    serialNumber: request.serialNumber ?? newSerial(),
    notBefore: request.notBefore ?? new Date(Date.now() - hour),
    notAfter: request.notAfter ?? new Date(Date.now() + 90 * 24 * hour),
    publicKey: own.keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(request.usages ?? [x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(own.keys.publicKey),
      await authorityKey(issuer),
      ...(request.names ? [new x509.SubjectAlternativeNameExtension(request.names, request.subject === "")] : []),
      ...(request.extensions ?? []),
    ],
  });
  return { ...own, certificate, pem: pemOf(certificate) };
}

/** A certificate that an API server takes as this user. */
export const issueClient = (issuer: Certificate, name: string, groups: readonly string[]): Promise<Certificate> =>
  issue(issuer, {
    subject: new x509.Name([{ CN: [name] }, ...groups.map((group) => ({ O: [group] }))]).toString(),
    usages: [x509.ExtendedKeyUsage.clientAuth],
  });

const authorityKey = (issuer: Certificate) => x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey);

/** Positive and never empty, as RFC 5280 asks. */
export function newSerial(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(12)));
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x01;
  return bytes.toString("hex");
}
