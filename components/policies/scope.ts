import type { NamespaceScope } from "../posture/types";
import { SKIP_ANNOTATION } from "./bypassTerms";
import type { Filter, Operation, Resources } from "./clusterPolicy";
import { DEBUG, type Place, PODS } from "./place";

type Matching = { readonly match: Filter<Resources>; readonly exclude?: Filter<Partial<Resources>> };

/**
 * `match` and `exclude` for what lies in a scope. Only names and wildcards: a label could be flipped by a pod's author.
 * Only CREATE and UPDATE: Kyverno shows a rule the old object on DELETE, and nothing may keep that from going.
 */
export function matchKinds(
  scope: NamespaceScope,
  kinds: readonly string[],
  more: Partial<Resources> = {},
  excluded: readonly Partial<Resources>[] = [],
): Matching {
  const operations: readonly Operation[] = ["CREATE", "UPDATE"];
  const namespaces = scope.include.length > 0 ? { namespaces: scope.include } : {};
  const exclude = [...(scope.exclude.length > 0 ? [{ namespaces: scope.exclude }] : []), ...excluded];
  return {
    match: { any: [{ resources: { kinds, operations, ...namespaces, ...more } }] },
    ...(exclude.length > 0 ? { exclude: { any: exclude.map((resources) => ({ resources })) } } : {}),
  };
}

/** Pods are matched by whether they ask for a bypass, which costs nothing; a template's annotations can't be. */
export type Asks = "for a bypass" | "for none" | "whatever";

const ASKING = { annotations: { [SKIP_ANNOTATION]: "*" } };

export function matchPlace(scope: NamespaceScope, place: Place, asks: Asks, debugApart = false): Matching {
  return matchKinds(scope, place.kinds, asks === "for a bypass" ? ASKING : {}, [
    ...(asks === "for none" ? [ASKING] : []),
    // Kyverno takes a debug container's request for one of its pod.
    ...(debugApart && place === PODS ? [{ kinds: DEBUG.kinds }] : []),
  ]);
}
