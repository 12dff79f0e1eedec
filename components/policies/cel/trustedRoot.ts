import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

/** Trust anchors in PEM: a Fulcio's certificates in any order, and the keys of its logs. */
export interface Anchors {
  readonly fulcioCertificates: readonly string[];
  readonly rekor?: { readonly url: string; readonly publicKey: string };
  readonly ctLogPublicKey?: string;
}

/** Nothing says since when they count, so they always have. */
const VALID = { start: "1970-01-01T00:00:00Z" };

/** The anchors as Sigstore's trusted_root.json, the one form in which an ImageValidatingPolicy takes them. */
export function trustedRoot({ fulcioCertificates, rekor, ctLogPublicKey }: Anchors): string {
  return JSON.stringify({
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: rekor ? [log(rekor.publicKey, rekor.url)] : [],
    certificateAuthorities: authorities(fulcioCertificates),
    ctlogs: ctLogPublicKey ? [log(ctLogPublicKey, "https://ct.invalid")] : [],
    timestampAuthorities: [],
  });
}

/** One for each certificate, up to where nothing issued the next: each of them is believed by itself in other policies too. */
function authorities(pems: readonly string[]): object[] {
  const all = pems.map((pem) => new X509Certificate(pem));
  return all.map((certificate) => ({
    subject: { organization: "", commonName: "" },
    uri: "",
    certChain: { certificates: chain(certificate, all).map(({ raw }) => ({ rawBytes: raw.toString("base64") })) },
    validFor: VALID,
  }));
}

function chain(certificate: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const found = [certificate];
  for (;;) {
    const last = found.at(-1)!;
    const issuer = all.find((one) => !found.includes(one) && last.checkIssued(one));
    if (!issuer) return found;
    found.push(issuer);
  }
}

function log(pem: string, baseUrl: string): object {
  const key = createPublicKey(pem);
  const der = key.export({ type: "spki", format: "der" });
  return {
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: der.toString("base64"), keyDetails: keyDetails(key), validFor: VALID },
    logId: { keyId: createHash("sha256").update(der).digest("base64") },
  };
}

const CURVES: Record<string, string> = {
  prime256v1: "PKIX_ECDSA_P256_SHA_256",
  secp384r1: "PKIX_ECDSA_P384_SHA_384",
  secp521r1: "PKIX_ECDSA_P521_SHA_512",
};

/** The names of Sigstore's protocol for the kinds of keys that logs have. */
function keyDetails({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === "ed25519") return "PKIX_ED25519";
  if (asymmetricKeyType === "rsa") return `PKIX_RSA_PKCS1V15_${asymmetricKeyDetails?.modulusLength}_SHA256`;
  return CURVES[asymmetricKeyDetails?.namedCurve ?? ""] ?? "PUBLIC_KEY_DETAILS_UNSPECIFIED";
}
