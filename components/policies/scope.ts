import type { Json } from "../kubernetes/manifest";
import type { NamespaceScope } from "../posture/types";

/** `match` and `exclude` for pods of a scope. Only names and wildcards: a label could be flipped by a pod's author. */
export function matchPods(scope: NamespaceScope): Json {
  return {
    match: {
      any: [{ resources: { kinds: ["Pod"], ...(scope.include.length > 0 ? { namespaces: scope.include } : {}) } }],
    },
    ...(scope.exclude.length > 0 ? { exclude: { any: [{ resources: { namespaces: scope.exclude } }] } } : {}),
  };
}

/** The same for objects of any kinds, for rules that look at the object itself and not at its pod template. */
export function matchKinds(scope: NamespaceScope, kinds: readonly string[], operations?: readonly string[]): Json {
  return {
    match: {
      any: [
        {
          resources: {
            kinds,
            ...(operations ? { operations } : {}),
            ...(scope.include.length > 0 ? { namespaces: scope.include } : {}),
          },
        },
      ],
    },
    ...(scope.exclude.length > 0 ? { exclude: { any: [{ resources: { namespaces: scope.exclude } }] } } : {}),
  };
}
