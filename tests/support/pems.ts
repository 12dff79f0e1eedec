import { generateKeyPairSync } from "node:crypto";
import { type Certificate, createAuthority, issue } from "../../local/certificates";

/** A fresh P-256 key pair in PEM. */
export function newKeyPair(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

export interface TestAuthority {
  readonly root: Certificate;
  readonly intermediate: Certificate;
  /** An end certificate. */
  readonly leaf: Certificate;
}

/** An authority whose certificates are valid for `days` (negative: no longer). */
export async function newAuthority(days = 365): Promise<TestAuthority> {
  const root = await createAuthority("CN=test root", undefined, days);
  const intermediate = await createAuthority("CN=test intermediate", root, days);
  return { root, intermediate, leaf: await issue(intermediate, { subject: "CN=test leaf" }) };
}
