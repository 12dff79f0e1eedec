import type { Condition } from "./clusterPolicy";
import type { Place, Side } from "./place";

/**
 * JMESPath fragments as Kyverno 1.10 evaluates them. Everything here goes inside one `{{ }}`; Kyverno reads such a
 * block with a regular expression that allows braces inside only in pairs without other braces between them.
 */

/** A raw string literal, in which a backslash is itself and only a quote needs one. */
export function literal(text: string): string {
  return `'${text.replace(/'/g, "\\'")}'`;
}

/** A JSON literal list of strings. */
export function listLiteral(items: readonly string[]): string {
  return `\`${JSON.stringify(items).replace(/`/g, "\\`")}\``;
}

export function variable(expression: string): string {
  return `{{ ${expression} }}`;
}

/** A condition that holds when the expression is true. */
export function when(expression: string, message?: string): Condition {
  return { key: variable(expression), operator: "Equals", value: true, ...(message ? { message } : {}) };
}

/** A condition that holds when the expression is false. */
export function unless(expression: string, message?: string): Condition {
  return { ...when(expression, message), value: false };
}

/**
 * Text of a request as a message may show it. Kyverno evaluates a message again after it has filled it in, so an
 * expression in it would run: without braces it is none. Long texts are cut.
 */
export function shown(expression: string, most = 500): string {
  return variable(`truncate(regex_replace_all('[{}]', ${expression}, ''), \`${most}\`)`);
}

/** An annotation of the pod or template; '' if absent. */
export function podAnnotation(place: Place, side: Side, name: string): string {
  return `(${place.pod(side)}.metadata.annotations."${name}" || '')`;
}

/** Several images: a report is read for their names, so there is room for some more. */
export function shownImages(list: string): string {
  return shown(`join(', ', ${list})`, 2000);
}

/** Every image of the request, init and ephemeral containers included, as {registry, path, tag, digest}. */
export const ALL_IMAGES = "(images.[containers, initContainers, ephemeralContainers][?@].values(@)[] || `[]`)";

/** References of images that are mounted as volumes, which Kyverno does not look at. */
export function imageVolumes(place: Place, side: Side): string {
  return `${place.pod(side)}.spec.volumes[?image].image.reference`;
}

/** The image texts of a pod in order, image volumes included. */
export function imageTexts(place: Place, side: Side): string {
  return `[${place.pod(side)}.spec.[containers, initContainers, ephemeralContainers][].image, ${imageVolumes(place, side)}]`;
}

/** False on an update that leaves the images alone: who labels or scales an old workload is not deploying an image. */
export function imagesAreNew(place: Place): string {
  return `request.operation != 'UPDATE' || to_string(${imageTexts(place, "request.object")}) != to_string(${imageTexts(place, "request.oldObject")})`;
}

/** Registry and repository of the current image in a projection. */
export const IMAGE_REPOSITORY = "join('/', [registry, path])";

/** The current image as a person writes it. */
export const IMAGE_TEXT =
  "join('', [registry, '/', path, tag && join('', [':', tag]) || '', digest && join('', ['@', digest]) || ''])";

/** The current image as Kyverno's record names it: without the tag where there is a digest. */
export const IMAGE_KEY = "join('', [registry, '/', path, digest && join('', ['@', digest]) || join('', [':', tag])])";
