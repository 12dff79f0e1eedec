import type { Json, Manifest } from "../kubernetes/manifest";
import { ADMISSION_DEPLOYMENT, RESOURCE_WEBHOOKS } from "../posture/kyvernoWebhooks";
import { scopeHas } from "../posture/namespaces";
import type { Backstop, Posture } from "../posture/types";
import { imagesOf, inScopes, listOf, text } from "./cel";
import { admissionPolicy, resources } from "./manifests";

type WebhookKind = keyof typeof RESOURCE_WEBHOOKS;

/** What Kyverno must be asked about: pods that start, images that change, debug containers. */
const JUDGED = [
  ["pods", "CREATE"],
  ["pods", "UPDATE"],
  ["pods/ephemeralcontainers", "UPDATE"],
] as const;

const STARTS = [
  resources("", "v1", ["pods"], ["CREATE"]),
  resources("", "v1", ["pods/ephemeralcontainers"], ["UPDATE"]),
];
const CHANGES = [resources("", "v1", ["pods"], ["UPDATE"])];

/**
 * Kyverno takes its own webhooks away: emptied when it has not heard from itself for 100 s, deleted when it is scaled to
 * nothing. These policies read the very configurations, so that in enforced namespaces nothing starts until the webhooks
 * are back.
 */
export function webhookPolicies(posture: Posture, backstop: Backstop): Manifest[] {
  if (backstop.scopes.length === 0) return [];
  return (["mutating", "validating"] as const).flatMap((kind) => webhookPolicy(kind, posture, backstop));
}

function webhookPolicy(kind: WebhookKind, posture: Posture, { scopes }: Backstop): Manifest[] {
  const { configuration, failing } = RESOURCE_WEBHOOKS[kind];
  const { namespace } = posture.kyverno;
  const changed = `request.operation == 'CREATE' || request.?subResource.orValue('') != '' || ${imagesOf("object")} != ${imagesOf("oldObject")}`;
  const spec: Json = {
    paramKind: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: kind === "mutating" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
    },
    matchConstraints: { matchPolicy: "Equivalent", resourceRules: [...STARTS, ...CHANGES] },
    matchConditions: [
      { name: "enforced", expression: inScopes(scopes) },
      { name: "images", expression: changed },
    ],
    validations: [
      {
        expression: isRegistered(failing, systemNames(posture)),
        message: `Kyverno's webhook ${failing} is not registered for all pods, so nothing can be verified and nothing may start here. It comes back by itself once Kyverno runs. Why it is gone: image-signing-guard doctor; try: kubectl -n ${namespace} rollout restart deployment ${ADMISSION_DEPLOYMENT}`,
        reason: "Forbidden",
      },
    ],
  };
  return admissionPolicy(`image-signing-guard-${kind}-webhook`, spec, [
    {
      // Where the configuration is gone altogether, the API server tells nothing but these names.
      name: `run-image-signing-guard-doctor-${kind}`,
      paramRef: { name: configuration, parameterNotFoundAction: "Deny" },
      matchResources: {
        matchPolicy: "Equivalent",
        // Asked before any condition: an absent configuration refuses in every namespace that this lets through.
        namespaceSelector: { matchExpressions: notIn(neverEnforced(posture, scopes)) },
        resourceRules: STARTS,
      },
    },
    {
      // Not refused without a configuration: that would also stop a finalizer's removal and every other update.
      name: `run-image-signing-guard-doctor-${kind}-update`,
      paramRef: { name: configuration, parameterNotFoundAction: "Allow" },
      matchResources: { matchPolicy: "Equivalent", resourceRules: CHANGES },
    },
  ]);
}

/** The wanted webhook fails closed, is called for all that matters, and leaves out no more than the system's namespaces. */
function isRegistered(name: string, system: readonly string[]): string {
  const called = JUDGED.map(([resource, operation]) => {
    const everything = resource === "pods" ? ["*", "*/*"] : ["pods/*", "*/*"];
    return `w.rules.exists(r, ${[
      "r.apiGroups.exists(g, g in ['', '*'])",
      "r.apiVersions.exists(v, v in ['v1', '*'])",
      `r.resources.exists(n, n in ${listOf([resource, ...everything])})`,
      `r.operations.exists(o, o in ${listOf([operation, "*"])})`,
      "r.?scope.orValue('*') != 'Cluster'",
    ].join(" && ")})`;
  });
  return `params.?webhooks.orValue([]).exists(w, ${[
    `w.name == ${text(name)}`,
    "w.failurePolicy == 'Fail'",
    "size(w.?matchConditions.orValue([])) == 0",
    "size(w.?objectSelector.?matchLabels.orValue({})) == 0",
    "size(w.?objectSelector.?matchExpressions.orValue([])) == 0",
    "size(w.?namespaceSelector.?matchLabels.orValue({})) == 0",
    `w.?namespaceSelector.?matchExpressions.orValue([]).all(e, e.key == 'kubernetes.io/metadata.name' && e.operator == 'NotIn' && e.values.all(n, n in ${listOf(system)}))`,
    ...called,
  ].join(" && ")})`;
}

function systemNames({ namespaces }: Posture): string[] {
  return namespaces.find(({ name }) => name === "system")!.patterns;
}

/** Names, without wildcards, that no enforced scope has: all that a selector of the API server can tell apart. */
function neverEnforced(posture: Posture, scopes: Backstop["scopes"]): string[] {
  const named = posture.namespaces.flatMap(({ patterns, except }) => [...patterns, ...except]);
  const names = [...new Set(named)].filter((name) => !/[*?]/.test(name));
  return names.filter((name) => !scopes.some((scope) => scopeHas(scope, name))).sort();
}

export function notIn(names: readonly string[]): Json[] {
  return [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: [...names] }];
}
