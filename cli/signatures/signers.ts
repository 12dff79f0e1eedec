import { createPublicKey } from "node:crypto";
import { TrustRoot } from "../../components/args";
import { globMatches } from "../../components/globs";
import { pemOf } from "../../components/posture/pem";
import { describeSigner } from "../../components/posture/signers";
import type { Attestation, ImageRule, Resolved, Signer } from "../../components/posture/types";
import { type Certificate, certificatesOf, trustedPath } from "./certificates";
import type { SignatureLayer } from "./layers";
import { type Anchor, FAULTS, type Fault, SignatureFault, verifySignature } from "./verifySignature";
import { verifyStatement } from "./verifyStatement";

/** Whether the signatures satisfy an image entry; undefined where only the cluster or the log could tell. */
export interface SignersVerdict {
  readonly passes: boolean | undefined;
  readonly reason: "signed" | "unsigned" | "tooFewSigners" | "missingAttestation" | "attestationAtAdmission" | Fault;
  readonly detail: string;
  /** Signers whose signature counts. */
  readonly by: string[];
}

export function checkSignatures(
  rule: ImageRule,
  layers: readonly SignatureLayer[],
  imageDigest: string,
  resolved: Resolved,
): SignersVerdict {
  if (layers.length === 0) return { passes: false, reason: "unsigned", detail: "no signature", by: [] };
  const by: string[] = [];
  const faults: SignatureFault[] = [];
  let open = 0;
  for (const signer of rule.signers) {
    const anchor = anchorOf(signer, resolved);
    if (anchor === "elsewhere") {
      open++;
      faults.push(new SignatureFault("wrongKey", `${describeSigner(signer)}: only the cluster can read this key`));
      continue;
    }
    const found = anchor instanceof SignatureFault ? [anchor] : tryAll(signer, anchor, layers, imageDigest);
    if (found.length === 0) {
      by.push(describeSigner(signer));
      continue;
    }
    if (found.some((fault) => fault.asksLog) && resolved.posture.trust.root !== TrustRoot.Offline) open++;
    faults.push(...found);
  }
  if (by.length >= rule.threshold) return { passes: true, reason: "signed", detail: by.join("; "), by };
  const worst = furthest(faults);
  if (by.length + open >= rule.threshold) return { passes: undefined, ...openReason(faults), by };
  if (by.length > 0) {
    const detail = `${by.length} of ${rule.threshold} signers have signed; missing: ${worst.message}`;
    return { passes: false, reason: "tooFewSigners", detail, by };
  }
  return { passes: false, reason: worst.fault, detail: worst.message, by };
}

function openReason(faults: readonly SignatureFault[]): Pick<SignersVerdict, "reason" | "detail"> {
  const asked = faults.find(({ asksLog }) => asksLog);
  if (!asked) return { reason: "wrongKey", detail: furthest(faults).message };
  return { reason: asked.fault, detail: `${asked.message}; Kyverno will search the log at trust.rekor online` };
}

/** The faults of all signatures for one signer; none when one of them counts. */
function tryAll(
  signer: Signer,
  anchor: Anchor,
  layers: readonly SignatureLayer[],
  imageDigest: string,
): SignatureFault[] {
  const faults: SignatureFault[] = [];
  const intermediates = new Intermediates();
  for (const layer of layers) {
    try {
      verifySignature(layer, imageDigest, anchor, intermediates.of(layer));
      matchIdentity(signer, layer);
      return [];
    } catch (error) {
      faults.push(asFault(error));
    }
  }
  return faults;
}

/** Signatures are made by others, and the parsers of certificates throw errors of many kinds at what is not one. */
function asFault(error: unknown): SignatureFault {
  if (error instanceof SignatureFault) return error;
  return new SignatureFault("malformedSignature", error instanceof Error ? error.message : String(error));
}

/** Kyverno 1.10 keeps the first signature's intermediates for those that follow; a chain of one forgets them. */
class Intermediates {
  private kept: readonly Certificate[] | undefined;

  of({ chain }: SignatureLayer): readonly Certificate[] {
    if (chain.length <= 1) this.kept = undefined;
    else this.kept ??= chain.slice(0, -1);
    return this.kept ?? [];
  }
}

function matchIdentity(signer: Signer, { identity }: SignatureLayer): void {
  if (signer.kind !== "keyless") return;
  const has = identity ?? { subject: "", issuer: "", claims: {} as Record<string, string> };
  const pairs: [string, string, string][] = [
    ["subject", signer.subject, has.subject],
    ["issuer", signer.issuer, has.issuer],
    ...Object.entries(signer.claims).map(([name, wanted]): [string, string, string] => [
      name,
      wanted,
      has.claims[name] ?? "",
    ]),
  ];
  for (const [name, wanted, found] of pairs) {
    if (globMatches(wanted, found)) continue;
    const caseOnly = wanted.toLowerCase() === found.toLowerCase() ? " (only upper and lower case differ)" : "";
    throw new SignatureFault("wrongSigner", `${name} is "${found}", expected "${wanted}"${caseOnly}`);
  }
}

/** `elsewhere`: the key is in a KMS or a Secret. */
function anchorOf(signer: Signer, { posture, materials }: Resolved): Anchor | SignatureFault | "elsewhere" {
  const { trust } = posture;
  const pem = (id: string | undefined) => (id === undefined ? undefined : pemOf(materials.pem, id));
  const logs = { rekorKey: pem(trust.rekor?.publicKey), ctLogKey: pem(trust.ctLogPublicKey) };
  const base = { hash: "sha256" as const, roots: [], ...logs, logRequired: false };
  if (signer.kind === "keyless") {
    const roots = (signer.roots ?? trust.fulcioCertificates).flatMap((id) => certificatesOf(pem(id)!));
    return { ...base, roots, logRequired: trust.rekor !== undefined && !signer.roots };
  }
  if (signer.kind === "key") {
    if (!signer.publicKey) return "elsewhere";
    return { ...base, key: createPublicKey(pem(signer.publicKey)!), hash: signer.signatureAlgorithm };
  }
  const chain = certificatesOf(pem(signer.chain) ?? "");
  const own = certificatesOf(pem(signer.certificate) ?? "")[0];
  if (!own) return { ...base, roots: chain };
  if (chain.length > 0 && !trustedPath(own, chain.slice(-1), chain.slice(0, -1))) {
    return new SignatureFault("wrongCA", "the configured certificate does not lead to the configured chain");
  }
  return { ...base, key: own.node.publicKey };
}

function furthest(faults: readonly SignatureFault[]): SignatureFault {
  return faults.reduce((best, fault) => (FAULTS.indexOf(fault.fault) > FAULTS.indexOf(best.fault) ? fault : best));
}

/**
 * Attestations as Kyverno 1.10 judges them: signers are asked in order, the first one that fails refuses the image, and
 * so does a statement of the wanted type by somebody else.
 */
export function checkAttestation(
  attestation: Attestation,
  layers: readonly SignatureLayer[],
  imageDigest: string,
  resolved: Resolved,
): SignersVerdict {
  const fail = (detail: string, passes: false | undefined = false): SignersVerdict => ({
    passes,
    reason: "missingAttestation",
    detail: `${attestation.predicateType}: ${detail}`,
    by: [],
  });
  for (const signer of attestation.signers.slice(0, attestation.threshold)) {
    const anchor = anchorOf(signer, resolved);
    if (anchor === "elsewhere") return fail(`only the cluster can read ${describeSigner(signer)}`, undefined);
    if (anchor instanceof SignatureFault) return fail(anchor.message);
    const faults: SignatureFault[] = [];
    const intermediates = new Intermediates();
    let found = false;
    for (const layer of layers) {
      try {
        const statement = verifyStatement(layer, imageDigest, anchor, intermediates.of(layer));
        if (statement.predicateType !== attestation.predicateType) continue;
        found = true;
        try {
          matchIdentity(signer, layer);
        } catch (error) {
          return fail((error as Error).message);
        }
      } catch (error) {
        faults.push(asFault(error));
      }
    }
    if (found) continue;
    const open = faults.some(({ asksLog }) => asksLog) && resolved.posture.trust.root !== TrustRoot.Offline;
    return fail(faults.length > 0 ? furthest(faults).message : "no such statement", open ? undefined : false);
  }
  if (attestation.conditions.length > 0) {
    const detail = `${attestation.predicateType}: its conditions are evaluated at admission only`;
    return { passes: undefined, reason: "attestationAtAdmission", detail, by: [] };
  }
  return { passes: true, reason: "signed", detail: attestation.predicateType, by: [] };
}
