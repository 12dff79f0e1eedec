import { globToRegex } from "../globs";
import type { NamespaceScope } from "./types";

/** A text in CEL. */
export function text(value: string): string {
  return `'${value.replace(/[\\']/g, "\\$&")}'`;
}

export function listOf(values: readonly string[]): string {
  return `[${values.map(text).join(", ")}]`;
}

/** Whether the request's namespace is in one of the scopes. */
export function inScopes(scopes: readonly NamespaceScope[]): string {
  return scopes.map(inScope).join(" || ");
}

function inScope({ include, exclude }: NamespaceScope): string {
  const matches = (patterns: readonly string[]) =>
    `request.namespace.matches(${text(`^(?:${patterns.map((pattern) => globToRegex(pattern)).join("|")})$`)})`;
  const conditions = [
    ...(include.length > 0 ? [matches(include)] : []),
    ...(exclude.length > 0 ? [`!${matches(exclude)}`] : []),
  ];
  return conditions.length > 0 ? `(${conditions.join(" && ")})` : "true";
}

/** How many containers of all kinds a pod's spec has. */
export function containersIn(spec: string): string {
  return ["containers", "initContainers", "ephemeralContainers"]
    .map((field) => `size(${spec}.?${field}.orValue([]))`)
    .join(" + ");
}

/** Images of a pod, kind by kind. */
export function imagesOf(pod: string): string {
  return `[${["containers", "initContainers"]
    .map((field) => `${pod}.spec.?${field}.orValue([]).map(c, c.?image.orValue(''))`)
    .join(", ")}]`;
}
