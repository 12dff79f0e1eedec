import { SignatureFormat } from "../args";
import { globToRegex } from "../globs";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import { pemOf } from "../posture/pem";
import type { CertificateSigner, ImageRule, Resolved, Signer } from "../posture/types";
import type { AttestationCheck, Attestor, AttestorSet, ImageVerification } from "./clusterPolicy";

/** The attestor set: any, all or N of the signers. `count` is always written, since leaving it out means all. */
export function attestorSet(
  signers: readonly Signer[],
  threshold: number,
  resolved: Resolved,
  format: ImageRule["format"],
): AttestorSet {
  return {
    count: threshold,
    entries: signers.map((signer) => ENTRIES[format ?? SignatureFormat.Cosign](signer, resolved)),
  };
}

const TYPES = { [SignatureFormat.SigstoreBundle]: "SigstoreBundle", [SignatureFormat.Notation]: "Notary" } as const;

/** Which of Kyverno's verifiers reads the signatures; left out for Cosign's tag format. */
export function verifierType({ format }: ImageRule): Pick<ImageVerification, "type"> {
  return format ? { type: TYPES[format] } : {};
}

const ENTRIES: Record<SignatureFormat, (signer: Signer, resolved: Resolved) => Attestor> = {
  [SignatureFormat.Cosign]: attestorEntry,
  [SignatureFormat.SigstoreBundle]: bundleEntry,
  // Nothing but the certificates is read.
  [SignatureFormat.Notation]: (signer, resolved) => ({
    certificates: certificateFields(signer as CertificateSigner, resolved),
  }),
};

export function attestations(rule: ImageRule, resolved: Resolved): AttestationCheck[] {
  return rule.attestations.map((attestation) => ({
    predicateType: attestation.predicateType,
    attestors: [attestorSet(attestation.signers, attestation.threshold, resolved, rule.format)],
    ...(attestation.conditions.length > 0 ? { conditions: attestation.conditions } : {}),
  }));
}

function attestorEntry(signer: Signer, resolved: Resolved): Attestor {
  const { posture, materials } = resolved;
  const pem = (id: string) => pemOf(materials.pem, id);
  const absentLogsAreNamed = KYVERNO_LINES[posture.kyverno.target].verifiesAsCosign3;
  switch (signer.kind) {
    case "keyless":
      return {
        keyless: {
          issuer: signer.issuer,
          subject: signer.subject,
          ...(Object.keys(signer.claims).length > 0 ? { additionalExtensions: signer.claims } : {}),
          ...rootFields(signer.roots ?? posture.trust.fulcioCertificates, resolved),
          ...(posture.trust.rekor && !signer.roots
            ? { rekor: { url: posture.trust.rekor.url } }
            : absentLogsAreNamed
              ? WITHOUT_REKOR
              : {}),
          ...(absentLogsAreNamed && (signer.roots || !posture.trust.ctLogPublicKey) ? WITHOUT_CT_LOG : {}),
        },
      };
    // Keys and certificates need no log: no short-lived certificate's time would have to be proved.
    case "key":
      return {
        keys: {
          ...(signer.publicKey ? { publicKeys: pem(signer.publicKey) } : {}),
          ...(signer.kms ? { kms: signer.kms } : {}),
          ...(signer.secretName ? { secret: { name: signer.secretName, namespace: posture.kyverno.namespace } } : {}),
          signatureAlgorithm: signer.signatureAlgorithm,
          ...(absentLogsAreNamed ? { ...WITHOUT_REKOR, ...WITHOUT_CT_LOG } : {}),
        },
      };
    case "certificate":
      return {
        certificates: {
          ...certificateFields(signer, resolved),
          ...(absentLogsAreNamed ? { ...WITHOUT_REKOR, ...WITHOUT_CT_LOG } : {}),
        },
      };
  }
}

function certificateFields({ certificate, chain }: CertificateSigner, { materials }: Resolved) {
  return {
    ...(certificate ? { cert: pemOf(materials.pem, certificate) } : {}),
    ...(chain ? { certChain: pemOf(materials.pem, chain) } : {}),
  };
}

/**
 * Anchors and logs come from the update repository; what is said here is which proofs are demanded. Where the log is named,
 * an entry in it; in any case a time, by the log or a timestamp authority. Subjects are compared whole or by a regular
 * expression, which Go anchors nowhere by itself.
 */
function bundleEntry(signer: Signer, resolved: Resolved): Attestor {
  if (signer.kind !== "keyless") return attestorEntry(signer, resolved);
  const { rekor } = resolved.posture.trust;
  const isGlob = /[*?]/.test(signer.subject);
  return {
    keyless: {
      issuer: signer.issuer,
      ...(isGlob ? { subjectRegExp: `^${globToRegex(signer.subject)}$` } : { subject: signer.subject }),
      ...(rekor ? { rekor: { url: rekor.url } } : WITHOUT_REKOR),
    },
  };
}

/** The URL is a required field even where nobody is asked. */
const WITHOUT_REKOR = { rekor: { url: "https://rekor.sigstore.dev", ignoreTlog: true } };
const WITHOUT_CT_LOG = { ctlog: { ignoreSCT: true } };

/** Roots stand in the policy: 1.19 reads them nowhere else, and so a reader sees whom a policy believes. */
function rootFields(certificates: readonly string[], { materials }: Resolved): { roots: string } {
  return { roots: certificates.map((id) => pemOf(materials.pem, id)).join("") };
}
