/**
 * JMESPath fragments as Kyverno 1.10 evaluates them. Everything here goes inside one `{{ }}`; Kyverno reads such a
 * block with a regular expression that ends at the first `}`, so no fragment may hold a JSON object.
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

/** An annotation of the pod, or of the pod template where Kyverno rewrites the rule for controllers; '' if absent. */
export function podAnnotation(object: "request.object" | "request.oldObject", name: string): string {
  return `(${object}.metadata.annotations."${name}" || '')`;
}

/** Every image of the request, init and ephemeral containers included, as {registry, path, tag, digest}; none on deletion. */
export const ALL_IMAGES = "(images.[containers, initContainers, ephemeralContainers][?@].values(@)[] || `[]`)";

/** The image texts of a pod in order, image volumes included; Kyverno rewrites the path for controllers. */
export function imageTexts(object: "request.object" | "request.oldObject"): string {
  return `[${object}.spec.[containers, initContainers, ephemeralContainers][].image, ${object}.spec.volumes[].image.reference]`;
}

/** False on an update that leaves the images alone: who labels or scales an old workload is not deploying an image. */
export const IMAGES_ARE_NEW = `(request.operation != 'UPDATE' || to_string(${imageTexts("request.object")}) != to_string(${imageTexts("request.oldObject")}))`;

/** Registry and repository of the current image in a projection. */
export const IMAGE_REPOSITORY = "join('/', [registry, path])";

/** The current image as a person writes it. */
export const IMAGE_TEXT =
  "join('', [registry, '/', path, tag && join('', [':', tag]) || '', digest && join('', ['@', digest]) || ''])";
