import type { Json, Manifest } from "../kubernetes/manifest";
import { GUARDS, JUDGES, type PolicyRole, ROLE, ROLE_LABEL } from "../policies/names";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import type { Backstop, Posture } from "../posture/types";
import { admissionPolicy } from "./manifests";
import { bindingsTo, imagesThatMayBeNew } from "./startingPods";

/** The ValidatingAdmissionPolicy, as its refusals name it. */
export const READY_POLICIES = "image-signing-guard-ready-policies";

/**
 * How long Kyverno's replicas may take to judge by a policy that says it is ready: each hears of it by itself, and asks
 * the API server what its kinds are before it counts.
 */
export const SETTLE_SECONDS = 5;

/** Finds the policies that must be Ready. */
const JUDGING = [...GUARDS, ...JUDGES];
export const JUDGING_SELECTOR = `${ROLE_LABEL} in (${JUDGING.join(",")})`;

/**
 * Kyverno 1.19 judges by no policy that is not Ready, and answers "allowed" instead: so it is with a new one, and where
 * somebody wrote its status. In enforced namespaces nothing starts then.
 * For a pod the time of its creation is the API server's own; for a change of a running pod there is no such time.
 */
export function readyPolicies(posture: Posture, { scopes }: Backstop): Manifest[] {
  if (scopes.length === 0 || !KYVERNO_LINES[posture.kyverno.target].ignoresUnreadyPolicies) return [];
  const form = posture.kyverno.policies ? CEL_FORM : CLUSTER_POLICY_FORM;
  return form
    .filter(({ roles }) => posture.policies.some(({ role }) => roles.includes(role)))
    .flatMap(({ name, binding, apiVersion, kind, roles, ready }) => {
      const spec: Json = {
        paramKind: { apiVersion, kind },
        ...imagesThatMayBeNew(scopes),
        validations: [{ expression: ready, message: MESSAGE, reason: "Forbidden" }],
      };
      const selector = { matchExpressions: [{ key: ROLE_LABEL, operator: "In", values: [...roles] }] };
      return admissionPolicy(name, spec, bindingsTo({ selector }, binding, posture, scopes));
    });
}

const MESSAGE = `a policy that judges images is not ready, or has been for less than ${SETTLE_SECONDS} s, so Kyverno would let everything in. It becomes ready by itself once Kyverno runs; try again, then: image-signing-guard doctor`;

const SETTLED = `(request.operation != 'CREATE' || timestamp(object.metadata.creationTimestamp) - timestamp(c.lastTransitionTime) > duration('${SETTLE_SECONDS}s'))`;

interface ReadyForm {
  readonly name: string;
  readonly binding: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly roles: readonly PolicyRole[];
  readonly ready: string;
}

const CLUSTER_POLICY_FORM: readonly ReadyForm[] = [
  {
    name: READY_POLICIES,
    binding: "run-image-signing-guard-doctor-ready-policies",
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    roles: JUDGING,
    ready: `params.?status.?conditions.orValue([]).exists(c, c.type == 'Ready' && c.status == 'True' && ${SETTLED})`,
  },
];

/** Policies that only report may have no webhook. Rights for reports, which these count for ready too, are another matter. */
const REGISTERED = `!('Deny' in params.spec.validationActions) || params.?status.?conditionStatus.?conditions.orValue([]).exists(c, c.type == 'WebhookConfigured' && c.status == 'True' && ${SETTLED})`;

const CEL_FORM: readonly ReadyForm[] = [
  {
    name: READY_POLICIES,
    binding: "run-image-signing-guard-doctor-ready-policies",
    apiVersion: "policies.kyverno.io/v1",
    kind: "ImageValidatingPolicy",
    roles: JUDGES,
    ready: REGISTERED,
  },
  {
    name: `${READY_POLICIES}-guards`,
    binding: "run-image-signing-guard-doctor-ready-guards",
    apiVersion: "policies.kyverno.io/v1",
    kind: "ValidatingPolicy",
    roles: [ROLE.bypass],
    ready: REGISTERED,
  },
];
