import { TrustRoot } from "../../components/args";
import { KYVERNO_LINES } from "../../components/posture/kyvernoLines";
import { pemOf } from "../../components/posture/pem";
import { describeSigner } from "../../components/posture/signers";
import type { Attestation, ImageRule, Resolved, Signer } from "../../components/posture/types";
import { bundleFaults, type StoredBundle } from "./bundles";
import { type Certificate, certificatesOf, trustedPath } from "./certificates";
import { keyOf } from "./keys";
import type { SignatureLayer } from "./layers";
import {
  type Anchor,
  type Attention,
  asFault,
  FAULTS,
  type Fault,
  faultsUnlessOneCounts,
  matchIdentity,
  SignatureFault,
  verifySignature,
} from "./verifySignature";
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
  return countSigners(rule, layers.length, resolved, (signer) => {
    const anchor = anchorOf(signer, resolved);
    if (anchor === "elsewhere") return anchor;
    if (anchor instanceof SignatureFault) return [anchor];
    const intermediates = intermediatesFor(resolved);
    return faultsUnlessOneCounts(layers, (layer) => {
      verifySignature(layer, imageDigest, anchor, intermediates.of(layer));
      if (signer.kind === "keyless") matchIdentity(signer, layer.identity);
    });
  });
}

/**
 * Whether enough of an entry's signers have signed.
 *
 * @param faultsOf why nothing counts for a signer: nothing where something does, "elsewhere" where only the cluster has its key
 */
export function countSigners(
  rule: ImageRule,
  signatures: number,
  resolved: Resolved,
  faultsOf: (signer: Signer) => readonly SignatureFault[] | "elsewhere",
): SignersVerdict {
  if (signatures === 0) return { passes: false, reason: "unsigned", detail: "no signature", by: [] };
  const by: string[] = [];
  const faults: SignatureFault[] = [];
  let open = 0;
  for (const signer of rule.signers) {
    const found = faultsOf(signer);
    if (found === "elsewhere") {
      open++;
      faults.push(new SignatureFault("wrongKey", `${describeSigner(signer)}: only the cluster can read this key`));
      continue;
    }
    if (found.length === 0) {
      by.push(describeSigner(signer));
      continue;
    }
    const canAsk = rule.format !== undefined || canAskLog(resolved);
    if (canAsk && found.some((fault) => fault.asksLog)) open++;
    faults.push(...found);
  }
  if (by.length >= rule.threshold) return { passes: true, reason: "signed", detail: by.join("; "), by };
  const worst = furthest(faults);
  if (by.length + open >= rule.threshold) return { passes: undefined, ...openReason(rule, faults), by };
  if (by.length > 0) {
    const detail = `${by.length} of ${rule.threshold} signers have signed; missing: ${worst.message}`;
    return { passes: false, reason: "tooFewSigners", detail, by };
  }
  return { passes: false, reason: worst.fault, detail: worst.message, by };
}

/** Whether Kyverno would search the log online for an entry that a signature lacks. */
function canAskLog({ posture: { trust, kyverno } }: Resolved): boolean {
  // An ImageValidatingPolicy names the log only where there is no certificate log to leave out.
  if (kyverno.policies && trust.ctLogPublicKey) return false;
  return trust.root !== TrustRoot.Offline;
}

function openReason(rule: ImageRule, faults: readonly SignatureFault[]): Pick<SignersVerdict, "reason" | "detail"> {
  const asked = faults.find(({ asksLog }) => asksLog);
  if (!asked) return { reason: "wrongKey", detail: furthest(faults).message };
  if (rule.format) return { reason: asked.fault, detail: asked.message };
  return { reason: asked.fault, detail: `${asked.message}; Kyverno will search the log at trust.rekor online` };
}

/** Kyverno 1.10 keeps the first signature's intermediates for those that follow; a chain of one forgets them. */
class Intermediates {
  private kept: readonly Certificate[] | undefined;

  constructor(
    private readonly asCosign3: boolean,
    /** Where only the stack's own certificates are looked at. */
    private readonly none: boolean,
  ) {}

  of({ chain }: SignatureLayer): readonly Certificate[] {
    if (this.none) return [];
    if (this.asCosign3) return chain.slice(0, -1);
    if (chain.length <= 1) this.kept = undefined;
    else this.kept ??= chain.slice(0, -1);
    return this.kept ?? [];
  }
}

const isCosign3 = ({ posture }: Resolved) => KYVERNO_LINES[posture.kyverno.target].verifiesAsCosign3;
const intermediatesFor = (resolved: Resolved) =>
  new Intermediates(isCosign3(resolved), resolved.posture.kyverno.policies !== undefined);

/** `elsewhere`: the key is in a KMS or a Secret. */
function anchorOf(signer: Signer, resolved: Resolved): Anchor | SignatureFault | "elsewhere" {
  const { posture, materials } = resolved;
  const { trust } = posture;
  const pem = (id: string | undefined) => (id === undefined ? undefined : pemOf(materials.pem, id));
  const logs = { rekorKey: pem(trust.rekor?.publicKey), ctLogKey: pem(trust.ctLogPublicKey) };
  const asCosign3 = isCosign3(resolved);
  const unused: Attention = asCosign3 ? "ignored" : "read";
  const base = {
    hash: "sha256" as const,
    roots: [],
    ...logs,
    entries: unused,
    receipts: unused,
    readsDsseEntries: asCosign3,
  };
  if (signer.kind === "keyless") {
    const roots = (signer.roots ?? trust.fulcioCertificates).flatMap((id) => certificatesOf(pem(id)!));
    if (signer.roots) return { ...base, roots };
    const entries = trust.rekor ? "demanded" : unused;
    return { ...base, roots, entries, receipts: asCosign3 && trust.ctLogPublicKey ? "demanded" : unused };
  }
  if (signer.kind === "key") {
    const key = keyOf(signer, resolved);
    return key ? { ...base, key, hash: signer.signatureAlgorithm } : "elsewhere";
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
    const intermediates = intermediatesFor(resolved);
    let found = false;
    for (const layer of layers) {
      try {
        const statement = verifyStatement(layer, imageDigest, anchor, intermediates.of(layer));
        if (statement.predicateType !== attestation.predicateType) continue;
        found = true;
        try {
          if (signer.kind === "keyless") matchIdentity(signer, layer.identity);
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

/** Statements in the tag format, as an ImageValidatingPolicy counts them: what others state is not looked at. */
export function checkStatements(
  { predicateType, signers, threshold, conditions }: Attestation,
  layers: readonly SignatureLayer[],
  imageDigest: string,
  resolved: Resolved,
): SignersVerdict {
  const result = (passes: boolean | undefined, detail: string): SignersVerdict => ({
    passes,
    reason: passes === false ? "missingAttestation" : passes ? "signed" : "attestationAtAdmission",
    detail: `${predicateType}: ${detail}`,
    by: [],
  });
  if (layers.length === 0) return result(false, "no such statement");
  for (const signer of signers.slice(0, threshold)) {
    const anchor = anchorOf(signer, resolved);
    if (anchor === "elsewhere") return result(undefined, `only the cluster can read ${describeSigner(signer)}`);
    if (anchor instanceof SignatureFault) return result(false, anchor.message);
    const faults = faultsUnlessOneCounts(layers, (layer) => {
      const statement = verifyStatement(layer, imageDigest, anchor, intermediatesFor(resolved).of(layer));
      if (statement.predicateType !== predicateType)
        throw new SignatureFault("malformedSignature", `a statement of ${statement.predicateType}`);
      if (signer.kind === "keyless") matchIdentity(signer, layer.identity);
    });
    if (faults.length > 0) return result(false, furthest(faults).message);
  }
  if (conditions.length > 0) return result(undefined, "its conditions are evaluated at admission only");
  return result(true, predicateType);
}

/** Statements in bundles, as Kyverno 1.19 judges them: each signer must have made one, and what others state is not looked at. */
export function checkBundledAttestation(
  attestation: Attestation,
  bundles: readonly StoredBundle[],
  imageDigest: string,
  resolved: Resolved,
): SignersVerdict {
  const { predicateType, signers, threshold, conditions } = attestation;
  const about = bundles.filter(({ statement }) => statement?.predicateType === predicateType);
  const result = (passes: boolean | undefined, detail: string): SignersVerdict => ({
    passes,
    reason: passes === false ? "missingAttestation" : "attestationAtAdmission",
    detail: `${predicateType}: ${detail}`,
    by: [],
  });
  if (about.length === 0) return result(false, "no such statement");
  for (const signer of signers.slice(0, threshold)) {
    const faults = bundleFaults(signer, about, imageDigest, resolved);
    if (faults === "elsewhere") return result(undefined, `only the cluster can read ${describeSigner(signer)}`);
    if (faults.some(({ asksLog }) => asksLog)) return result(undefined, furthest(faults).message);
    if (faults.length > 0) return result(false, furthest(faults).message);
  }
  if (conditions.length > 0) return result(undefined, "its conditions are evaluated at admission only");
  return { passes: true, reason: "signed", detail: predicateType, by: [] };
}
