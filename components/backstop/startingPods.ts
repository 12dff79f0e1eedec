import type { Json } from "../kubernetes/manifest";
import { imagesOf, inScopes } from "../posture/cel";
import { scopeHas } from "../posture/namespaces";
import type { Backstop, Posture } from "../posture/types";
import { type Binding, resources } from "./manifests";

/** Requests by which an image starts: a pod, a debug container. */
export const STARTS = [
  resources("", "v1", ["pods"], ["CREATE"]),
  resources("", "v1", ["pods/ephemeralcontainers"], ["UPDATE"]),
];
/** Requests that may change the image of a pod that runs. */
const CHANGES = [resources("", "v1", ["pods"], ["UPDATE"])];

/** The part of a policy's spec by which it is asked about images that were not there before, in enforced namespaces. */
export function imagesThatMayBeNew(scopes: Backstop["scopes"]): Json {
  const changed = `request.operation == 'CREATE' || request.?subResource.orValue('') != '' || ${imagesOf("object")} != ${imagesOf("oldObject")}`;
  return {
    matchConstraints: { matchPolicy: "Equivalent", resourceRules: [...STARTS, ...CHANGES] },
    matchConditions: [
      { name: "enforced", expression: inScopes(scopes) },
      { name: "images", expression: changed },
    ],
  };
}

/**
 * Where the parameter is absent nothing starts: the API server asks for parameters before any condition, and of
 * namespaces it can only tell names apart, so those that are never enforced and named without a wildcard are left out.
 * Updates go on then, since a finalizer's removal is one too.
 */
export function bindingsTo(paramRef: Json, name: string, posture: Posture, scopes: Backstop["scopes"]): Binding[] {
  const named = posture.namespaces.flatMap(({ patterns, except }) => [...patterns, ...except]);
  const names = [...new Set(named)].filter((pattern) => !/[*?]/.test(pattern));
  const never = names.filter((candidate) => !scopes.some((scope) => scopeHas(scope, candidate))).sort();
  return [
    {
      // Where the parameter is gone altogether, the API server tells nothing but the names.
      name,
      paramRef: { ...paramRef, parameterNotFoundAction: "Deny" },
      matchResources: {
        matchPolicy: "Equivalent",
        namespaceSelector: { matchExpressions: notIn(never) },
        resourceRules: STARTS,
      },
    },
    {
      name: `${name}-update`,
      paramRef: { ...paramRef, parameterNotFoundAction: "Allow" },
      matchResources: { matchPolicy: "Equivalent", resourceRules: CHANGES },
    },
  ];
}

export function notIn(names: readonly string[]): Json[] {
  return [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: [...names] }];
}
