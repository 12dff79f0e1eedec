import { createHash, type X509Certificate } from "node:crypto";
import type { ProblemList } from "../problems";
import { UNKNOWN_VALUE } from "../unknownValue";
import { isTrouble, type PemTrouble, parseCertificates, parsePublicKey } from "./pemText";

/** Collects PEM texts under the fingerprint by which the posture names them. */
export class PemStore {
  readonly byFingerprint: Record<string, string> = {};
  private readonly refused = new Set<string>();

  constructor(private readonly problems: ProblemList) {}

  /** A public key's fingerprint: SHA-256 over its DER form. */
  publicKey(key: string, pem: string): string {
    if (pem === UNKNOWN_VALUE) return UNKNOWN_VALUE;
    const parsed = parsePublicKey(pem);
    if (isTrouble(parsed)) return this.refuse(key, parsed, "one public key in PEM (-----BEGIN PUBLIC KEY-----)");
    const id = fingerprint(parsed.export({ type: "spki", format: "der" }));
    // Written anew: Kyverno takes a text that does not begin with the header for a reference to a key.
    this.byFingerprint[id] = parsed.export({ type: "spki", format: "pem" }).toString();
    return id;
  }

  /** The certificates of a PEM text, in their order. */
  certificates(key: string, pem: string): X509Certificate[] {
    if (pem === UNKNOWN_VALUE) return [];
    const parsed = parseCertificates(pem);
    if (!isTrouble(parsed)) return parsed;
    // Asked again where the text is used; told once.
    if (!this.refused.has(key)) this.refuse(key, parsed, "certificates in PEM (-----BEGIN CERTIFICATE-----)");
    return [];
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

  /** A fingerprint for the root of an update repository, whose text is kept as it is. */
  tufRoot(key: string, json: string): string {
    if (json === UNKNOWN_VALUE) return UNKNOWN_VALUE;
    if (!isTufRoot(json))
      return this.refuse(
        key,
        { found: "another text", fix: `put the text of your update repository's root.json itself at ${key}` },
        'the text of a root.json ("_type": "root")',
      );
    const id = fingerprint(Buffer.from(json));
    this.byFingerprint[id] = json;
    return id;
  }

  private refuse(key: string, { found, fix }: PemTrouble, allowed: string): string {
    this.refused.add(key);
    this.problems.say(key, found, allowed, fix ?? `put the PEM text itself at ${key}`);
    return "";
  }
}

/** The PEM text behind a fingerprint. */
export function pemOf(pem: Readonly<Record<string, string>>, id: string): string {
  return id === UNKNOWN_VALUE ? UNKNOWN_VALUE : pem[id]!;
}

export function fingerprint(der: Buffer): string {
  return `sha256:${createHash("sha256").update(der).digest("hex")}`;
}

function isTufRoot(json: string): boolean {
  try {
    const { signed } = JSON.parse(json) as { signed?: { _type?: unknown } };
    return signed?._type === "root";
  } catch {
    return false;
  }
}
