import { SignatureFormat } from "../../args";
import { globToRegex } from "../../globs";
import type { Json } from "../../kubernetes/manifest";
import { pemOf } from "../../posture/pem";
import type { ImageRule, Resolved, Signer } from "../../posture/types";
import { UNKNOWN_VALUE } from "../../unknownValue";
import { trustedRoot } from "./trustedRoot";

/** One signer as an attestor. Nothing that 1.19 reads nowhere is written: it would look like a demand. */
export function attestor(
  name: string,
  signer: Signer,
  { format, signatureRepository }: Pick<ImageRule, "format" | "signatureRepository">,
  resolved: Resolved,
): Json {
  if (format === SignatureFormat.Notation)
    return { name, notary: { certs: { value: notationAnchor(signer, resolved) } } };
  const source = signatureRepository ? { source: { repository: signatureRepository } } : {};
  return { name, cosign: { ...cosign(signer, format === SignatureFormat.SigstoreBundle, resolved), ...source } };
}

function notationAnchor(signer: Signer, { materials }: Resolved): string {
  const { certificate, chain } = signer as Extract<Signer, { kind: "certificate" }>;
  return pemOf(materials.pem, (certificate ?? chain)!);
}

/** Keys and certificates need no log; that it is left out must be said, or whoever the public Sigstore knows would pass. */
const WITHOUT_LOGS = { ctlog: { insecureIgnoreTlog: true, insecureIgnoreSCT: true } };

function cosign(signer: Signer, isBundle: boolean, resolved: Resolved): Json {
  const { pem } = resolved.materials;
  switch (signer.kind) {
    case "key":
      return {
        key: {
          ...(signer.publicKey ? { data: pemOf(pem, signer.publicKey) } : {}),
          ...(signer.kms ? { kms: signer.kms } : {}),
          hashAlgorithm: signer.signatureAlgorithm,
        },
        ...WITHOUT_LOGS,
      };
    case "certificate":
      return {
        certificate: {
          ...(signer.certificate ? { cert: { value: pemOf(pem, signer.certificate) } } : {}),
          ...(signer.chain ? { certChain: { value: pemOf(pem, signer.chain) } } : {}),
        },
        ...WITHOUT_LOGS,
      };
    case "keyless":
      return {
        keyless: { identities: [identity(signer)] },
        ...(isBundle ? {} : anchors(signer, resolved)),
        ...tuf(resolved),
      };
  }
}

type Keyless = Extract<Signer, { kind: "keyless" }>;

/** A subject is compared whole, or by a regular expression that Go anchors nowhere by itself. */
function identity({ issuer, subject }: Keyless): Json {
  const isGlob = /[*?]/.test(subject);
  return { issuer, ...(isGlob ? { subjectRegExp: `^${globToRegex(subject)}$` } : { subject }) };
}

/** The stack's own anchors, which a policy must carry; other fields for them are read by nobody. */
function anchors(signer: Keyless, { posture, materials }: Resolved): Json {
  const { trust } = posture;
  const rekor = signer.roots ? undefined : trust.rekor;
  const ctLog = signer.roots ? undefined : trust.ctLogPublicKey;
  const fulcio = signer.roots ?? trust.fulcioCertificates;
  const isKnown = ![...fulcio, rekor?.publicKey, ctLog].includes(UNKNOWN_VALUE);
  const value = isKnown
    ? trustedRoot({
        fulcioCertificates: fulcio.map((id) => pemOf(materials.pem, id)),
        ...(rekor ? { rekor: { url: rekor.url, publicKey: pemOf(materials.pem, rekor.publicKey) } } : {}),
        ...(ctLog ? { ctLogPublicKey: pemOf(materials.pem, ctLog) } : {}),
      })
    : UNKNOWN_VALUE;
  const without = {
    ...(rekor ? { url: rekor.url } : { insecureIgnoreTlog: true }),
    ...(ctLog ? {} : { insecureIgnoreSCT: true }),
  };
  return { trustedRoot: { value }, ...(rekor && ctLog ? {} : { ctlog: without }) };
}

/** Asked for every keyless signature, also where its anchors are not used. */
function tuf({ posture, materials }: Resolved): Json {
  if (!posture.trust.tuf) return {};
  const { mirror, root } = posture.trust.tuf;
  return { tuf: { mirror, root: { data: Buffer.from(pemOf(materials.pem, root)).toString("base64") } } };
}
