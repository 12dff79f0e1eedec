import { type Json, MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import { ROLE_LABEL } from "../policies/names";

const API = "admissionregistration.k8s.io/v1";
export const BACKSTOP_LABELS = { ...MANAGED_BY, [ROLE_LABEL]: "backstop" } as const;

/** Finds the backstop's objects in a cluster. */
export const BACKSTOP_SELECTOR = `${ROLE_LABEL}=${BACKSTOP_LABELS[ROLE_LABEL]}`;

export interface Binding {
  readonly name: string;
  readonly paramRef?: Json;
  readonly matchResources?: Json;
}

/** A ValidatingAdmissionPolicy with its bindings. What the API server would default is written out, so nothing drifts. */
export function admissionPolicy(name: string, spec: Json, bindings: readonly Binding[]): Manifest[] {
  return [
    {
      apiVersion: API,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name, labels: { ...BACKSTOP_LABELS } },
      spec: { failurePolicy: "Fail", ...spec },
    },
    ...bindings.map(({ name: bindingName, paramRef, matchResources }) => ({
      apiVersion: API,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name: bindingName, labels: { ...BACKSTOP_LABELS } },
      spec: {
        policyName: name,
        validationActions: ["Deny"],
        ...(paramRef ? { paramRef } : {}),
        ...(matchResources ? { matchResources } : {}),
      },
    })),
  ];
}

/** One line of `resourceRules`. */
export function resources(apiGroup: string, apiVersion: string, names: string[], operations: string[]): Json {
  return { apiGroups: [apiGroup], apiVersions: [apiVersion], resources: names, operations };
}
