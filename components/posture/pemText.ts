import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

/** Why a text is not the PEM that is wanted. `found` never holds the text: it may be a private key in any disguise. */
export interface PemTrouble {
  readonly found: string;
  readonly fix?: string;
}

export const isTrouble = (value: object): value is PemTrouble => "found" in value;

/** Base64 of `-----BEGIN`. */
const ENCODED = /LS0tLS1CRUdJTi/;
const decoded = (text: string) => (ENCODED.test(text) ? Buffer.from(text.trim(), "base64").toString("latin1") : "");

/** Texts that people give for a PEM, in this order; the first that matches is told. */
const DISGUISES: readonly (readonly [is: (text: string) => boolean, found: string, fix: string])[] = [
  [
    (text) => /PRIVATE KEY/.test(text + decoded(text)),
    "a private key (not shown)",
    "put the public part there (openssl pkey -in KEY -pubout, or cosign public-key --key KEY), and make a new key: this one has been in a configuration",
  ],
  [(text) => ENCODED.test(text), "the base64 of a PEM text (not shown)", "decode it first: base64 -d"],
  [
    (text) => /-----BEGIN [^\n-]*-----\\n/.test(text),
    "a PEM text with \\n where its lines should end",
    "write it as a block of YAML (|), one line each",
  ],
  [
    (text) => /-----BEGIN [^\n-]*-----[ \t]+[A-Za-z0-9+/]/.test(text),
    "a PEM text on one line",
    "write it as a block of YAML: with |, not with >",
  ],
  [
    (text) => /^[ \t]+-----END /m.test(text),
    "a PEM text with spaces before its lines",
    "remove them; in a block of YAML (|) all lines begin alike",
  ],
  [
    (text) => /^\s*(ssh-|ecdsa-sha2-)/.test(text),
    "a key in the form of SSH",
    "use a key of cosign: cosign generate-key-pair, and its cosign.pub",
  ],
  [
    (text) => text.includes("-----BEGIN PGP "),
    "a key in the form of PGP",
    "use a key of cosign: cosign generate-key-pair, and its cosign.pub",
  ],
  [
    (text) => text.includes("-----BEGIN ") && !text.includes("-----END "),
    "a PEM text without its end",
    "copy all of it, down to the line -----END ...-----",
  ],
  [
    (text) => !text.includes("-----BEGIN "),
    "no PEM text",
    "put the PEM text itself there, not a path and not a fingerprint",
  ],
];

function disguise(text: string): PemTrouble | undefined {
  const known = DISGUISES.find(([is]) => is(text));
  return known && { found: known[1], fix: known[2] };
}

const LEAST_RSA_BITS = 2048;
/** The curves that Go's parser takes, by their names in OpenSSL. */
const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

/** What Kyverno's verifier (sigstore 1.6.3) can't use, or nobody should. */
function weakness(key: KeyObject): string | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "rsa":
      return (modulusLength ?? 0) < LEAST_RSA_BITS ? `an RSA key of ${modulusLength} bits` : undefined;
    case "ec":
      return CURVES.includes(namedCurve ?? "") ? undefined : `an ECDSA key on the curve ${namedCurve}`;
    case "ed25519":
      return undefined;
    default:
      return `a key of the type ${key.asymmetricKeyType}`;
  }
}

const USABLE = "an ECDSA key on P-256, P-384 or P-521, an Ed25519 key, or RSA of at least 2048 bits";

/** The labels of a text's PEM blocks, in order. */
function blocks(text: string): { label: string; pem: string }[] {
  return [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g)].map(([pem, label]) => ({
    label: label!,
    pem,
  }));
}

export function parsePublicKey(text: string): KeyObject | PemTrouble {
  const hidden = disguise(text);
  if (hidden) return hidden;
  const [block, ...more] = blocks(text);
  if (!block) return { found: "a broken PEM text", fix: "copy it again" };
  if (block.label === "CERTIFICATE")
    return {
      found: "a certificate",
      fix: "take its key out: openssl x509 -in CERT -noout -pubkey; or put it at signers[].certificate",
    };
  if (block.label === "RSA PUBLIC KEY")
    return {
      found: "an RSA key in PKCS #1 (BEGIN RSA PUBLIC KEY), which Kyverno 1.10 takes for the name of a file",
      fix: "convert it: openssl rsa -RSAPublicKey_in -in KEY -pubout",
    };
  if (block.label !== "PUBLIC KEY") return { found: `a PEM block ${block.label}` };
  // Kyverno takes each further one for another signer, which the posture would not show.
  if (more.length > 0) return { found: `${more.length + 1} PEM blocks`, fix: "make a signer of its own for each key" };
  try {
    const key = createPublicKey(block.pem);
    const weak = weakness(key);
    return weak ? { found: weak, fix: `use ${USABLE}` } : key;
  } catch {
    return { found: "a PEM block that holds no key", fix: "copy it again" };
  }
}

export function parseCertificates(text: string): X509Certificate[] | PemTrouble {
  const hidden = disguise(text);
  if (hidden) return hidden;
  const given = blocks(text);
  if (given.length === 0) return { found: "a broken PEM text", fix: "copy it again" };
  const other = given.find(({ label }) => label !== "CERTIFICATE");
  if (other)
    return { found: `a PEM block ${other.label}`, fix: "put certificates there (-----BEGIN CERTIFICATE-----)" };
  if (given.length !== text.match(/-----BEGIN /g)!.length)
    return { found: "a PEM block without its end", fix: "copy all of them, each down to its line -----END ...-----" };
  try {
    const certificates = given.map(({ pem }) => new X509Certificate(pem));
    const weak = certificates.map(({ publicKey }) => weakness(publicKey)).find((text) => text !== undefined);
    return weak ? { found: `a certificate with ${weak}`, fix: `use ${USABLE}` } : certificates;
  } catch {
    return { found: "a PEM block that holds no certificate", fix: "copy it again" };
  }
}
