import { KYVERNO_LINES } from "../posture/kyvernoLines";
import { pemOf } from "../posture/pem";
import type { ImageRule, Resolved, Signer } from "../posture/types";
import type { AttestationCheck, Attestor, AttestorSet } from "./clusterPolicy";

/** The attestor set: any, all or N of the signers. `count` is always written, since leaving it out means all. */
export function attestorSet(signers: readonly Signer[], threshold: number, resolved: Resolved): AttestorSet {
  return { count: threshold, entries: signers.map((signer) => attestorEntry(signer, resolved)) };
}

export function attestations(rule: ImageRule, resolved: Resolved): AttestationCheck[] {
  return rule.attestations.map((attestation) => ({
    predicateType: attestation.predicateType,
    attestors: [attestorSet(attestation.signers, attestation.threshold, resolved)],
    ...(attestation.conditions.length > 0 ? { conditions: attestation.conditions } : {}),
  }));
}

function attestorEntry(signer: Signer, resolved: Resolved): Attestor {
  const { posture, materials } = resolved;
  const pem = (id: string) => pemOf(materials.pem, id);
  const absentLogsAreNamed = KYVERNO_LINES[posture.kyverno.target].absentLogsAreNamed;
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
          ...(signer.certificate ? { cert: pem(signer.certificate) } : {}),
          ...(signer.chain ? { certChain: pem(signer.chain) } : {}),
          ...(absentLogsAreNamed ? { ...WITHOUT_REKOR, ...WITHOUT_CT_LOG } : {}),
        },
      };
  }
}

/** The URL is a required field even where nobody is asked. */
const WITHOUT_REKOR = { rekor: { url: "https://rekor.sigstore.dev", ignoreTlog: true } };
const WITHOUT_CT_LOG = { ctlog: { ignoreSCT: true } };

/** Roots stand in the policy: 1.19 reads them nowhere else, and so a reader sees whom a policy believes. */
function rootFields(certificates: readonly string[], { materials }: Resolved): { roots: string } {
  return { roots: certificates.map((id) => pemOf(materials.pem, id)).join("") };
}
