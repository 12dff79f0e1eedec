import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { ProblemList } from "../problems";

/**
 * What Pulumi hands us for a value that only `up` will know. Such a value can't be parsed yet; it is taken as given so
 * that a preview can still show which policies will exist.
 */
export const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Collects PEM texts under the fingerprint by which the posture names them. */
export class PemStore {
  readonly byFingerprint: Record<string, string> = {};

  constructor(private readonly problems: ProblemList) {}

  /** A public key's fingerprint: SHA-256 over its DER form. */
  publicKey(key: string, pem: string): string {
    return this.keep(key, pem, "one public key in PEM (-----BEGIN PUBLIC KEY-----)", () => {
      // One block: Kyverno takes each further one for another signer, which the posture would not show.
      if (pem.match(/-----BEGIN /g)?.length !== 1 || !pem.includes("-----BEGIN PUBLIC KEY-----"))
        throw new Error("not one public key");
      return createPublicKey(pem);
    });
  }

  /** The certificates of a PEM text, in their order. */
  certificates(key: string, pem: string): X509Certificate[] {
    if (pem === UNKNOWN_VALUE) return [];
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    try {
      if (blocks.length === 0 || /PRIVATE KEY/.test(pem)) throw new Error("no certificate");
      return blocks.map((block) => new X509Certificate(block));
    } catch {
      this.problems.add(
        key,
        pem,
        "certificates in PEM (-----BEGIN CERTIFICATE-----)",
        `put the PEM text of the certificates at ${key}`,
      );
      return [];
    }
  }

  /** A fingerprint for each certificate of a PEM text. */
  each(key: string, pem: string): string[] {
    if (pem === UNKNOWN_VALUE) return [UNKNOWN_VALUE];
    return this.certificates(key, pem).map((certificate) => {
      const id = fingerprint(certificate.raw);
      this.byFingerprint[id] = certificate.toString().trim().concat("\n");
      return id;
    });
  }

  /** One fingerprint for a whole bundle of certificates. */
  bundle(key: string, pem: string): string {
    const certificates = this.certificates(key, pem);
    if (certificates.length === 0) return pem === UNKNOWN_VALUE ? UNKNOWN_VALUE : "";
    const id = fingerprint(Buffer.concat(certificates.map((certificate) => certificate.raw)));
    this.byFingerprint[id] = certificates
      .map((certificate) => certificate.toString().trim())
      .join("\n")
      .concat("\n");
    return id;
  }

  private keep(key: string, pem: string, allowed: string, parse: () => KeyObject): string {
    if (pem === UNKNOWN_VALUE) return UNKNOWN_VALUE;
    try {
      const parsed = parse();
      const id = fingerprint(parsed.export({ type: "spki", format: "der" }));
      // Written anew: Kyverno takes a text that does not begin with the header for a reference to a key.
      this.byFingerprint[id] = parsed.export({ type: "spki", format: "pem" }).toString();
      return id;
    } catch {
      this.problems.add(key, pem, allowed, `put the PEM text itself at ${key}, not a path and not a private key`);
      return "";
    }
  }
}

/** The PEM text behind a fingerprint. */
export function pemOf(pem: Readonly<Record<string, string>>, id: string): string {
  return id === UNKNOWN_VALUE ? UNKNOWN_VALUE : pem[id]!;
}

export function fingerprint(der: Buffer): string {
  return `sha256:${createHash("sha256").update(der).digest("hex")}`;
}
