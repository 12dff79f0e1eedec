import { createHash } from "node:crypto";
import type { ImageRule, Resolved } from "../../components/posture/types";
import {
  apiLocation,
  ImageNameError,
  type ImageReference,
  parseReference,
  policyText,
  verifierObjection,
} from "../images/reference";
import { type Manifest, RegistryClient, RegistryError, type RegistryTrouble } from "../images/registry";
import {
  attestationLayers,
  FORMAT_HINTS,
  SignatureFormat,
  signatureLayers,
  signedMembers,
  type UnreadSignature,
  unreadSignatures,
} from "../signatures/formats";
import type { SignatureLayer } from "../signatures/layers";
import { checkAttestation, checkSignatures, type SignersVerdict } from "../signatures/signers";
import type { ImageReport, Judgement, Reason, SignatureReport } from "./imageReport";
import { isSystemNamespace, type Treatment, treatmentOf, willRefuse } from "./rules";

/** What the registry holds for one image and one place of its signatures. */
interface Found {
  readonly digest: string;
  readonly layers: SignatureLayer[];
  readonly unread: UnreadSignature[];
  readonly membersSigned: number;
  /** The digest of an index that the tag names beside the digest of one of its members, where the index is signed. */
  readonly signedIndex?: string;
}

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
      judgements: treatments.map((treatment) => toJudgement(treatment, settledAnswer(treatment) ?? answer)),
    };
  } finally {
    await clients.close();
  }
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

class Clients {
  private readonly byHost = new Map<string, RegistryClient>();

  of(host: string): RegistryClient {
    const client = this.byHost.get(host) ?? new RegistryClient(host);
    this.byHost.set(host, client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.byHost.values()) await client.close();
  }
}

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
    found = await read(reference, entry, clients);
    if (!entry) return { found, answer: { reason: "uncovered", passes: undefined, detail: "" } };
    const verdict = checkSignatures(entry, found.layers, found.digest, resolved);
    const whole = verdict.passes
      ? await withAttestations(verdict, entry, reference, found, resolved, clients)
      : verdict;
    return { found, answer: answerOf(whole, found) };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const detail = error.message;
    return {
      ...(found ? { found } : {}),
      answer: { reason: "cannotTell", passes: undefined, detail, trouble: error.trouble },
    };
  }
}

async function read(reference: ImageReference, entry: ImageRule | undefined, clients: Clients): Promise<Found> {
  const { host, repository } = apiLocation(reference.registry, reference.path);
  const client = clients.of(host);
  const manifest = await findImage(client, repository, reference);
  const digest = manifest?.digest ?? reference.digest!;
  const place = signaturePlace(reference, entry);
  const layers = await signatureLayers(clients.of(place.host), place.repository, digest);
  // Of an image that is not there, only a signature can be judged; its absence says nothing.
  if (!manifest && layers.length === 0) throw noSuchImage(reference);
  const unread = await unreadIn([{ host, repository }, place], digest, clients);
  if (layers.length > 0) return { digest, layers, unread, membersSigned: 0 };
  const membersSigned =
    manifest && manifest.manifests.length > 0
      ? await signedMembers(clients.of(place.host), place.repository, manifest)
      : 0;
  const signedIndex = await indexOfMember(reference, digest, { host, repository }, place, clients);
  return { digest, layers, unread, membersSigned, ...(signedIndex ? { signedIndex } : {}) };
}

interface Location {
  readonly host: string;
  readonly repository: string;
}

/** In the image's repository and, where signatures have their own, in that. */
async function unreadIn(places: readonly Location[], digest: string, clients: Clients): Promise<UnreadSignature[]> {
  const different = [...new Map(places.map((place) => [`${place.host}/${place.repository}`, place])).values()];
  const found: UnreadSignature[] = [];
  for (const { host, repository } of different)
    found.push(...(await unreadSignatures(clients.of(host), repository, digest)));
  return found;
}

async function indexOfMember(
  { tag }: ImageReference,
  digest: string,
  image: Location,
  place: Location,
  clients: Clients,
): Promise<string | undefined> {
  if (!tag) return undefined;
  try {
    const index = await clients.of(image.host).findManifest(image.repository, tag);
    if (!index?.manifests.some((member) => member.digest === digest)) return undefined;
    const layers = await signatureLayers(clients.of(place.host), place.repository, index.digest);
    return layers.length > 0 ? index.digest : undefined;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** Kyverno 1.10 does not ask for an image that is named by its digest, only for its signature. */
async function findImage(
  client: RegistryClient,
  repository: string,
  reference: ImageReference,
): Promise<Manifest | undefined> {
  const found = await client.findManifest(repository, reference.digest ?? reference.tag!);
  if (!found && !reference.digest) throw noSuchImage(reference);
  return found;
}

function noSuchImage(reference: ImageReference): RegistryError {
  return new RegistryError("notFound", `there is no image ${policyText(reference)}`);
}

function signaturePlace(reference: ImageReference, entry: ImageRule | undefined): { host: string; repository: string } {
  if (!entry?.signatureRepository) return apiLocation(reference.registry, reference.path);
  const { registry, path } = parseReference(entry.signatureRepository);
  return apiLocation(registry, path);
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
  const verdicts = entry.attestations.map((one) => checkAttestation(one, layers, found.digest, resolved));
  const worst = verdicts.find(({ passes }) => passes === false) ?? verdicts.find(({ passes }) => passes === undefined);
  return worst ?? verdict;
}

function answerOf(verdict: SignersVerdict, found: Found): Answer {
  const { passes } = verdict;
  if (passes === undefined) return { reason: "cannotTell", passes, detail: verdict.detail };
  if (verdict.reason !== "unsigned") return { reason: reasonOf(verdict), passes, detail: verdict.detail };
  if (found.unread.length > 0) {
    const hints = [...new Set(found.unread.map(({ format }) => FORMAT_HINTS[format]))].join("; ");
    const how = `signed in a format that Kyverno 1.10 does not read: ${hints} (docs/signing.md)`;
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

function formatsOf({ layers, unread }: Found): SignatureFormat[] {
  return [
    ...new Set([...(layers.length > 0 ? [SignatureFormat.CosignTag] : []), ...unread.map(({ format }) => format)]),
  ];
}

function signatureReports({ layers, unread }: Found): SignatureReport[] {
  return [
    ...layers.map(({ identity, certificate, bundle, malformed }): SignatureReport => {
      const fingerprint = certificate
        ? `sha256:${createHash("sha256").update(certificate.node.raw).digest("hex")}`
        : undefined;
      return {
        format: SignatureFormat.CosignTag,
        by: identity ? "certificate" : "key",
        ...(identity ?? {}),
        ...(fingerprint ? { certificate: fingerprint } : {}),
        ...(bundle ? { loggedAt: new Date(bundle.integratedTime * 1000).toISOString() } : {}),
        ...(malformed ? { malformed } : {}),
      };
    }),
    ...unread.map(
      ({ format, identity }): SignatureReport => ({
        format,
        by: identity ? "certificate" : "unknown",
        ...(identity ?? {}),
      }),
    ),
  ];
}
