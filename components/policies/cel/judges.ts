import { GuardMode, TagHandling } from "../../args";
import type { Json } from "../../kubernetes/manifest";
import type { ImageRule, PolicyPlan, Resolved } from "../../posture/types";
import { judgesPodsByScan } from "../auditing";
import type { PolicyText } from "../clusterPolicy";
import { honoursBypass } from "../context";
import { partName } from "../names";
import { LARGEST_POLICY } from "../parts";
import { someOf } from "../someOf";
import { signedAlike } from "../verifyRules";
import { CHANGED_SINCE, expectedSigners } from "../words";
import { bypassRuns } from "./bypassTerms";
import { type CelPolicy, celPolicy, joined, type Validation } from "./celPolicy";
import { demandsOf } from "./demands";
import { pinTags } from "./pinTags";
import { type CelPlace, DEBUG, imagesAreNew, PODS, TEMPLATES } from "./place";
import { belongsTo, distinct, shown } from "./references";
import { type Context, endedBypass, sourcesOf } from "./sources";

/** One policy for pods, one for the templates that pods are made from, and where it refuses one for debug containers. */
export function judges(plan: PolicyPlan, resolved: Resolved, text: PolicyText): CelPolicy[] {
  return [
    ...judge(PODS, plan, resolved, text),
    ...judge(TEMPLATES, plan, resolved, { ...text, title: `${text.title}: pod templates` }),
    ...(plan.mode === GuardMode.Enforce
      ? judge(DEBUG, plan, resolved, { ...text, title: `${text.title}: debug containers` })
      : []),
  ];
}

function judge(place: CelPlace, plan: PolicyPlan, resolved: Resolved, text: PolicyText): CelPolicy[] {
  const context = { plan, resolved, place, bypassable: honoursBypass({ plan, resolved }) };
  const entries = signedAlike(resolved.posture.images).map((image, index) => entryOf(context, image, index));
  const sources = sourcesOf(context);
  const frame = {
    plan,
    place,
    text,
    conditions: place === DEBUG ? [] : [{ name: "images-are-new", expression: imagesAreNew(place) }],
    admission: !(place === PODS && judgesPodsByScan(plan, resolved.posture)),
    // What a debug container was allowed to be is the request's affair; a scan sees the pod.
    background: place !== DEBUG,
  };
  const runs = context.bypassable ? bypassRuns(plan.role, place) : undefined;
  const pins = plan.mode === GuardMode.Enforce && resolved.posture.tags === TagHandling.Pin;
  const policyOf = (own: readonly Entry[], isFirst: boolean) =>
    celPolicy("ImageValidatingPolicy", frame, {
      // Digests are pinned elsewhere; these would refuse later updates, and count what other policies have verified.
      validationConfigurations: { mutateDigest: false, verifyDigest: false, required: false },
      // The lists below say which images are looked at. A pattern here that matches none would let everything in, unseen.
      matchImageReferences: [{ glob: "*" }],
      images: [
        ...["containers", "initContainers", "ephemeralContainers"].map((name) => ({ name, expression: "[]" })),
        ...own.map(({ list, images }) => ({ name: list, expression: images })),
      ],
      attestors: own.flatMap(({ attestors }) => attestors),
      attestations: own.flatMap(({ attestations }) => attestations),
      ...(place === DEBUG ? {} : { auditAnnotations: own.flatMap(verdictsOf) }),
      variables: [...sources.variables, ...own.map(({ unsigned }) => unsigned)] as unknown as Json[],
      validations: [
        ...(isFirst ? sources.validations : []),
        ...(pins ? [stillPinned(own)] : []),
        ...own.map(({ name, refusal }) => ({
          expression: `size(variables.${name}) == 0`,
          messageExpression: refusal,
        })),
      ] as unknown as Json[],
    });
  const policies = inGroups(entries, policyOf).map(
    (policy, index): CelPolicy => ({
      ...policy,
      metadata: { ...policy.metadata, name: partName(policy.metadata.name, index + 1) },
    }),
  );
  if (!pins) return policies;
  const title = `${text.title}: tags become digests`;
  return [pinTags({ ...frame, text: { ...text, title } }, resolved.posture.images, runs), ...policies];
}

/** One policy, or as many as are needed for each to be small enough to be stored. */
function inGroups(
  entries: readonly Entry[],
  policyOf: (own: readonly Entry[], isFirst: boolean) => CelPolicy,
): CelPolicy[] {
  const bytes = (own: readonly Entry[]) => Buffer.byteLength(JSON.stringify(policyOf(own, true)));
  const frame = bytes([]);
  const groups: Entry[][] = [[]];
  let size = frame;
  for (const entry of entries) {
    const added = bytes([entry]) - frame;
    if (size + added > LARGEST_POLICY && groups.at(-1)!.length > 0) {
      groups.push([]);
      size = frame;
    }
    groups.at(-1)!.push(entry);
    size += added;
  }
  return groups.map((own, index) => policyOf(own, index === 0));
}

/**
 * Another webhook may have changed an image afterwards, and a tag may move before the image is pulled. Scans, which nobody
 * asked for, see old objects.
 */
function stillPinned(entries: readonly Entry[]): Validation {
  const tagged = entries.map(({ list }) => `images.${list}`).join(" + ");
  const found = `(${tagged}).filter(i, !i.contains('@'))`;
  return {
    expression: `request.?userInfo.?username.orValue('') == '' || size(${found}) == 0`,
    messageExpression: joined("unverified image ", { cel: shown(found) }, `: ${CHANGED_SINCE}`),
  };
}

/** Properties of a report's row by which its images are told apart: there is one row for each object and policy. */
export const VERDICTS = { signed: "-signed", unsigned: "-unsigned" } as const;

function verdictsOf({ list, name }: Entry): Json[] {
  return [
    {
      key: `${list}${VERDICTS.signed}`,
      valueExpression: `images.${list}.filter(i, !(i in variables.${name})).join(' ')`,
    },
    { key: `${list}${VERDICTS.unsigned}`, valueExpression: `variables.${name}.join(' ')` },
  ];
}

interface Entry {
  /** Of the variable with the images that lack a signature. */
  readonly name: string;
  /** Of the list of the entry's images. */
  readonly list: string;
  readonly images: string;
  readonly attestors: readonly Json[];
  readonly attestations: readonly Json[];
  readonly unsigned: Json;
  readonly refusal: string;
}

/** By numbers: an entry's own name may have characters that these names can't. */
function entryOf(context: Context, image: ImageRule, index: number): Entry {
  const { place, resolved, bypassable, plan } = context;
  const list = `entry${index}`;
  const name = `unsigned${index}`;
  const isOwn = belongsTo(image.repositories, "i");
  const isJudged = bypassable ? `!(${bypassRuns(plan.role, place)}) && ${isOwn}` : isOwn;
  const { attestors, attestations, holds } = demandsOf(image, list, resolved);
  return {
    name,
    list,
    // Where a bypass runs no registry is asked at all.
    images: `${distinct(place.images("object"))}.filter(i, ${isJudged})`,
    attestors,
    attestations,
    unsigned: { name, expression: `images.${list}.filter(i, !(${holds}))` },
    refusal: refusalOf(context, image, name),
  };
}

/** Kyverno counts signatures and forgets why one did not count, so the text says what may be wrong and who can tell. */
function refusalOf(context: Context, image: ImageRule, unsigned: string): string {
  const { resolved } = context;
  const also =
    image.attestations.length > 0
      ? ` and have signed statements of ${image.attestations.map(({ predicateType }) => predicateType).join(", ")}`
      : "";
  return joined(
    "no signature that counts for image ",
    { cel: shown(`variables.${unsigned}`) },
    `: images ${someOf(image.repositories)} must be signed by ${expectedSigners(image)}${also}. Why it does not count, image-signing-guard check IMAGE tells: it may have none, or a registry did not answer. Sign the image in that way, or deploy one that is. In an emergency: ${resolved.posture.runbookUrl}`,
    ...endedBypass(context),
  );
}
