import type { Json, Manifest } from "../kubernetes/manifest";
import { listOf, text } from "../posture/cel";
import { ADMISSION_DEPLOYMENT, RESOURCE_WEBHOOKS } from "../posture/kyvernoWebhooks";
import type { Backstop, Posture } from "../posture/types";
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
  return (["mutating", "validating"] as const).flatMap((kind) => {
    const { failing } = RESOURCE_WEBHOOKS[kind];
    return watch(kind, posture, backstop, [validation(isRegistered(failing, systemNames(posture)), failing, posture)]);
  });
}

/** The wanted webhook fails closed, is called for all that matters, and leaves out no more than the system's namespaces. */
function isRegistered(name: string, system: readonly string[]): string {
  return registered(name, system, JUDGED, "size(w.?matchConditions.orValue([])) == 0");
}

type Judged = readonly (readonly [resource: string, operation: string])[];

function registered(name: string, system: readonly string[], judged: Judged, conditions: string): string {
  const called = judged.map(([resource, operation]) => {
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
    conditions,
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

/** How Kyverno names the webhook of a policy that has one of its own. */
const OWN_WEBHOOK: Record<WebhookKind, Record<string, string>> = {
  mutating: { MutatingPolicy: "mpol.validate.kyverno.svc-fail-finegrained-" },
  validating: {
    ImageValidatingPolicy: "ivpol.validate.kyverno.svc-fail-finegrained-",
    ValidatingPolicy: "vpol.validate.kyverno.svc-fail-finegrained-",
  },
};

interface CelSpec {
  readonly failurePolicy: string;
  readonly validationActions?: readonly string[];
  readonly matchConstraints: {
    readonly resourceRules: readonly {
      readonly resources: readonly string[];
      readonly operations: readonly string[];
    }[];
  };
  readonly matchConditions: readonly { readonly expression: string }[];
}

/** The same where each policy that refuses has a webhook, with that policy's own conditions and no others. */
export function celWebhookPolicies(posture: Posture, backstop: Backstop, policies: readonly Manifest[]): Manifest[] {
  if (backstop.scopes.length === 0) return [];
  const watched = (["mutating", "validating"] as const).flatMap((kind) => {
    const validations = policies.flatMap((policy) => ownWebhook(kind, policy, posture));
    return validations.length > 0 ? watch(kind, posture, backstop, validations) : [];
  });
  return [...watched, ...heartbeat(posture, backstop)];
}

/** The ValidatingAdmissionPolicy, as its refusals name it. */
export const HEARTBEAT = "image-signing-guard-heartbeat";

/** Kyverno's watchdog writes it every 10 s. */
export const HEALTH_LEASE = "kyverno-health";

/**
 * Policies of these kinds judge after the API server has looked at the webhooks, and when Kyverno is scaled to nothing it
 * takes them away in between. Its lease goes before them, so where that is gone nothing starts either.
 */
function heartbeat(posture: Posture, { scopes }: Backstop): Manifest[] {
  const { namespace } = posture.kyverno;
  const spec: Json = {
    paramKind: { apiVersion: "coordination.k8s.io/v1", kind: "Lease" },
    ...imagesThatMayBeNew(scopes),
    validations: [
      {
        expression: `params.metadata.name == ${text(HEALTH_LEASE)}`,
        message: `Kyverno's lease ${HEALTH_LEASE} is gone, so it is about to take its webhooks away. It comes back by itself once Kyverno runs: image-signing-guard doctor`,
        reason: "Forbidden",
      },
    ],
  };
  const lease = { name: HEALTH_LEASE, namespace };
  return admissionPolicy(
    HEARTBEAT,
    spec,
    bindingsTo(lease, "run-image-signing-guard-doctor-heartbeat", posture, scopes),
  );
}

function ownWebhook(of: WebhookKind, { kind, metadata, spec }: Manifest, posture: Posture): Json[] {
  const webhook = OWN_WEBHOOK[of][kind];
  const { failurePolicy, validationActions = ["Deny"], matchConstraints, matchConditions } = spec as CelSpec;
  if (!webhook || failurePolicy !== "Fail" || !validationActions.includes("Deny")) return [];
  const judged = matchConstraints.resourceRules.flatMap(({ resources, operations }) =>
    resources
      .filter((resource) => JUDGED.some(([known]) => known === resource))
      .map((resource) => [resource, operations[0]!] as const),
  );
  if (judged.length === 0) return [];
  const own = listOf(matchConditions.map(({ expression }) => expression));
  const conditions = `w.?matchConditions.orValue([]).all(c, c.expression in ${own})`;
  const name = `${webhook}${metadata.name}`;
  return [validation(registered(name, systemNames(posture), judged, conditions), name, posture)];
}

function validation(expression: string, webhook: string, posture: Posture): Json {
  return { expression, message: unregistered(webhook, posture), reason: "Forbidden" };
}

function watch(kind: WebhookKind, posture: Posture, { scopes }: Backstop, validations: Json[]): Manifest[] {
  const { configuration } = RESOURCE_WEBHOOKS[kind];
  const spec: Json = {
    paramKind: {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: kind === "mutating" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
    },
    ...imagesThatMayBeNew(scopes),
    validations,
  };
  const bindings = bindingsTo({ name: configuration }, `run-image-signing-guard-doctor-${kind}`, posture, scopes);
  return admissionPolicy(`image-signing-guard-${kind}-webhook`, spec, bindings);
}

function unregistered(webhook: string, { kyverno }: Posture): string {
  return `Kyverno's webhook ${webhook} is not registered for all pods, so nothing can be verified and nothing may start here. It comes back by itself once Kyverno runs. Why it is gone: image-signing-guard doctor; try: kubectl -n ${kyverno.namespace} rollout restart deployment ${ADMISSION_DEPLOYMENT}`;
}
