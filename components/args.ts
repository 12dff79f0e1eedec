import type * as pulumi from "@pulumi/pulumi";

/** What happens to a pod whose images fail their check. */
export const GuardMode = {
  /** Admit it, and say so in the policy reports. */
  Audit: "audit",
  /** Refuse it. */
  Enforce: "enforce",
} as const;
export type GuardMode = (typeof GuardMode)[keyof typeof GuardMode];

/** What happens to an image that no entry of `images` covers. */
export const UncoveredAction = {
  /** Admit it; `audit-unsigned-images` reports it. */
  Report: "report",
  /** Treat it like an unsigned image: refused where the namespace enforces, reported where it audits. */
  Refuse: "refuse",
} as const;
export type UncoveredAction = (typeof UncoveredAction)[keyof typeof UncoveredAction];

/** What the API server does when Kyverno can't be reached or can't decide. */
export const FailurePolicy = {
  /** Refuse the request. */
  Fail: "Fail",
  /** Let the request through unchecked. */
  Ignore: "Ignore",
} as const;
export type FailurePolicy = (typeof FailurePolicy)[keyof typeof FailurePolicy];

/** Whose certificates and transparency log are believed. */
export const TrustRoot = {
  /** The public-good Sigstore instance (fulcio.sigstore.dev, rekor.sigstore.dev). */
  PublicGood: "publicGood",
  /** A Sigstore instance or certificate authority of your own. */
  Custom: "custom",
  /** Like custom, and nothing but the image registry may be contacted. */
  Offline: "offline",
} as const;
export type TrustRoot = (typeof TrustRoot)[keyof typeof TrustRoot];

/** The Kyverno line that the policies are written for. */
export const KyvernoTarget = {
  /** Kyverno 1.10.7, chart 3.0.9. */
  V1_10: "1.10",
  /** Kyverno 1.19.1, chart 3.9.1: a line that still gets fixes. */
  V1_19: "1.19",
} as const;
export type KyvernoTarget = (typeof KyvernoTarget)[keyof typeof KyvernoTarget];

/** What the guard's policies are written as. */
export const PolicyForm = {
  /** Kyverno's ClusterPolicy, which both lines know; deprecated in 1.19, and 1.20 stores none. */
  ClusterPolicy: "clusterPolicy",
  /** Kyverno's ImageValidatingPolicy and ValidatingPolicy, of `target: "1.19"`: what 1.20 and later want. */
  ImageValidatingPolicy: "imageValidatingPolicy",
} as const;
export type PolicyForm = (typeof PolicyForm)[keyof typeof PolicyForm];

/** A Kubernetes that needs other chart values than most; docs/platforms.md says which and why. */
export const KyvernoPlatform = {
  /** Red Hat OpenShift: clean-up jobs run as the user that the namespace is given. */
  OpenShift: "openshift",
  /** Azure Kubernetes Service: its admissions enforcer leaves Kyverno's webhooks alone. */
  Aks: "aks",
  /** Google Kubernetes Engine, Autopilot: requests that it does not raise or cut, no critical priority class. */
  GkeAutopilot: "gkeAutopilot",
} as const;
export type KyvernoPlatform = (typeof KyvernoPlatform)[keyof typeof KyvernoPlatform];

/** What may be wrong with a Kyverno that somebody else runs, and keep a stack that enforces from it. */
export const InstallationFinding = {
  /** The API server does not ask, or Kyverno does not look, where the stack enforces. */
  ResourceFilters: "resourceFilters",
  /** People or service accounts that no policy is applied to. */
  ExcludedCallers: "excludedCallers",
  /** A selector keeps Kyverno's webhooks from what the stack enforces. */
  WebhookSelectors: "webhookSelectors",
  /** PolicyExceptions count, and whoever may write one gets around every policy. */
  PolicyExceptions: "policyExceptions",
  /** A flag of a controller by which it refuses less. */
  ControllerFlags: "controllerFlags",
  /** A controller lacks the files without which it can't verify keyless signatures. */
  TrustFiles: "trustFiles",
  /** A controller lacks a Secret with which it reads registries. */
  RegistryAccess: "registryAccess",
  /** Admins of namespaces may write Kyverno policies, and nothing in the API server keeps them from it. */
  NamespacedPolicies: "namespacedPolicies",
  /** Somebody else's policy verifies the same images; Kyverno keeps one verdict for both. */
  OverlappingPolicies: "overlappingPolicies",
} as const;
export type InstallationFinding = (typeof InstallationFinding)[keyof typeof InstallationFinding];

/** Replicas of the admission controller. Two are refused by Kyverno 1.10. */
export const KyvernoReplicas = {
  /** One, which is away while its node is. */
  One: 1,
  /** Three for high availability, with a disruption budget, spread over nodes. */
  Three: 3,
} as const;
export type KyvernoReplicas = (typeof KyvernoReplicas)[keyof typeof KyvernoReplicas];

/** The digest of an image's description that a key signs. */
export const SignatureAlgorithm = {
  /** SHA-256, what cosign uses. */
  Sha256: "sha256",
  /** SHA-512. */
  Sha512: "sha512",
} as const;
export type SignatureAlgorithm = (typeof SignatureAlgorithm)[keyof typeof SignatureAlgorithm];

/** How the signatures of images are stored, and so what reads them. */
export const SignatureFormat = {
  /** Cosign's: a tag `sha256-<hex>.sig` beside the image. Cosign 2 by default, cosign 3 when told so. */
  Cosign: "cosign",
  /** Sigstore bundles that refer to the image: cosign 3 by default, GitHub's artifact attestations. Needs Kyverno 1.19. */
  SigstoreBundle: "sigstoreBundle",
  /** Signatures of the Notary project's Notation, by certificates. */
  Notation: "notation",
} as const;
export type SignatureFormat = (typeof SignatureFormat)[keyof typeof SignatureFormat];

/** What a mutable tag becomes when a verified pod is admitted in an enforced namespace. */
export const TagHandling = {
  /** Rewritten to the digest that was verified, so that what was checked is what runs. */
  Pin: "pin",
  /** Left as written; a tag moved between admission and image pull is not noticed. */
  Keep: "keep",
} as const;
export type TagHandling = (typeof TagHandling)[keyof typeof TagHandling];

/** How Prometheus finds Kyverno's metrics. */
export const MetricsScrape = {
  /** The chart's ServiceMonitors; needs the Prometheus Operator. */
  ServiceMonitors: "serviceMonitors",
  /** `prometheus.io/scrape` annotations on the metrics Services, which many scrape configs follow. */
  Annotations: "annotations",
  /** Nothing: a scrape config of your own does it. */
  None: "none",
} as const;
export type MetricsScrape = (typeof MetricsScrape)[keyof typeof MetricsScrape];

/** How urgent an alert is; the label `severity` that Alertmanager routes by. */
export const AlertSeverity = {
  /** Somebody gets up for it. */
  Critical: "critical",
  /** Somebody looks at it today. */
  Warning: "warning",
  /** For the record. */
  Info: "info",
} as const;
export type AlertSeverity = (typeof AlertSeverity)[keyof typeof AlertSeverity];

/** The alerts; docs/alerts.md has a section for each. */
export const AlertName = {
  /** An audited namespace admitted an image that its policy reports. */
  ImageViolation: "ImageViolation",
  /** An enforced namespace refused an image. */
  ImageRefused: "ImageRefused",
  /** A verdict could not be had: not unsigned, but not verifiable. */
  ImageVerificationError: "ImageVerificationError",
  /** A workload with a running bypass came to admission. */
  ImageBypassUsed: "ImageBypassUsed",
  /** Somebody who may not bypass tried to, or did it without reason or end. */
  ImageBypassRefused: "ImageBypassRefused",
  /** A workload whose bypass has ended still exists. */
  ImageBypassExpired: "ImageBypassExpired",
  /** A policy of the guard is not in the cluster. */
  ImagePolicyMissing: "ImagePolicyMissing",
  /** A policy is there but not in the webhooks. */
  ImagePolicyNotReady: "ImagePolicyNotReady",
  /** A policy that should refuse only audits: somebody changed it in the cluster. */
  ImagePolicyWeakened: "ImagePolicyWeakened",
  /** A certificate of the trust bundle ends soon. */
  ImageTrustExpiring: "ImageTrustExpiring",
  /** The slowest 5 % of admission calls take a good part of the webhook's timeout. */
  KyvernoAdmissionSlow: "KyvernoAdmissionSlow",
  /** The slowest 1 % of admission calls are close to the webhook's timeout. */
  KyvernoAdmissionNearTimeout: "KyvernoAdmissionNearTimeout",
  /** No admission controller answers Prometheus. */
  KyvernoAdmissionDown: "KyvernoAdmissionDown",
  /** The API server could not call Kyverno's webhooks. */
  KyvernoWebhookFailing: "KyvernoWebhookFailing",
  /** Kyverno no longer hears itself and takes its webhooks away, or the backstop refuses because they are gone. */
  KyvernoWebhooksGone: "KyvernoWebhooksGone",
  /** The reports controller has scanned nothing for long. */
  KyvernoReportsStale: "KyvernoReportsStale",
  /** Kyverno writes reports faster than they are worth. */
  KyvernoReportFlood: "KyvernoReportFlood",
} as const;
export type AlertName = (typeof AlertName)[keyof typeof AlertName];

/** A GitHub Actions workflow that signs; shorthand for the exact keyless identity. */
export interface GithubSignerArgs {
  /**
   * `owner/name` in GitHub's own spelling: certificates keep its upper and lower case. A wildcard in it is an error
   * without `acceptWildcardReason`.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Subject
   */
  repository: string;
  /**
   * The workflow file that runs `cosign sign`, by its name in `.github/workflows/`, e.g. `docker-build.yml`.
   * @see https://docs.github.com/en/actions/concepts/security/openid-connect
   */
  workflow: string;
  /**
   * The full git ref that the workflow file was taken from: `refs/heads/main`, `refs/tags/v*`, `refs/pull/NUMBER/merge`.
   * For a workflow that is called at a commit (`uses: owner/name/.github/workflows/file.yml@COMMIT`): that commit, all 40
   * digits. `*` and `?` are wildcards.
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  ref: string;
  /**
   * The token issuer of a GitHub Enterprise: `https://HOST/_services/token`, `https://token.actions.TENANT.ghe.com` or
   * `https://token.actions.githubusercontent.com/ENTERPRISE`. The subject's host follows from it. Default
   * `https://token.actions.githubusercontent.com`.
   * @default "https://token.actions.githubusercontent.com"
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Issuer
   */
  issuer?: string;
  /**
   * Only runs started by this event count, e.g. `push`. Default: any event.
   * @default any event
   * @see https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
   */
  trigger?: string;
  /**
   * The repository whose run called the workflow. Set it where the workflow can be called from elsewhere
   * (`on: workflow_call`): without it every caller in the world signs with this identity. Default: any caller.
   * @default any caller
   * @see https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
   */
  callerRepository?: string;
  /**
   * The git ref of that run, e.g. `refs/heads/main`. With a called workflow `ref` is the called file's, so without this
   * one every branch of the caller may sign. Default: any ref.
   * @default any ref
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  callerRef?: string;
}

/** Claims of a Fulcio certificate that must match besides subject and issuer. Wildcards `*` and `?` are allowed. */
export interface CertificateClaimsArgs {
  /**
   * The event that started the workflow, e.g. `push` (extension 1.3.6.1.4.1.57264.1.2). Default: any.
   * @default any
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  githubWorkflowTrigger?: string;
  /**
   * The commit that the workflow ran on, all 40 digits (extension .1.3). Default: any.
   * @default any
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  githubWorkflowSha?: string;
  /**
   * The workflow's display name (extension .1.4). Default: any.
   * @default any
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  githubWorkflowName?: string;
  /**
   * The repository that ran the workflow, as `owner/name` (extension .1.5). Default: any.
   * @default any
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  githubWorkflowRepository?: string;
  /**
   * The full git ref that the workflow ran on (extension .1.6). Default: any.
   * @default any
   * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
   */
  githubWorkflowRef?: string;
}

/** Any keyless identity: a certificate of the trust root with this subject and issuer. */
export interface KeylessSignerArgs {
  /**
   * The OpenID Connect issuer, an exact `https://` URL without wildcards, e.g.
   * `https://token.actions.githubusercontent.com`.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Issuer
   */
  issuer: string;
  /**
   * The certificate's subject alternative name. `*` crosses `/`, so one that leaves repository or workflow open is an
   * error without `acceptWildcardReason`.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Subject
   */
  subject: string;
  /**
   * Further claims that must match. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.AdditionalExtensions
   */
  claims?: CertificateClaimsArgs;
}

/** A cosign key. Exactly one of `publicKey`, `kms` and `secretName` is given. */
export interface KeySignerArgs {
  /**
   * Public key in PEM. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#StaticKeyAttestor.PublicKeys
   */
  publicKey?: pulumi.Input<string>;
  /**
   * KMS reference, e.g. `awskms:///alias/cosign`, `gcpkms://...`, `azurekms://...`, `hashivault://...`. An error with
   * `trust.root: offline`. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#StaticKeyAttestor.KMS
   */
  kms?: pulumi.Input<string>;
  /**
   * A Secret with `cosign.pub` in Kyverno's namespace. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#StaticKeyAttestor.Secret
   */
  secretName?: string;
  /**
   * Digest that the key signs. Kyverno 1.10 reads it for `publicKey` alone: beside `kms`, and unless `sha256` beside
   * `secretName`, it is an error there. Default `sha256`.
   * @default "sha256"
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#StaticKeyAttestor.SignatureAlgorithm
   */
  signatureAlgorithm?: SignatureAlgorithm;
}

/** Signatures by a certificate of your own authority, without OpenID Connect. */
export interface CertificateSignerArgs {
  /**
   * The signing certificate in PEM; one that is an authority, or several, are an error. Default: any leaf under `chain`.
   * @default any leaf under chain
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#CertificateAttestor.Certificate
   */
  certificate?: pulumi.Input<string>;
  /**
   * Intermediate and root certificates in PEM, root last. A certificate that is no authority, or a chain that did not
   * issue `certificate`, is an error. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#CertificateAttestor.CertificateChain
   */
  chain?: pulumi.Input<string>;
}

/** Another Fulcio than the stack's, for one keyless signer. Kyverno reads one log key for all signers, so this one's has none. */
export interface SignerTrustArgs {
  /**
   * Root and intermediate certificates of that Fulcio in PEM. A certificate that is no authority is an error.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Roots
   */
  fulcioCertificates: pulumi.Input<string>;
  /**
   * Must be true: nothing proves when a signature of this signer was made, and a short-lived certificate counts for ever.
   * Signatures with an entry of another log than the stack's, and certificates with a receipt of another certificate log,
   * are refused.
   * @see https://docs.sigstore.dev/logging/overview/
   */
  acceptNoTransparencyLog: boolean;
}

/** Who may sign. Exactly one of `github`, `keyless`, `key` and `certificate` is given. */
export interface SignerArgs {
  /**
   * A GitHub Actions workflow. Default: none.
   * @default none
   * @see https://docs.github.com/en/actions/concepts/security/openid-connect
   */
  github?: GithubSignerArgs;
  /**
   * Another keyless identity. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor
   */
  keyless?: KeylessSignerArgs;
  /**
   * A key pair or KMS key. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#StaticKeyAttestor
   */
  key?: KeySignerArgs;
  /**
   * A certificate authority of your own. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#CertificateAttestor
   */
  certificate?: CertificateSignerArgs;
  /**
   * With `github` and `keyless`, an error beside others: another Fulcio than the stack's, for this signer alone. Default:
   * the stack's `trust`.
   * @default the stack's trust
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Roots
   */
  trust?: SignerTrustArgs;
  /**
   * Why a subject with a dangerous wildcard is accepted all the same. One that admits everybody stays an error. Default:
   * none, such a subject is an error.
   * @default none
   */
  acceptWildcardReason?: string;
}

/** Signed statements about the image (SLSA provenance, SBOM) that must be there too. */
export interface AttestationArgs {
  /**
   * The in-toto predicate type, whole as it stands in the statement, e.g. `https://slsa.dev/provenance/v1`. cosign's short
   * names (`slsaprovenance`, `spdx`, ...) are an error.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Attestation.PredicateType
   */
  predicateType: string;
  /**
   * Who must have signed the statement. Several are an error, as Kyverno refuses the image at the first that has not
   * signed. Default: the signers of the image entry.
   * @default the signers of the image entry
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Attestation.Attestors
   */
  signers?: SignerArgs[];
  /**
   * Kyverno conditions over the predicate (`any`/`all` lists of key, operator, value). Default: presence is enough.
   * @default presence is enough
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#AnyAllConditions
   */
  conditions?: Record<string, any>[];
}

/** Which images who must have signed. Entries may not overlap: each image has exactly one. */
export interface ImageRuleArgs {
  /**
   * Short name, used in rule names, reports and metrics: lower-case letters, digits and `-`, at most 29 characters. Two
   * entries of one name are an error.
   */
  name: string;
  /**
   * Repositories without tag or digest, e.g. `ghcr.io/ikey168/modulo-*`; tags and digests are covered alike. The registry
   * is written plainly: lower case, no default port, Docker Hub as `docker.io`; `docker.io/nginx` and
   * `docker.io/library/nginx` are one.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#ImageVerification.ImageReferences
   */
  repositories: string[];
  /**
   * Who may sign. At least one.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#AttestorSet.Entries
   */
  signers: SignerArgs[];
  /**
   * How many of the signers must have signed: 1 is any of them, their number is all of them. Default 1.
   * @default 1
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#AttestorSet.Count
   */
  threshold?: number;
  /**
   * How the signatures are stored. With `sigstoreBundle`, an error on Kyverno 1.10, signers are `github`, `keyless` or `key`,
   * without further claims; with `notation` they are certificates, and there are no attestations. Default `cosign`.
   * @default "cosign"
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.19.1/api/kyverno/v1#ImageVerification.Type
   */
  format?: SignatureFormat;
  /**
   * The one repository that holds the signatures (cosign's `COSIGN_REPOSITORY`), without wildcards. Default: beside the
   * image.
   * @default beside the image
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#ImageVerification.Repository
   */
  signatureRepository?: string;
  /**
   * Statements that must exist besides the signature. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#ImageVerification.Attestations
   */
  attestations?: AttestationArgs[];
  /**
   * Why a wildcard in a registry's name is accepted, e.g. in `*.dkr.ecr.*.amazonaws.com/team/*`. Default: none, such a
   * wildcard is an error.
   * @default none
   */
  acceptWildcardReason?: string;
}

/** One mode for some namespaces, against the default of their class. */
export interface NamespaceOverrideArgs {
  /**
   * A namespace name or wildcard, e.g. `team-a` or `team-a-*`. One that is only partly inside a class is an error.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#ResourceDescription.Namespaces
   */
  namespace: string;
  /** The mode there. */
  mode: GuardMode;
  /**
   * Why, for whoever reads the config next. Default: none.
   * @default none
   */
  reason?: string;
}

/** How namespaces are classed. The lists may not overlap; every namespace that no list names is an application. */
export interface NamespacesArgs {
  /**
   * Namespaces left alone at the webhook, by exact name, besides kube-system, kube-public, kube-node-lease and Kyverno's
   * own. Default: none.
   * @default none
   * @see https://github.com/kyverno/kyverno/blob/v1.10.7/charts/kyverno/README.md#values
   */
  system?: string[];
  /**
   * Names or wildcards of production namespaces; `[]` for none. Default `production`, `prod`, `prod-*`.
   * @default ["production", "prod", "prod-*"]
   */
  production?: string[];
  /**
   * Names or wildcards of development namespaces, audited in every stack; `[]` for none. Default `development`, `dev`,
   * `dev-*`.
   * @default ["development", "dev", "dev-*"]
   */
  development?: string[];
  /**
   * Exceptions from the class's mode. Default: none.
   * @default none
   */
  overrides?: NamespaceOverrideArgs[];
}

/** Images that may run unsigned in production, with the reason on record. */
export interface ExemptImagesArgs {
  /** Repositories without tag or digest, e.g. `registry.k8s.io/*`. One that an entry of `images` covers is an error. */
  repositories: string[];
  /** Why these are accepted. */
  reason: string;
  /**
   * Why a wildcard in a registry's name is accepted. Default: none, such a wildcard is an error.
   * @default none
   */
  acceptWildcardReason?: string;
}

/** What happens to images that no signer covers. */
export interface UncoveredImagesArgs {
  /**
   * In production namespaces. Default `refuse`.
   * @default "refuse"
   */
  production?: UncoveredAction;
  /**
   * In every other namespace. Default `report`.
   * @default "report"
   */
  applications?: UncoveredAction;
  /**
   * Images that are let through although no signer covers them. Default: none.
   * @default none
   */
  exempt?: ExemptImagesArgs[];
}

/** Emergency bypass: who may let an unsigned image in, and for how long. Without this block there is no bypass. */
export interface BypassArgs {
  /**
   * Groups whose members may set the bypass annotation, exactly as the API server sees them. A group of all callers, such
   * as `system:authenticated`, is an error. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/
   */
  groups?: pulumi.Input<string>[];
  /**
   * Users who may set it, exactly as the API server sees them. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/
   */
  users?: pulumi.Input<string>[];
  /**
   * Service accounts who may set it, as `namespace:name`. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
   */
  serviceAccounts?: pulumi.Input<string>[];
  /**
   * Longest time a bypass may be granted for, in hours, 1 to 168. Default 4.
   * @default 4
   */
  maxHours?: number;
}

/** Takes a policy out of admission altogether, visibly and for a limited time. */
export interface SuspensionArgs {
  /** `require-signed-images`, `verify-image-signatures`, `audit-unsigned-images` or `all`; guards can't be suspended. */
  policy: string;
  /** Why, on record in every preview. */
  reason: string;
  /** When it ends, ISO 8601 with zone, e.g. `2026-12-01T18:00:00Z`. A past date fails the preview. */
  until: string;
}

/** The transparency log whose inclusion promises count. */
export interface RekorArgs {
  /**
   * Base URL of the log, e.g. `https://rekor.example.com`. Signatures that carry a bundle need no call to it.
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#CTLog.URL
   */
  url: pulumi.Input<string>;
  /**
   * The log's public key in PEM. One that is not ECDSA is an error on Kyverno 1.10.
   * @see https://docs.sigstore.dev/logging/overview/
   */
  publicKey: pulumi.Input<string>;
}

/** A repository of The Update Framework that hands out the trust anchors of a Sigstore instance. */
export interface TufArgs {
  /**
   * Its URL, e.g. `https://tuf.example.com`. Kyverno's controllers read it when they start, and don't start without it.
   * @see https://github.com/kyverno/kyverno/blob/v1.19.1/charts/kyverno/README.md#values
   */
  mirror: pulumi.Input<string>;
  /**
   * The text of its `root.json`, from which trust in all that follows comes. What is no such text is an error.
   * @see https://theupdateframework.github.io/specification/latest/#file-formats-root
   */
  root: pulumi.Input<string>;
}

/** Trust anchors of keyless signatures. */
export interface TrustArgs {
  /**
   * Which instance is believed. Default `publicGood`.
   * @default "publicGood"
   * @see https://docs.sigstore.dev/certificate_authority/overview/
   */
  root?: TrustRoot;
  /**
   * Root and intermediate certificates in PEM; needed for keyless signers with `custom` and `offline`, an error with
   * `publicGood` or where one is no authority. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#KeylessAttestor.Roots
   */
  fulcioCertificates?: pulumi.Input<string>;
  /**
   * Your transparency log; with `custom` and `offline`, an error with `publicGood` and beside `acceptNoTransparencyLog`.
   * Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#CTLog
   */
  rekor?: RekorArgs;
  /**
   * Public key of your certificate-transparency log in PEM; not ECDSA is an error on Kyverno 1.10. Default: none, embedded
   * timestamps are then not accepted.
   * @default none
   * @see https://docs.sigstore.dev/certificate_authority/overview/
   */
  ctLogPublicKey?: pulumi.Input<string>;
  /**
   * Where your Sigstore instance hands out its anchors: with `custom` and keyless signers of the format `sigstoreBundle`, since
   * Kyverno 1.19 believes no others for bundles. An error on Kyverno 1.10, with `publicGood` (whose own is read) and with
   * `offline`. Default: none.
   * @default none
   * @see https://docs.sigstore.dev/certificate_authority/overview/
   */
  tuf?: TufArgs;
  /**
   * Accept signatures without a transparency log. Nothing then proves when the signature was made, and a short-lived
   * certificate counts for ever. Default false.
   * @default false
   */
  acceptNoTransparencyLog?: boolean;
  /**
   * Fail instead of warn when the trust bundle is outside its validity window. Default false.
   * @default false
   */
  strict?: boolean;
}

/** What the API server does when no verdict can be had, and how long it waits for one. */
export interface FailureArgs {
  /**
   * For policies that enforce. Default `Fail`.
   * @default "Fail"
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Spec.FailurePolicy
   */
  enforce?: FailurePolicy;
  /**
   * For policies that audit: an audit must not stop anybody. Default `Ignore`.
   * @default "Ignore"
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Spec.FailurePolicy
   */
  audit?: FailurePolicy;
  /**
   * Longest wait for an enforcing policy, in seconds, 10 to 30. Default 30.
   * @default 30
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Spec.WebhookTimeoutSeconds
   */
  enforceTimeoutSeconds?: number;
  /**
   * Longest wait for an auditing policy, in seconds, 10 to 30. Default 10.
   * @default 10
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Spec.WebhookTimeoutSeconds
   */
  auditTimeoutSeconds?: number;
}

/** Who may write Kyverno's namespaced policies. */
export interface PolicyAuthorsArgs {
  /**
   * Groups whose members may, exactly as the API server sees them. A group of all callers is an error. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/
   */
  groups?: string[];
  /**
   * Users who may, exactly as the API server sees them. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/
   */
  users?: string[];
  /**
   * Service accounts who may, as `namespace:name`. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
   */
  serviceAccounts?: string[];
}

/** What the API server itself refuses, so that it holds while Kyverno is away. Only a stack that enforces has it. */
export interface BackstopArgs {
  /**
   * Make its ValidatingAdmissionPolicies, which Kubernetes serves from 1.30 on; on an older cluster `up` fails until this
   * is false, and then pods get in unverified while Kyverno's webhooks are gone. Default true.
   * @default true
   * @see https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
   */
  enabled?: boolean;
  /**
   * Who may create or change namespaced Kyverno policies (kind `Policy`), which run with Kyverno's own rights. Given in a
   * stack that only audits, everybody else is refused there too. Default: nobody.
   * @default nobody
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#Policy
   */
  policyAuthors?: PolicyAuthorsArgs;
  /**
   * Most containers of a pod or pod template, init and debug containers included, 1 to 1000. Default 50.
   * @default 50
   */
  maxContainers?: number;
}

/** Where the Helm chart comes from. Default: Kyverno's own repository. */
export interface ChartArgs {
  /**
   * A local chart folder (`./charts/kyverno`), an archive (`.tgz`) or an `oci://` reference without tag. Default: none.
   * @default none
   * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/#chart_nodejs
   */
  path?: string;
  /**
   * URL of the Helm repository, for mirrors; an error beside `path`. Default: the chart's own.
   * @default the chart's own
   * @see https://helm.sh/docs/topics/chart_repository/
   */
  repository?: pulumi.Input<string>;
}

/** Cloud identities that Kyverno reads registries with, instead of Secrets. At least one is given. */
export interface RegistryIdentityArgs {
  /**
   * Amazon ECR: ARN of an IAM role that trusts Kyverno's service accounts. Default: none.
   * @default none
   * @see https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
   */
  awsRoleArn?: pulumi.Input<string>;
  /**
   * Azure ACR: client ID of a managed identity with federated credentials for Kyverno's service accounts. Default: none.
   * @default none
   * @see https://azure.github.io/azure-workload-identity/docs/
   */
  azureClientId?: pulumi.Input<string>;
  /**
   * Google Artifact Registry: e-mail of a Google service account that Kyverno's service accounts may act as. Default:
   * none.
   * @default none
   * @see https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
   */
  googleServiceAccount?: pulumi.Input<string>;
}

/** A proxy through which registries, logs and key services are asked. At least one of `http` and `https` is given. */
export interface ProxyArgs {
  /**
   * Proxy for plain HTTP, a URL without user and password, e.g. `http://proxy.example.com:3128`. Default: none.
   * @default none
   * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
   */
  http?: pulumi.Input<string>;
  /**
   * Proxy for HTTPS, a URL without user and password. Default: none.
   * @default none
   * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
   */
  https?: pulumi.Input<string>;
  /**
   * Hosts, domains (`.example.com`) and networks (`10.0.0.0/8`) that are asked directly, besides the API server, `.svc`,
   * `.cluster.local` and this machine. Default: none.
   * @default none
   * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
   */
  noProxy?: string[];
}

/** Something that is wrong with a Kyverno that somebody else runs, and that is lived with. */
export interface AcknowledgedFindingArgs {
  /** Which. */
  finding: InstallationFinding;
  /** Why, on record in every preview. */
  reason: string;
}

/** Kyverno itself. */
export interface KyvernoArgs {
  /**
   * False: somebody else runs Kyverno here. Nothing of it is made, changed or destroyed; before anything is made, what the
   * policies rest on is looked at, and what would undo them is an error. `namespace`, `releaseName`, `replicas`,
   * `memoryLimit` and the settings about registries then say what is expected of it; those that only an installation
   * uses are an error. Default true.
   * @default true
   */
  install?: boolean;
  /**
   * Whether Kyverno stays when the stack is destroyed or `install` becomes false. For an installation that was adopted, or
   * that others use too; the policies go all the same. Default false: what was installed is uninstalled.
   * @default false
   * @see https://www.pulumi.com/docs/iac/concepts/options/retainondelete/
   */
  retainOnDelete?: boolean;
  /**
   * With `install: false`, findings that are lived with. Default: none.
   * @default none
   */
  acknowledged?: AcknowledgedFindingArgs[];
  /**
   * Kyverno line. Default `1.10`.
   * @default "1.10"
   */
  target?: KyvernoTarget;
  /**
   * What the policies are written as. `imageValidatingPolicy` is an error with `target: "1.10"`, and with settings that
   * it can't keep: claims, keys in Secrets, conditions that have no counterpart in CEL, `trust.root: offline` with keyless
   * signers, `install: false` and `policyExceptionsNamespace`. Default `clusterPolicy`.
   * @default clusterPolicy
   * @see https://kyverno.io/docs/policy-types/image-validating-policy/
   */
  policies?: PolicyForm;
  /**
   * Namespace that belongs to Kyverno alone: uninstalling scales down every Deployment in it. `default` and `kube-*` are
   * an error. Default `kyverno`.
   * @default "kyverno"
   */
  namespace?: string;
  /**
   * Name of the Helm release, at most 47 characters; a rename replaces everything. Default `kyverno`.
   * @default "kyverno"
   * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/#name_nodejs
   */
  releaseName?: string;
  /**
   * Source of the chart. Default: Kyverno's own repository.
   * @default Kyverno's own repository
   */
  chart?: ChartArgs;
  /**
   * Replicas of the admission controller. Default: 3 where something enforces, else 1.
   * @default 3 where something enforces, else 1
   * @see https://release-1-10-0.kyverno.io/docs/high-availability/
   */
  replicas?: KyvernoReplicas;
  /**
   * Priority class of Kyverno's pods. Default: `system-cluster-critical` with 3 replicas (not on GKE Autopilot), else
   * none.
   * @default system-cluster-critical with 3 replicas (not on GKE Autopilot), else none
   * @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#priorityclass
   */
  priorityClassName?: string;
  /**
   * Registry that mirrors every image of the chart, without scheme and tag, e.g. `mirror.example.com/hub`. Default: the
   * public ones.
   * @default the public ones
   * @see https://github.com/kyverno/kyverno/blob/v1.10.7/charts/kyverno/README.md#values
   */
  imageRegistry?: pulumi.Input<string>;
  /**
   * Secrets in Kyverno's namespace for pulling Kyverno's own images. Default: none.
   * @default none
   * @see https://kubernetes.io/docs/concepts/containers/images/#specifying-imagepullsecrets-on-a-pod
   */
  imagePullSecrets?: pulumi.Input<string>[];
  /**
   * Secrets in Kyverno's namespace for reading signatures from private registries. Default: none.
   * @default none
   * @see https://github.com/kyverno/kyverno/blob/v1.10.7/charts/kyverno/README.md#values
   */
  registrySecrets?: pulumi.Input<string>[];
  /**
   * Cloud identities for reading signatures from private registries. Default: none.
   * @default none
   */
  registryIdentity?: RegistryIdentityArgs;
  /**
   * Certificates in PEM of the authorities that signed your registries' TLS certificates, believed by both controllers
   * that read registries, besides the public ones. A certificate that is no authority is an error. Default: the public
   * ones.
   * @default the public ones
   * @see https://pkg.go.dev/crypto/x509#SystemCertPool
   */
  registryCa?: pulumi.Input<string>;
  /**
   * Proxy of both controllers that read registries. Default: none.
   * @default none
   */
  proxy?: ProxyArgs;
  /**
   * The Kubernetes that Kyverno runs on, where it needs other chart values. Default: none of those that do.
   * @default none of those that do
   */
  platform?: KyvernoPlatform;
  /**
   * Put the admission controller on the node's network, where the API server can't reach pods (EKS with another network
   * than Amazon's). It takes the ports 9443 and 8000 of its node. An error with `platform: gkeAutopilot`. Default false.
   * @default false
   * @see https://github.com/kyverno/kyverno/blob/v1.10.7/charts/kyverno/README.md#values
   */
  hostNetwork?: boolean;
  /**
   * Image with kubectl and a shell for the chart's clean-up jobs, with its registry and a tag or digest; an error with
   * `target: "1.19"`, whose chart has none. Default `docker.io/alpine/k8s:1.31.5`.
   * @default "docker.io/alpine/k8s:1.31.5"
   * @see https://github.com/kyverno/kyverno/blob/v1.10.7/charts/kyverno/README.md#values
   */
  kubectlImage?: string;
  /**
   * Turns Kyverno's PolicyExceptions on, for this one namespace. Whoever may create them there switches policies off, so
   * guard it as you guard production. Default: off.
   * @default off
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v2alpha1#PolicyException
   */
  policyExceptionsNamespace?: string;
  /**
   * Memory limit of the admission controller, a Kubernetes quantity in `Mi` or `Gi`, at least `128Mi`. Default: `1Gi`
   * where something enforces or with 3 replicas, else `384Mi`.
   * @default 1Gi where something enforces or with 3 replicas, else 384Mi
   * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
   */
  memoryLimit?: string;
  /**
   * Addresses (CIDR) from which the API servers call Kyverno. Given, a NetworkPolicy keeps everybody else from Kyverno's
   * webhooks; kube-system, where some clouds' API servers come from, stays allowed. Default: none, and no NetworkPolicy.
   * @default none
   * @see https://kubernetes.io/docs/concepts/services-networking/network-policies/
   */
  apiServerAddresses?: string[];
  /**
   * Wait for the chart to become ready, in seconds, 30 to 3600. Default 600.
   * @default 600
   * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/#timeout_nodejs
   */
  timeoutSeconds?: number;
  /**
   * Chart values of your own, merged over the guard's. Values that security rests on are an error without
   * `allowUnsafeValues`, and so are those that the chart does not have. Default: none.
   * @default none
   * @see https://github.com/kyverno/kyverno/blob/v1.10.7/charts/kyverno/README.md#values
   */
  values?: pulumi.Input<Record<string, any>>;
  /**
   * Let `values` change what security rests on; shown in every preview. Default false.
   * @default false
   */
  allowUnsafeValues?: boolean;
}

/** One alert that differs from its defaults, which docs/monitoring.md lists. */
export interface AlertArgs {
  /** Which alert. */
  alert: AlertName;
  /**
   * Whether the alert exists. Default true.
   * @default true
   */
  enabled?: boolean;
  /**
   * How urgent it is. Default: the alert's own.
   * @default the alert's own
   */
  severity?: AlertSeverity;
  /**
   * How long the condition must hold, a Prometheus duration such as `5m`. Default: the alert's own.
   * @default the alert's own
   * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
   */
  for?: string;
  /**
   * From which value on it fires, in the alert's own unit; above 0, for shares at most 1. An error for an alert without a
   * threshold. Default: the alert's own.
   * @default the alert's own
   */
  threshold?: number;
}

/** The chart of policy-reporter, which makes metrics and a UI of Kyverno's reports. */
export interface PolicyReporterArgs {
  /**
   * Install it. Default false.
   * @default false
   * @see https://github.com/kyverno/policy-reporter/tree/main/charts/policy-reporter
   */
  enabled?: boolean;
  /**
   * Namespace of its own: Kyverno's, `default` and `kube-*` are an error. Default `policy-reporter`.
   * @default "policy-reporter"
   */
  namespace?: string;
  /**
   * Its web page, reachable inside the cluster only. Default false.
   * @default false
   */
  ui?: boolean;
  /**
   * Source of the chart. Default: policy-reporter's own repository.
   * @default policy-reporter's own repository
   */
  chart?: ChartArgs;
  /**
   * Chart values of your own, merged over the guard's. Default: none.
   * @default none
   * @see https://github.com/kyverno/policy-reporter/tree/main/charts/policy-reporter
   */
  values?: pulumi.Input<Record<string, any>>;
}

/** Alerts, scraping and dashboards. Without this block there are none. */
export interface MonitoringArgs {
  /**
   * Whether the cluster has the Prometheus Operator's kinds (monitoring.coreos.com/v1). Without it there are neither
   * PrometheusRule nor ServiceMonitors, and `up` works all the same. Default false.
   * @default false
   * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
   */
  prometheusOperator?: boolean;
  /**
   * How Prometheus finds Kyverno; `serviceMonitors` without `prometheusOperator` is an error. Default: `serviceMonitors`
   * with the operator, else `annotations`.
   * @default serviceMonitors with the operator, else annotations
   * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor
   */
  scrape?: MetricsScrape;
  /**
   * How often Kyverno is scraped, with ServiceMonitors; a Prometheus duration above zero. Default `30s`.
   * @default "30s"
   * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
   */
  scrapeInterval?: string;
  /**
   * How often the rules are evaluated; a Prometheus duration above zero. Default `30s`.
   * @default "30s"
   * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
   */
  evaluationInterval?: string;
  /**
   * How far back alerts count events; a Prometheus duration above zero. Default `10m`.
   * @default "10m"
   * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
   */
  window?: string;
  /**
   * How far back alerts look for background scans, which Kyverno makes once an hour; a Prometheus duration above zero.
   * Default `2h`.
   * @default "2h"
   * @see https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
   */
  scanWindow?: string;
  /**
   * Labels of the PrometheusRule and the ServiceMonitors, by which the operator selects them. Default: none.
   * @default none
   * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.Prometheus
   */
  objectLabels?: Record<string, string>;
  /**
   * Labels of every alert, for routing; `alertname`, `severity` and templates are an error. Default: none.
   * @default none
   * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
   */
  alertLabels?: Record<string, pulumi.Input<string>>;
  /**
   * Address of a page with a section for each alert, such as a copy of docs/alerts.md; at most 200 characters, without
   * `#`. Default: that file's name.
   * @default that file's name
   */
  runbookBaseUrl?: pulumi.Input<string>;
  /**
   * The Grafana dashboard as a ConfigMap for Grafana's sidecar. Default true.
   * @default true
   * @see https://github.com/grafana/helm-charts/tree/main/charts/grafana#sidecar-for-dashboards
   */
  dashboards?: boolean;
  /**
   * Alerts that differ from their defaults. Default: none.
   * @default none
   */
  alerts?: AlertArgs[];
  /**
   * policy-reporter by its own chart. Default: off.
   * @default off
   */
  policyReporter?: PolicyReporterArgs;
}

/** How `up` makes sure that the guard answers. */
export interface ReadinessArgs {
  /**
   * Kubeconfig for the canary check: its content as YAML, JSON or a block, or a path. Default: the ambient one, if no
   * explicit provider is given.
   * @default the ambient one, if no explicit provider is given
   * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
   */
  kubeconfig?: pulumi.Input<any>;
  /**
   * Context in that kubeconfig. Default: its current one.
   * @default its current one
   */
  context?: string;
  /**
   * Look at the cluster before the release, and offer a canary pod by dry run after the policies are ready. Default: true,
   * but false with an explicit provider and no `kubeconfig`.
   * @default true, but false with an explicit provider and no kubeconfig
   * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
   */
  canary?: boolean;
  /**
   * An image that the stack's signers have signed, with tag or digest, covered by `images`. Where something is enforced, `up`
   * then ends only when a pod with it would be admitted too: a wrong trust anchor, or a registry that can't be read, fails
   * `up` and not the next deployment. Default: none, and only an unsigned image is offered.
   * @default none
   */
  signedImage?: string;
  /**
   * Wait for each step, in seconds, 5 to 1800. Default 180.
   * @default 180
   */
  timeoutSeconds?: number;
}

/**
 * Arguments of `ImageSigningGuard`. What its type says may be an Output is taken when it is known; everything else decides
 * which resources exist and must be plain.
 */
export interface ImageSigningGuardArgs {
  /**
   * The stack's mode. Development namespaces are audited in either. Default `audit`.
   * @default "audit"
   */
  mode?: GuardMode;
  /** Which images who must have signed. At least one entry. */
  images: ImageRuleArgs[];
  /**
   * How namespaces are classed. Default: each list of its own.
   * @default each list of its own
   */
  namespaces?: NamespacesArgs;
  /**
   * What happens to images that no signer covers. Default: refused in production, else reported.
   * @default refused in production, else reported
   */
  uncovered?: UncoveredImagesArgs;
  /**
   * Tags of verified images in enforced namespaces. Default `pin`.
   * @default "pin"
   */
  tags?: TagHandling;
  /**
   * Emergency bypass. Default: off.
   * @default off
   */
  bypass?: BypassArgs;
  /**
   * Policies that are out of admission for a while. Default: none.
   * @default none
   */
  suspend?: SuspensionArgs[];
  /**
   * Trust anchors. Default: the public-good Sigstore instance.
   * @default the public-good Sigstore instance
   */
  trust?: TrustArgs;
  /**
   * Behaviour when no verdict can be had. Default: enforcing policies refuse, auditing ones let in.
   * @default enforcing policies refuse, auditing ones let in
   */
  failure?: FailureArgs;
  /**
   * What the API server itself refuses. Default: on where something enforces.
   * @default on where something enforces
   */
  backstop?: BackstopArgs;
  /**
   * Kyverno's installation. Default: 1.10 in the namespace `kyverno`.
   * @default 1.10 in the namespace kyverno
   */
  kyverno?: KyvernoArgs;
  /**
   * The page that a refused person is sent to, a web address of at most 200 characters. Default: the name of this
   * project's own runbook.
   * @default the name of this project's own runbook
   */
  runbookUrl?: pulumi.Input<string>;
  /**
   * Kyverno ClusterPolicies of your own, checked and deployed with the guard's. Rules with `verifyImages`, and names of
   * the guard's, are an error. Default: none.
   * @default none
   * @see https://pkg.go.dev/github.com/kyverno/kyverno@v1.10.7/api/kyverno/v1#ClusterPolicy
   */
  extraPolicies?: Record<string, any>[];
  /**
   * Alerts, scraping and dashboards. Default: off.
   * @default off
   */
  monitoring?: MonitoringArgs;
  /**
   * How `up` makes sure that the guard answers. Default: each setting of its own.
   * @default each setting of its own
   */
  readiness?: ReadinessArgs;
}
