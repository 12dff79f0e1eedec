import { SignatureFormat } from "../../args";
import { describeSigner, GITHUB_ISSUER, shortFingerprint } from "../signers";
import type { Attestation, ImageRule, Signer } from "../types";
import { list, type Part, parts } from "./words";

/** A signer in a few words: the identity, or a short fingerprint. */
export function signerText(signer: Signer): string {
  switch (signer.kind) {
    case "keyless": {
      const claims = Object.entries(signer.claims).map(([claim, value]) => `${claim}=${value}`);
      const who = signer.issuer === GITHUB_ISSUER ? `${signer.subject} (GitHub)` : describeSigner(signer);
      const under = signer.roots ? [`under ${signer.roots.map(shortFingerprint).join(", ")}, without a log`] : [];
      return [who, ...claims.sort(), ...under].join(" ");
    }
    case "key":
      return `${describeSigner(signer)}${signer.signatureAlgorithm === "sha256" ? "" : ` ${signer.signatureAlgorithm}`}`;
    case "certificate":
      return signer.certificate && signer.chain
        ? `certificate ${shortFingerprint(signer.certificate)} under ${shortFingerprint(signer.chain)}`
        : signer.certificate
          ? `certificate ${shortFingerprint(signer.certificate)}`
          : describeSigner(signer);
  }
}

/** What is different between two entries of `images` with one name, a line each. */
export function ruleChanges(a: ImageRule, b: ImageRule): Part[][] {
  const signers = (rule: { readonly signers: readonly Signer[] }) => rule.signers.map(signerText);
  return [
    ...listChanges("repositories", a.repositories, b.repositories),
    ...listChanges("signers", signers(a), signers(b)),
    ...(a.threshold === b.threshold && a.signers.length === b.signers.length
      ? []
      : [parts`${a.threshold} of ${a.signers.length} must sign → ${b.threshold} of ${b.signers.length}`]),
    ...(a.format === b.format
      ? []
      : [
          parts`signatures in the format ${a.format ?? SignatureFormat.Cosign} → ${b.format ?? SignatureFormat.Cosign}`,
        ]),
    ...(a.signatureRepository === b.signatureRepository
      ? []
      : [
          parts`signatures are read from ${a.signatureRepository ?? "the image's repository"} → ${b.signatureRepository ?? "the image's repository"}`,
        ]),
    ...listChanges("attestations", a.attestations.map(attestationText), b.attestations.map(attestationText)),
  ];
}

function attestationText({ predicateType, signers, threshold, conditions }: Attestation): string {
  const checked = conditions.length > 0 ? ` with ${JSON.stringify(conditions)}` : "";
  return `${predicateType} by ${threshold} of ${signers.map(signerText).join("; ")}${checked}`;
}

export function listChanges(what: string, a: readonly string[], b: readonly string[]): Part[][] {
  const added = b.filter((item) => !a.includes(item));
  const removed = a.filter((item) => !b.includes(item));
  return [
    ...(added.length > 0 ? [[`${what} added `, ...list(added)]] : []),
    ...(removed.length > 0 ? [[`${what} removed `, ...list(removed)]] : []),
  ];
}
