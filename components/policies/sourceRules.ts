import { UncoveredAction } from "../args";
import { repositoriesToRegex } from "../globs";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import { looseRegex } from "../posture/spelling";
import type { NamespaceScope, Resolved } from "../posture/types";
import type { Condition, Rule } from "./clusterPolicy";
import { enforces, honoursBypass, type JudgeContext, unlessBypassed } from "./context";
import { VERDICT_ANNOTATION } from "./guardImageVerdicts";
import {
  ALL_IMAGES,
  IMAGE_KEY,
  IMAGE_REPOSITORY,
  IMAGE_TEXT,
  imagesAreNew,
  imageVolumes,
  literal,
  shownImages,
  when,
} from "./jmespath";
import { orBypassed, RULE, ruleName } from "./names";
import { type Place, PODS } from "./place";
import { matchPlace } from "./scope";
import { CHANGED_SINCE, coverAdvice, SPELLING_ADVICE, VOLUME_ADVICE } from "./words";

/**
 * What Kyverno's verification does not see: images that no signer covers (or that are spelled so that none seems to),
 * images mounted as volumes, and images that were changed after they had been verified. Kyverno shows these rules debug
 * containers too, with the annotations that the pod has. They come in two forms, so that a pod which asks for no bypass
 * does not pay for the question.
 */
export function sourceRules(context: JudgeContext, scope: NamespaceScope): Rule[] {
  const { plan, place } = context;
  const base = plan.uncovered === UncoveredAction.Refuse ? RULE.everyImageHasASigner : RULE.imagesAreSpelledPlainly;
  const validate = { deny: { conditions: { any: reasons(context), all: [when(imagesAreNew(place))] } } };
  const bypassed = { preconditions: { all: [unlessBypassed(context)] } };
  const rule = (name: string, asks: "for a bypass" | "for none" | "whatever", conditions: object = {}): Rule => ({
    name: ruleName(name, plan.scopes, scope),
    ...matchPlace(scope, place, asks),
    ...conditions,
    validate,
  });
  if (!honoursBypass(context)) return [rule(base, "whatever")];
  if (place !== PODS) return [rule(base, "whatever", bypassed)];
  return [rule(base, "for none"), rule(orBypassed(base), "for a bypass", bypassed)];
}

function reasons(context: JudgeContext): Condition[] {
  const { plan, place } = context;
  return [
    plan.uncovered === UncoveredAction.Refuse ? uncovered(context) : spelledOtherwise(context),
    imageVolume(place),
    // Audit keeps no record that says yes.
    ...(enforces(context) ? [unverified(context)] : []),
  ];
}

/** Repositories that somebody signs or that are exempt. */
function coveredRepositories({ posture }: Resolved): string[] {
  return [...posture.images, ...posture.exempt].flatMap(({ repositories }) => repositories);
}

function isOf(repositories: readonly string[]): string {
  return `regex_match(${literal(repositoriesToRegex(repositories))}, ${IMAGE_REPOSITORY})`;
}

/** The images whose repository matches none of the patterns, as a list of texts. */
export function uncoveredImages(repositories: readonly string[]): string {
  return `(${ALL_IMAGES} | [?!${isOf(repositories)}].${IMAGE_TEXT})`;
}

function uncovered({ resolved }: JudgeContext): Condition {
  const repositories = coveredRepositories(resolved);
  const found = uncoveredImages(repositories);
  const message = `no signer is configured for ${shownImages(found)}. ${coverAdvice(repositories, resolved.posture.runbookUrl)}`;
  return when(`length(${found}) > \`0\``, message);
}

/**
 * Where uncovered images are let through, another spelling of a covered one would be uncovered: upper case or a port in
 * the registry's name. Registries answer to it all the same, so it is refused.
 */
function spelledOtherwise({ resolved }: JudgeContext): Condition {
  const repositories = coveredRepositories(resolved);
  const alike = `regex_match(${literal(looseRegex(repositories))}, ${IMAGE_REPOSITORY})`;
  const found = `(${ALL_IMAGES} | [?!${isOf(repositories)} && ${alike}].${IMAGE_TEXT})`;
  const message = `${shownImages(found)} ${SPELLING_ADVICE}`;
  return when(`length(${found}) > \`0\``, message);
}

/** Kyverno does not look at images that are mounted as volumes, so nobody could say who signed them. */
function imageVolume(place: Place): Condition {
  const found = `(${imageVolumes(place, "request.object")} || \`[]\`)`;
  const message = `image volumes can't be verified: ${shownImages(found)}. ${VOLUME_ADVICE}`;
  return when(`length(${found}) > \`0\``, message);
}

/**
 * The second check, after every webhook has changed what it wanted: Kyverno's record, '{"IMAGE":true,"IMAGE":true}' in 1.10, must
 * have an entry for each image that somebody signs. Adding those entries to the record's then makes no new one. Scans
 * have no request; they verify anew. Of a debug container's request the API server has dropped the record.
 */
function unverified({ resolved }: JudgeContext): Condition {
  const signed = `(${ALL_IMAGES} | [?${isOf(resolved.posture.images.flatMap(({ repositories }) => repositories))}]`;
  const record = `split(trim((request.object.metadata.annotations."${VERDICT_ANNOTATION}" || ''), '{}'), ',')`;
  const { verifiedVerdict } = KYVERNO_LINES[resolved.posture.kyverno.target];
  const both = `[${record}, ${signed}.join('', ['"', ${IMAGE_KEY}, '":${verifiedVerdict}']))][]`;
  return when(
    `(request.uid || '') != '' && (request.subResource || '') != 'ephemeralcontainers' && length(keys(object_from_lists(${both}, \`[]\`))) > length(${record})`,
    `unverified image ${shownImages(`${signed}.${IMAGE_KEY})`)}: ${CHANGED_SINCE}`,
  );
}
