import { type Json, MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import type { PolicyPlan } from "../posture/types";
import { AUTOGEN_ANNOTATION, ROLE_LABEL } from "./names";

/** The part of Kyverno 1.10's ClusterPolicy that the guard writes. */
export interface ClusterPolicy extends Manifest {
  readonly apiVersion: "kyverno.io/v1";
  readonly kind: "ClusterPolicy";
  readonly spec: {
    readonly validationFailureAction: "Enforce" | "Audit";
    readonly background: boolean;
    readonly failurePolicy: "Fail" | "Ignore";
    readonly webhookTimeoutSeconds: number;
    readonly rules: readonly Rule[];
  };
}

export type Rule = {
  readonly name: string;
  readonly match: Filter<Resources>;
  readonly exclude?: Filter<Partial<Resources>>;
  readonly preconditions?: { readonly all: readonly Condition[] };
  /** Where the images of a kind are, in place of where Kyverno looks by itself. */
  readonly imageExtractors?: Readonly<Record<string, readonly ImageExtractor[]>>;
} & (
  | { readonly verifyImages: readonly ImageVerification[] }
  | { readonly validate: Validation }
  | { readonly mutate: { readonly patchesJson6902: string } }
);

export interface ImageExtractor {
  readonly path: string;
  readonly key: string;
  readonly value: string;
  readonly name: string;
}

export interface Validation {
  readonly deny: { readonly conditions: DenyConditions };
  /** Of later lines than 1.10. */
  readonly allowExistingViolations?: boolean;
}

export interface Filter<T> {
  readonly any: readonly { readonly resources: T }[];
}

export interface Resources {
  readonly kinds: readonly string[];
  readonly operations?: readonly Operation[];
  readonly namespaces?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export type Operation = "CREATE" | "UPDATE";

export interface Condition {
  readonly key: string | number;
  readonly operator: "Equals";
  readonly value: string | number | boolean;
  /** Shown when a precondition does not hold, or when a reason to deny does. */
  readonly message?: string;
}

/** Denies when one of `any` and all of `all` hold; the message of the first of `any` is shown. */
export interface DenyConditions {
  readonly any: readonly Condition[];
  readonly all?: readonly Condition[];
}

export interface ImageVerification {
  /** Absent for Cosign's tag format. */
  readonly type?: "SigstoreBundle" | "Notary";
  readonly imageReferences: readonly string[];
  readonly repository?: string;
  readonly attestors?: readonly AttestorSet[];
  readonly attestations?: readonly AttestationCheck[];
  readonly mutateDigest: boolean;
  readonly verifyDigest: boolean;
  readonly required: boolean;
  /** Of later lines than 1.10. */
  readonly useCache?: false;
}

export interface AttestationCheck {
  readonly predicateType: string;
  readonly attestors: readonly AttestorSet[];
  readonly conditions?: readonly Json[];
}

export interface AttestorSet {
  readonly count: number;
  readonly entries: readonly Attestor[];
}

interface Logs {
  readonly rekor?: { readonly url: string; readonly ignoreTlog?: boolean };
  readonly ctlog?: { readonly ignoreSCT: boolean };
}

export type Attestor =
  | {
      readonly keyless: Logs & {
        readonly issuer: string;
        readonly subject?: string;
        /** Of bundles, in place of the subject. */
        readonly subjectRegExp?: string;
        readonly additionalExtensions?: Readonly<Record<string, string>>;
        /** Absent for bundles, whose anchors come from elsewhere. */
        readonly roots?: string;
      };
    }
  | {
      readonly keys: Logs & {
        readonly publicKeys?: string;
        readonly kms?: string;
        readonly secret?: { readonly name: string; readonly namespace: string };
        readonly signatureAlgorithm: "sha256" | "sha512";
      };
    }
  | { readonly certificates: Logs & { readonly cert?: string; readonly certChain?: string } };

export interface PolicyText {
  readonly title: string;
  readonly severity: "low" | "medium" | "high";
  readonly description: string;
}

type FramePlan = Pick<PolicyPlan, "name" | "role" | "mode" | "failurePolicy" | "timeoutSeconds">;

/** The frame that every policy shares. Fields that Kyverno would default are written out, so that nothing drifts. */
export function clusterPolicy(
  plan: FramePlan,
  text: PolicyText,
  spec: { background: boolean; rules: readonly Rule[] },
): ClusterPolicy {
  return {
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    metadata: {
      name: plan.name,
      labels: { ...MANAGED_BY, [ROLE_LABEL]: plan.role },
      annotations: {
        [AUTOGEN_ANNOTATION]: "none",
        "policies.kyverno.io/title": text.title,
        "policies.kyverno.io/category": "Software Supply Chain Security",
        "policies.kyverno.io/severity": text.severity,
        "policies.kyverno.io/subject": "Pod",
        "policies.kyverno.io/description": text.description,
      },
    },
    spec: {
      validationFailureAction: plan.mode === "enforce" ? "Enforce" : "Audit",
      background: spec.background,
      failurePolicy: plan.failurePolicy,
      webhookTimeoutSeconds: plan.timeoutSeconds,
      rules: spec.rules,
    },
  };
}

/** The same policy for a line that would excuse updates of what is refused already. */
export function excusingNothing(policy: ClusterPolicy): ClusterPolicy {
  const rules = policy.spec.rules.map((rule) =>
    "validate" in rule ? { ...rule, validate: { ...rule.validate, allowExistingViolations: false } } : rule,
  );
  return { ...policy, spec: { ...policy.spec, rules } };
}
