import { TagHandling } from "../args";
import { imageReferences } from "../posture/images";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import type { Bypass, ImageRule, NamespaceScope, Resolved } from "../posture/types";
import { attestations, attestorSet, verifierType } from "./attestors";
import { bypassRuns, lists } from "./bypassTerms";
import type { Condition, ImageVerification, Rule } from "./clusterPolicy";
import { enforces, honoursBypass, type JudgeContext, unlessBypassed } from "./context";
import { imagesAreNew, unless, when } from "./jmespath";
import { entryRule, RULE, ruleName } from "./names";
import { DEBUG, PODS } from "./place";
import { matchPlace } from "./scope";
import { someOf } from "./someOf";
import { bypassDoesNotRun, expectedSigners } from "./words";

/** Image entries that the same people sign, under the name of the first: they share a rule and its trust anchors. */
export function signedAlike(images: readonly ImageRule[]): ImageRule[] {
  const groups = new Map<string, ImageRule>();
  for (const image of images) {
    const key = demandKey(image);
    const first = groups.get(key);
    groups.set(key, first ? { ...first, repositories: [...first.repositories, ...image.repositories] } : image);
  }
  return [...groups.values()];
}

/** The entry that an entry's rule is named after. */
export function ruleOwner(images: readonly ImageRule[], entry: ImageRule): ImageRule {
  const isSame = (image: ImageRule) => demandKey(image) === demandKey(entry);
  return images.find(isSame) ?? entry;
}

function demandKey({ name: _name, repositories: _repositories, ...demand }: ImageRule): string {
  return JSON.stringify(demand);
}

/** The rules that verify: for each signer one, in two forms for pods, so that one that asks for no bypass costs no query. */
export function verifyRules(context: JudgeContext, scope: NamespaceScope, given: readonly Condition[] = []): Rule[] {
  const { plan, place, resolved } = context;
  const { judgesUnchangedImages, tellsSkippedRules } = KYVERNO_LINES[resolved.posture.kyverno.target];
  // A debug container is new by itself; its rules see no other (below).
  const onlyIf = [...given, ...(judgesUnchangedImages && place !== DEBUG ? [when(imagesAreNew(place))] : [])];
  const images = signedAlike(resolved.posture.images);
  const bypassable = honoursBypass(context);
  return [
    ...images.flatMap((image) => [
      ...(bypassable && place === PODS
        ? [
            verifyRule(context, scope, image, "signedBy", onlyIf),
            verifyRule(context, scope, image, "orBypassed", [...onlyIf, unlessBypassed(context)]),
          ]
        : [
            verifyRule(context, scope, image, "signedBy", [
              ...onlyIf,
              ...(bypassable ? [unlessBypassed(context)] : []),
            ]),
          ]),
      ...(enforces(context) && tellsSkippedRules ? [adviceRule(context, scope, image)] : []),
    ]),
    ...(bypassable ? [endedBypassRule(context, scope, images, resolved.posture.bypass as Bypass)] : []),
  ].map((rule) => ({ ...rule, name: ruleName(rule.name, plan.scopes, scope) }));
}

function verifyRule(
  context: JudgeContext,
  scope: NamespaceScope,
  image: ImageRule,
  form: "signedBy" | "orBypassed",
  conditions: readonly Condition[],
): Rule {
  const asks = form === "orBypassed" ? "for a bypass" : asksOf(context);
  return {
    name: entryRule(form, image.name),
    ...matchPlace(scope, context.place, asks, enforces(context)),
    ...(conditions.length > 0 ? { preconditions: { all: conditions } } : {}),
    ...debugImagesAlone(context),
    verifyImages: [verification(image, context.resolved, enforces(context))],
  };
}

/** Else the images of the pod that is debugged would be judged again, and an old one could not be looked into. */
function debugImagesAlone({ place, resolved }: JudgeContext): Pick<Rule, "imageExtractors"> {
  if (place !== DEBUG || !KYVERNO_LINES[resolved.posture.kyverno.target].judgesUnchangedImages) return {};
  const extractor = { path: "/spec/ephemeralContainers/*", key: "name", value: "image", name: "ephemeralContainers" };
  return { imageExtractors: { Pod: [extractor] } };
}

/** The form for pods that ask for no bypass leaves the others out. */
function asksOf(context: JudgeContext): "for none" | "whatever" {
  return honoursBypass(context) && context.place === PODS ? "for none" : "whatever";
}

function verification(image: ImageRule, resolved: Resolved, enforcing: boolean): ImageVerification {
  return {
    ...verifierType(image),
    imageReferences: image.repositories.flatMap(imageReferences),
    ...(image.signatureRepository ? { repository: image.signatureRepository } : {}),
    attestors: [attestorSet(image.signers, image.threshold, resolved, image.format)],
    ...(image.attestations.length > 0 ? { attestations: attestations(image, resolved) } : {}),
    // Audit must neither change nor stop anything; Kyverno refuses to mutate in audit.
    mutateDigest: enforcing && resolved.posture.tags === TagHandling.Pin,
    // Would refuse every later update of an object that was admitted with a tag.
    verifyDigest: false,
    // Kyverno's second check runs once for each rule and stops at the first image that none of its patterns matches. The
    // source rule looks at the record instead.
    required: false,
    ...withoutCache(resolved),
  };
}

/**
 * A kept verdict would be believed for an hour under the tag, wherever that points by now, and its digest be pinned
 * unverified (CVE-2026-122321).
 */
function withoutCache({ posture }: Resolved): { useCache?: false } {
  return KYVERNO_LINES[posture.kyverno.target].cachesVerdictsByTag ? { useCache: false } : {};
}

/**
 * Kyverno's refusal of an image can't carry a text of ours, but it prints every rule that did not pass, skipped ones
 * with the message of their precondition. This rule is always skipped, and its message says what to do. Numbers, since
 * Kyverno reads the whole request for each text that it compares.
 */
function adviceRule({ place, resolved }: JudgeContext, scope: NamespaceScope, image: ImageRule): Rule {
  const message = [
    `images ${someOf(image.repositories)} must be signed by ${expectedSigners(image)}.`,
    "Sign the image in that way, or deploy one that is (image-signing-guard check IMAGE tells which).",
    `In an emergency: ${resolved.posture.runbookUrl}`,
  ].join(" ");
  return {
    name: entryRule("advice", image.name),
    ...matchPlace(scope, place, "whatever", true),
    preconditions: { all: [{ key: 0, operator: "Equals", value: 1, message }] },
    verifyImages: [nothingDemanded([image], resolved)],
  };
}

/** Says why an annotated workload is judged all the same; passes, and so is silent, where no bypass was asked for. */
function endedBypassRule(
  { plan, place, resolved }: JudgeContext,
  scope: NamespaceScope,
  images: readonly ImageRule[],
  bypass: Bypass,
): Rule {
  const message = bypassDoesNotRun(bypass);
  const ended = `${lists(plan.role, place)} && !(${bypassRuns(plan.role, place)})`;
  return {
    name: RULE.bypassEnded,
    ...matchPlace(scope, place, place === PODS ? "for a bypass" : "whatever", true),
    preconditions: { all: [unless(ended, message)] },
    verifyImages: [nothingDemanded(images, resolved)],
  };
}

/** Makes a rule that Kyverno lists beside those that verify these images, and that never verifies anything. */
function nothingDemanded(images: readonly ImageRule[], resolved: Resolved): ImageVerification {
  return {
    imageReferences: images.flatMap(({ repositories }) => repositories).flatMap(imageReferences),
    mutateDigest: false,
    verifyDigest: false,
    required: false,
    ...withoutCache(resolved),
  };
}
