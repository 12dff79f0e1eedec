import { SignatureFormat } from "../../components/args";
import { compilePosture, policiesOf } from "../../components/compile";
import type { Manifest } from "../../components/kubernetes/manifest";
import { withoutPart } from "../../components/policies/names";
import type { CertificateSigner, ImageRule, Resolved, Signer } from "../../components/posture/types";
import {
  apiLocation,
  ImageNameError,
  type ImageReference,
  parseReference,
  policyText,
  verifierObjection,
} from "../images/reference";
import { RegistryError, type RegistryTrouble } from "../images/registryError";
import { bundleFaults, storedBundles } from "../signatures/bundles";
import { attestationLayers, FORMAT_HINTS } from "../signatures/formats";
import { notationFaults, notationSignatures } from "../signatures/notation";
import {
  checkAttestation,
  checkBundledAttestation,
  checkSignatures,
  countSigners,
  type SignersVerdict,
} from "../signatures/signers";
import { SignatureFault } from "../signatures/verifySignature";
import { countedVerdicts } from "./countedSignatures";
import { Clients, type Found, readImage, signaturePlace } from "./found";
import type { ImageReport, Judgement, Reason } from "./imageReport";
import { isSystemNamespace, type Treatment, treatmentOf, willRefuse } from "./rules";
import { formatsOf, signatureReports } from "./signatureReports";

type Answer = { readonly reason: Reason; readonly passes: boolean | undefined; readonly detail: string } & {
  readonly trouble?: RegistryTrouble;
};

/** Everything that can be said about an image in some namespaces. Registry trouble is part of the answer, not an error. */
export async function checkImage(
  image: string,
  namespaces: readonly string[],
  resolved: Resolved,
): Promise<ImageReport> {
  let reference: ImageReference;
  try {
    reference = parseReference(image);
  } catch (error) {
    if (!(error instanceof ImageNameError)) throw error;
    const judgements = namespaces.map((namespace) => malformedJudgement(namespace, error.message, resolved));
    return { image, formats: [], signatures: [], judgements };
  }
  const treatments = namespaces.map((namespace) => treatmentOf(resolved.posture, reference, namespace));
  const entry = treatments.find((treatment) => treatment.entry)?.entry;
  const clients = new Clients();
  try {
    const { found, answer } = await lookUp(reference, entry, resolved, clients);
    return {
      image,
      reference: policyText(reference),
      ...(found ? { digest: found.digest } : {}),
      formats: found ? formatsOf(found) : [],
      signatures: found ? signatureReports(found) : [],
      judgements: treatments.map((treatment) =>
        toJudgement({ ...treatment, ...partOf(treatment, resolved) }, settledAnswer(treatment) ?? answer),
      ),
    };
  } finally {
    await clients.close();
  }
}

const compiled = new WeakMap<Resolved, readonly Manifest[]>();

/** The policy that has the rule: one that is too large for Kyverno goes on in others. */
function partOf({ policy, rule }: Treatment, resolved: Resolved): Partial<Pick<Treatment, "policy" | "rule">> {
  // Policies of the newer kinds have no rules.
  if (resolved.posture.kyverno.policies) return { rule: undefined };
  if (policy === undefined || rule === undefined) return {};
  const policies = compiled.get(resolved) ?? policiesOf(compilePosture(resolved));
  compiled.set(resolved, policies);
  const parts = policies.filter(({ metadata }) => withoutPart(metadata.name) === policy);
  const rules = ({ spec }: Manifest) => (spec as { rules: { name: string }[] }).rules;
  const holder = parts.find((part) => rules(part).some(({ name }) => name === rule));
  return holder ? { policy: holder.metadata.name } : {};
}

/**
 * Kyverno 1.10 can't build its context for a pod whose image it can't parse (policy_context.go), and refuses it in every
 * namespace that it looks at, in whatever mode.
 */
function malformedJudgement(namespace: string, detail: string, { posture }: Resolved): Judgement {
  const system = isSystemNamespace(posture, namespace);
  const { mode } = treatmentOf(posture, ANY_IMAGE, namespace);
  return {
    namespace,
    mode,
    verdict: system ? "admitted" : "refused",
    passes: false,
    kyvernoNow: system ? "admits" : "refuses",
    reason: "malformedReference",
    detail: `no image name: ${detail}`,
  };
}

const ANY_IMAGE = parseReference("image");

/** Also asked for images that no entry covers: who signed them is what the next entry needs. */
async function lookUp(
  reference: ImageReference,
  entry: ImageRule | undefined,
  resolved: Resolved,
  clients: Clients,
): Promise<{ found?: Found; answer: Answer }> {
  let found: Found | undefined;
  const objection = verifierObjection(reference);
  if (objection) return { answer: { reason: "malformedReference", passes: false, detail: objection } };
  try {
    found = await readImage(reference, entry, clients);
    if (!entry) return { found, answer: { reason: "uncovered", passes: undefined, detail: "" } };
    const verdict = await verdictOf(entry, reference, found, resolved, clients);
    return { found, answer: answerOf(verdict, found, entry) };
  } catch (error) {
    if (error instanceof SignatureFault)
      return {
        ...(found ? { found } : {}),
        answer: { reason: "malformedSignature", passes: false, detail: error.message },
      };
    if (!(error instanceof RegistryError)) throw error;
    const detail = error.message;
    return {
      ...(found ? { found } : {}),
      answer: { reason: "cannotTell", passes: undefined, detail, trouble: error.trouble },
    };
  }
}

async function verdictOf(
  entry: ImageRule,
  reference: ImageReference,
  found: Found,
  resolved: Resolved,
  clients: Clients,
): Promise<SignersVerdict> {
  const { digest, layers } = found;
  const { host, repository } = apiLocation(reference.registry, reference.path);
  if (resolved.posture.kyverno.policies) {
    const place = signaturePlace(reference, entry);
    const signatures = { client: clients.of(place.host), repository: place.repository };
    const source = { client: clients.of(host), repository, signatures, digest, layers };
    const [verdict, ...others] = await countedVerdicts(entry, source, resolved);
    return verdict!.passes ? worstOf(verdict!, others) : verdict!;
  }
  switch (entry.format) {
    case undefined: {
      const verdict = checkSignatures(entry, layers, digest, resolved);
      return verdict.passes ? withAttestations(verdict, entry, reference, found, resolved, clients) : verdict;
    }
    case SignatureFormat.SigstoreBundle: {
      const bundles = await storedBundles(clients.of(host), repository, digest);
      const faultsOf = (signer: Signer) => bundleFaults(signer, bundles, digest, resolved);
      const verdict = countSigners(entry, bundles.length, resolved, faultsOf);
      if (!verdict.passes) return verdict;
      return worstOf(
        verdict,
        entry.attestations.map((one) => checkBundledAttestation(one, bundles, digest, resolved)),
      );
    }
    case SignatureFormat.Notation: {
      const signatures = await notationSignatures(clients.of(host), repository, digest);
      const faultsOf = (signer: Signer) => notationFaults(signer as CertificateSigner, signatures, digest, resolved);
      return countSigners(entry, signatures.length, resolved, faultsOf);
    }
  }
}

async function withAttestations(
  verdict: SignersVerdict,
  entry: ImageRule,
  reference: ImageReference,
  found: Found,
  resolved: Resolved,
  clients: Clients,
): Promise<SignersVerdict> {
  if (entry.attestations.length === 0) return verdict;
  const place = signaturePlace(reference, entry);
  const layers = await attestationLayers(clients.of(place.host), place.repository, found.digest);
  return worstOf(
    verdict,
    entry.attestations.map((one) => checkAttestation(one, layers, found.digest, resolved)),
  );
}

function worstOf(verdict: SignersVerdict, others: readonly SignersVerdict[]): SignersVerdict {
  const worst = others.find(({ passes }) => passes === false) ?? others.find(({ passes }) => passes === undefined);
  return worst ?? verdict;
}

function answerOf(verdict: SignersVerdict, found: Found, { format }: ImageRule): Answer {
  const { passes } = verdict;
  if (passes === undefined) return { reason: "cannotTell", passes, detail: verdict.detail };
  if (verdict.reason !== "unsigned") return { reason: reasonOf(verdict), passes, detail: verdict.detail };
  if (format) {
    const others = formatsOf(found).filter((one) => one !== (format as string));
    if (others.length === 0)
      return { reason: "unsigned", passes, detail: `there is no signature of the format ${format}` };
    const how = `signed as ${others.join(", ")}, and the entry has format: ${format}`;
    return { reason: "unreadableFormat", passes, detail: how };
  }
  if (found.unread.length > 0) {
    const hints = [...new Set(found.unread.map(({ format }) => FORMAT_HINTS[format]))].join("; ");
    const how = `signed in a format that the entry does not ask for: ${hints} (docs/signing.md)`;
    return { reason: "unreadableFormat", passes, detail: how };
  }
  const detail =
    found.membersSigned > 0
      ? "its platform images are signed, but Kyverno looks at the index: sign the digest of the index"
      : found.signedIndex
        ? `the index is signed, this member of it is not: name the index's digest, ${found.signedIndex}`
        : "there is no signature";
  return { reason: "unsigned", passes, detail };
}

/** Faults that mean the same to a person are told as one. */
function reasonOf({ reason }: SignersVerdict): Reason {
  if (reason === "wrongKey" || reason === "noCertificate") return "wrongSigner";
  if (reason === "attestationAtAdmission") return "cannotTell";
  if (reason === "untrustedCertificateLog") return "untrustedLog";
  return reason;
}

function settledAnswer({ settled }: Treatment): Answer | undefined {
  return settled;
}

function toJudgement(treatment: Treatment, { reason, passes, detail, trouble }: Answer): Judgement {
  const refuses = willRefuse(treatment);
  return {
    namespace: treatment.namespace,
    mode: treatment.mode,
    ...(treatment.policy ? { policy: treatment.policy } : {}),
    ...(treatment.rule ? { rule: treatment.rule } : {}),
    ...(treatment.entry ? { entry: treatment.entry.name } : {}),
    verdict: passes === undefined ? "unknown" : passes || !refuses ? "admitted" : "refused",
    passes: passes ?? null,
    // What Kyverno does when it meets the same trouble; refusing is all it can do where it enforces.
    kyvernoNow: passes !== true && refuses ? "refuses" : "admits",
    reason,
    ...(trouble ? { trouble } : {}),
    detail,
  };
}
