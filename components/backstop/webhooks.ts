import type { Json, Manifest } from "../kubernetes/manifest";
import { ADMISSION_DEPLOYMENT, RESOURCE_WEBHOOKS } from "../posture/kyvernoWebhooks";
import type { Backstop, Posture } from "../posture/types";
import { listOf, text } from "./cel";
import { admissionPolicy } from "./manifests";
import { bindingsTo, imagesThatMayBeNew } from "./startingPods";

type WebhookKind = keyof typeof RESOURCE_WEBHOOKS;

/** What Kyverno must be asked about: pods that start, images that change, debug containers. */
const JUDGED = [
  ["pods", "CREATE"],
  ["pods", "UPDATE"],
  ["pods/ephemeralcontainers", "UPDATE"],
] as const;

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
  const spec: Json = {
    paramKind: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: kind === "mutating" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
    },
    ...imagesThatMayBeNew(scopes),
    validations: [
      {
        expression: isRegistered(failing, systemNames(posture)),
        message: `Kyverno's webhook ${failing} is not registered for all pods, so nothing can be verified and nothing may start here. It comes back by itself once Kyverno runs. Why it is gone: image-signing-guard doctor; try: kubectl -n ${namespace} rollout restart deployment ${ADMISSION_DEPLOYMENT}`,
        reason: "Forbidden",
      },
    ],
  };
  const bindings = bindingsTo({ name: configuration }, `run-image-signing-guard-doctor-${kind}`, posture, scopes);
  return admissionPolicy(`image-signing-guard-${kind}-webhook`, spec, bindings);
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
