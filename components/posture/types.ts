import type {
  AlertName,
  AlertSeverity,
  FailurePolicy,
  GuardMode,
  KyvernoPlatform,
  KyvernoTarget,
  MetricsScrape,
  TagHandling,
  TrustRoot,
  UncoveredAction,
} from "../args";
import type { PolicyRole } from "../policies/names";

/**
 * What will be enforced, fully defaulted and serialisable. Everything else is derived from it: the resources, the
 * rendered YAML, the first lines of every preview. Key material is named by fingerprint; the PEM itself is in
 * {@link Materials}.
 */
export interface Posture {
  readonly mode: GuardMode;
  readonly namespaces: NamespaceGroup[];
  readonly images: ImageRule[];
  readonly exempt: ExemptImages[];
  readonly tags: TagHandling;
  readonly policies: PolicyPlan[];
  readonly bypass: Bypass | "off";
  readonly suspended: Suspension[];
  readonly trust: Trust;
  readonly kyverno: KyvernoPlan;
  /** Absent where the API server itself refuses nothing. */
  readonly backstop?: Backstop;
  readonly runbookUrl: string;
  readonly extraPolicies: string[];
  /** Absent where nothing is monitored. */
  readonly monitoring?: Monitoring;
}

/** Namespaces that share a mode. `system` has none: Kyverno is never asked about it. */
export interface NamespaceGroup {
  readonly name: string;
  readonly mode: GuardMode | "excluded";
  /** Names or wildcards; an empty list with the name `applications` is every namespace that no other group has. */
  readonly patterns: string[];
  /** Narrower patterns that another group has taken out of this one. */
  readonly except: string[];
}

export interface ImageRule {
  readonly name: string;
  readonly repositories: string[];
  readonly signers: Signer[];
  readonly threshold: number;
  readonly signatureRepository?: string;
  readonly attestations: Attestation[];
}

export interface Attestation {
  readonly predicateType: string;
  readonly signers: Signer[];
  readonly threshold: number;
  readonly conditions: Record<string, unknown>[];
}

export type Signer = KeylessSigner | KeySigner | CertificateSigner;

export interface KeylessSigner {
  readonly kind: "keyless";
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Record<string, string>;
}

export interface KeySigner {
  readonly kind: "key";
  /** Fingerprint of the public key. */
  readonly publicKey?: string;
  readonly kms?: string;
  readonly secretName?: string;
  readonly signatureAlgorithm: "sha256" | "sha512";
}

export interface CertificateSigner {
  readonly kind: "certificate";
  /** Fingerprints. */
  readonly certificate?: string;
  readonly chain?: string;
}

export interface ExemptImages {
  readonly repositories: string[];
  readonly reason: string;
}

/** Namespaces of one rule: those that match `include` (empty: all) and none of `exclude`. */
export interface NamespaceScope {
  readonly name: string;
  readonly include: string[];
  readonly exclude: string[];
}

export interface PolicyPlan {
  /** metadata.name in the cluster. */
  readonly name: string;
  /** The name that people use for it: in `suspend` and in the bypass annotation. */
  readonly role: PolicyRole;
  readonly mode: GuardMode;
  readonly failurePolicy: FailurePolicy;
  readonly timeoutSeconds: number;
  readonly scopes: NamespaceScope[];
  readonly uncovered: UncoveredAction;
}

export interface Bypass {
  readonly groups: string[];
  readonly users: string[];
  readonly maxHours: number;
}

/** What the API server itself refuses, whatever becomes of Kyverno. */
export interface Backstop {
  /** Where no pod starts while Kyverno's webhooks are not registered as they must be; empty for nowhere. */
  readonly scopes: NamespaceScope[];
  /** Who may write namespaced Kyverno policies. */
  readonly policyAuthors: { readonly groups: string[]; readonly users: string[] };
  /** Most containers of a pod; absent where no pod is too large. */
  readonly maxContainers?: number;
}

export interface Suspension {
  readonly policy: string;
  readonly reason: string;
  readonly until: string;
}

export interface Trust {
  readonly root: TrustRoot;
  /** Fingerprints of what is trusted, absent where nothing is. */
  readonly fulcioCertificates: string[];
  readonly rekor?: { readonly url: string; readonly publicKey: string };
  readonly ctLogPublicKey?: string;
  /** Where these stop being valid, ISO date, if they do. */
  readonly validUntil?: string;
}

export interface RegistryIdentity {
  readonly awsRoleArn?: string;
  readonly azureClientId?: string;
  readonly googleServiceAccount?: string;
}

export interface Proxy {
  readonly http?: string;
  readonly https?: string;
  readonly noProxy: string[];
}

export interface KyvernoPlan {
  readonly target: KyvernoTarget;
  readonly chartVersion: string;
  readonly appVersion: string;
  readonly chart: { readonly name: string; readonly repository?: string };
  readonly namespace: string;
  readonly releaseName: string;
  readonly replicas: 1 | 3;
  readonly priorityClassName: string;
  readonly imageRegistry: string;
  readonly imagePullSecrets: string[];
  readonly registrySecrets: string[];
  /** Cloud identities, absent where none is given. */
  readonly registryIdentity?: RegistryIdentity;
  /** Fingerprints of the authorities of registries, absent where only the public ones count. */
  readonly registryCa?: string[];
  readonly proxy?: Proxy;
  readonly platform?: KyvernoPlatform;
  readonly hostNetwork?: boolean;
  readonly kubectlImage: string;
  readonly memoryLimit: string;
  /** Absent where anybody may call Kyverno's webhooks. */
  readonly apiServerAddresses?: string[];
  readonly timeoutSeconds: number;
  /** Paths of chart values that security rests on and that the user has changed, with permission. */
  readonly unsafeValues: string[];
}

/** How the guard is watched; it has no part in what gets in. */
export interface Monitoring {
  readonly prometheusOperator: boolean;
  readonly scrape: MetricsScrape;
  readonly scrapeInterval: string;
  readonly evaluationInterval: string;
  readonly window: string;
  readonly scanWindow: string;
  readonly objectLabels: Record<string, string>;
  readonly alertLabels: Record<string, string>;
  readonly runbookBaseUrl: string;
  readonly dashboards: boolean;
  /** Those that are on. */
  readonly alerts: AlertSetting[];
  readonly policyReporter: PolicyReporter | "off";
}

export interface AlertSetting {
  readonly alert: AlertName;
  readonly severity: AlertSeverity;
  readonly for: string;
  /** Absent where the alert has none. */
  readonly threshold?: number;
}

export interface PolicyReporter {
  readonly chart: { readonly name: string; readonly repository?: string };
  readonly chartVersion: string;
  readonly namespace: string;
  readonly ui: boolean;
}

/** PEM text by fingerprint, and what else is too long for a posture. */
export interface Materials {
  readonly pem: Record<string, string>;
  readonly extraPolicies: Record<string, unknown>[];
  /** The one namespace whose PolicyExceptions count; empty for none. */
  readonly exceptionsNamespace: string;
  /** The user's chart values. */
  readonly values: Record<string, unknown>;
  /** The user's values of policy-reporter's chart. */
  readonly policyReporterValues: Record<string, unknown>;
}

export interface Resolved {
  readonly posture: Posture;
  readonly materials: Materials;
  readonly warnings: string[];
}
