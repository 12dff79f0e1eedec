import { type Json, MANAGED_BY, type Manifest } from "../../kubernetes/manifest";
import { inScopes, text } from "../../posture/cel";
import type { NamespaceScope, PolicyPlan } from "../../posture/types";
import type { PolicyText } from "../clusterPolicy";
import { ROLE_LABEL } from "../names";
import type { CelPlace } from "./place";

export const CEL_API = "policies.kyverno.io/v1";

export interface CelPolicy extends Manifest {
  readonly apiVersion: typeof CEL_API;
  readonly kind: "ImageValidatingPolicy" | "MutatingPolicy" | "ValidatingPolicy";
  readonly spec: Json;
}

export interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
}

export interface Frame {
  readonly plan: Pick<PolicyPlan, "name" | "role" | "mode" | "failurePolicy" | "timeoutSeconds" | "scopes">;
  readonly place: Pick<CelPlace, "suffix" | "rules">;
  readonly text: PolicyText;
  /** Beside that of the scopes. The API server asks them itself, so only what plain Kubernetes knows may stand there. */
  readonly conditions: readonly { readonly name: string; readonly expression: string }[];
  /** Whether requests are judged; else only what runs. */
  readonly admission: boolean;
  readonly background: boolean;
}

/** The frame that every policy shares. Fields that would be defaulted are written out, so that nothing drifts. */
export function celPolicy(kind: CelPolicy["kind"], frame: Frame, spec: Json): CelPolicy {
  const { plan, place, text: words } = frame;
  return {
    apiVersion: CEL_API,
    kind,
    metadata: {
      name: `${plan.name}${place.suffix}`,
      labels: { ...MANAGED_BY, [ROLE_LABEL]: plan.role },
      annotations: {
        "policies.kyverno.io/title": words.title,
        "policies.kyverno.io/category": "Software Supply Chain Security",
        "policies.kyverno.io/severity": words.severity,
        "policies.kyverno.io/subject": "Pod",
        "policies.kyverno.io/description": words.description,
      },
    },
    spec: {
      ...(kind === "MutatingPolicy" ? {} : { validationActions: [plan.mode === "enforce" ? "Deny" : "Audit"] }),
      failurePolicy: plan.failurePolicy,
      // Gives the policy a webhook of its own: two policies in one call wait for each other for ever (kyverno#17275).
      webhookConfiguration: { timeoutSeconds: plan.timeoutSeconds },
      evaluation: {
        admission: { enabled: frame.admission },
        background: { enabled: frame.background && kind !== "MutatingPolicy" },
        ...(kind === "MutatingPolicy" ? { mutateExisting: { enabled: false }, skipBackgroundRequests: false } : {}),
      },
      matchConstraints: { resourceRules: [...place.rules] },
      matchConditions: matchConditions(plan.scopes, frame.conditions),
      ...spec,
    },
  };
}

export const NAMESPACES_CONDITION = "namespaces";

/** Whether a condition on namespaces, as it is written here, holds for one. Another's text holds for none. */
export function scopesHold(expression: string, namespace: string): boolean {
  return expression.split(" || ").some((scope) => {
    const parts = scope.replace(/^\(|\)$/g, "").split(" && ");
    return parts.every((part) => {
      const [, not, pattern] = /^(!?)request\.namespace\.matches\('([^']*)'\)$/.exec(part) ?? [];
      return pattern !== undefined && new RegExp(pattern).test(namespace) === (not === "");
    });
  });
}

function matchConditions(scopes: readonly NamespaceScope[], conditions: Frame["conditions"]): Json[] {
  const where = inScopes(scopes);
  return [...(where === "true" ? [] : [{ name: NAMESPACES_CONDITION, expression: where }]), ...conditions];
}

/** A text, or an expression of one. */
export type Text = string | { readonly cel: string };

export function joined(...parts: readonly Text[]): string {
  return parts.map((part) => (typeof part === "string" ? text(part) : `(${part.cel})`)).join(" + ");
}
