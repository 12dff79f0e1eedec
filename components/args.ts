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
  /** Kyverno 1.13.4, chart 3.3.6: the way out of 1.10. */
  V1_13: "1.13",
} as const;
export type KyvernoTarget = (typeof KyvernoTarget)[keyof typeof KyvernoTarget];

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
  /** `owner/name` in GitHub's own spelling: certificates keep its upper and lower case. */
  repository: string;
  /** The workflow file that runs `cosign sign`, e.g. `docker-build.yml` (looked up in `.github/workflows/`). */
  workflow: string;
  /**
   * The full git ref that the workflow file was taken from, e.g. `refs/heads/main` or `refs/tags/v*`. For a workflow that
   * is called at a commit (`uses: owner/name/.github/workflows/file.yml@COMMIT`): that commit, all 40 digits.
   */
  ref: string;
  /**
   * The token issuer of a GitHub Enterprise: `https://HOST/_services/token`, `https://token.actions.TENANT.ghe.com` or
   * `https://token.actions.githubusercontent.com/ENTERPRISE`. The subject's host follows from it.
   * @default "https://token.actions.githubusercontent.com"
   */
  issuer?: string;
  /** Only runs started by this event count, e.g. `push`. Default: any event. */
  trigger?: string;
  /**
   * The repository whose run called the workflow. Set it where the workflow can be called from elsewhere
   * (`on: workflow_call`): without it every caller in the world signs with this identity. Default: any caller.
   */
  callerRepository?: string;
  /**
   * The git ref of that run, e.g. `refs/heads/main`. With a called workflow `ref` is the called file's, so without this one
   * every branch of the caller may sign. Default: any ref.
   */
  callerRef?: string;
}

/** Claims of a Fulcio certificate that must match besides subject and issuer. Wildcards `*` and `?` are allowed. */
export interface CertificateClaimsArgs {
  /** The event that started the workflow, e.g. `push` (extension 1.3.6.1.4.1.57264.1.2). */
  githubWorkflowTrigger?: string;
  /** The commit that the workflow ran on (extension .1.3). */
  githubWorkflowSha?: string;
  /** The workflow's display name (extension .1.4). */
  githubWorkflowName?: string;
  /** The repository that ran the workflow (extension .1.5). */
  githubWorkflowRepository?: string;
  /** The git ref that the workflow ran on (extension .1.6). */
  githubWorkflowRef?: string;
}

/** Any keyless identity: a certificate of the trust root with this subject and issuer. */
export interface KeylessSignerArgs {
  /** The OpenID Connect issuer, e.g. `https://token.actions.githubusercontent.com`. */
  issuer: string;
  /** The certificate's subject alternative name. `*` crosses `/`, so a loose one admits strangers. */
  subject: string;
  /** Further claims that must match. Default: none. */
  claims?: CertificateClaimsArgs;
}

/** A cosign key. Exactly one of `publicKey`, `kms` and `secretName` is given. */
export interface KeySignerArgs {
  /** Public key in PEM. */
  publicKey?: pulumi.Input<string>;
  /** KMS reference, e.g. `awskms:///alias/cosign`, `gcpkms://...`, `azurekms://...`, `hashivault://...`. */
  kms?: pulumi.Input<string>;
  /** A Secret with `cosign.pub` in Kyverno's namespace. */
  secretName?: string;
  /** Default `sha256`. */
  signatureAlgorithm?: string;
}

/** Signatures by a certificate of your own authority, without OpenID Connect. */
export interface CertificateSignerArgs {
  /** The signing certificate in PEM. Default: any leaf under `chain`. */
  certificate?: pulumi.Input<string>;
  /** Intermediate and root certificates in PEM, root last. This is where a certificate authority belongs. */
  chain?: pulumi.Input<string>;
}

/** Another Fulcio than the stack's, for one keyless signer. Kyverno reads one log key for all signers, so this one's has none. */
export interface SignerTrustArgs {
  /** Root and intermediate certificates of that Fulcio in PEM. */
  fulcioCertificates: pulumi.Input<string>;
  /**
   * Must be true: nothing proves when a signature of this signer was made, and a short-lived certificate counts for ever.
   * Signatures with an entry of another log than the stack's, and certificates with a receipt of another certificate log, are
   * refused.
   */
  acceptNoTransparencyLog: boolean;
}

/** Who may sign. Exactly one of `github`, `keyless`, `key` and `certificate` is given. */
export interface SignerArgs {
  /** A GitHub Actions workflow. */
  github?: GithubSignerArgs;
  /** Another keyless identity. */
  keyless?: KeylessSignerArgs;
  /** A key pair or KMS key. */
  key?: KeySignerArgs;
  /** A certificate authority of your own. */
  certificate?: CertificateSignerArgs;
  /** With `github` and `keyless`: another Fulcio than the stack's, for this signer alone. Default: the stack's `trust`. */
  trust?: SignerTrustArgs;
  /** Why a subject with a dangerous wildcard is accepted all the same. Without a reason it is refused. */
  acceptWildcardReason?: string;
}

/** Signed statements about the image (SLSA provenance, SBOM) that must be there too. */
export interface AttestationArgs {
  /** The in-toto predicate type, e.g. `https://slsa.dev/provenance/v1`. */
  predicateType: string;
  /** Who must have signed the statement. Default: the signers of the image entry. */
  signers?: SignerArgs[];
  /** Kyverno conditions over the predicate (`any`/`all` lists of key, operator, value). Default: presence is enough. */
  conditions?: Record<string, any>[];
}

/** Which images who must have signed. Entries may not overlap: each image has exactly one. */
export interface ImageRuleArgs {
  /** Short name, used in rule names, reports and metrics: lower-case letters, digits and `-`, at most 29. */
  name: string;
  /**
   * Repositories without tag or digest, e.g. `ghcr.io/ikey168/modulo-*`; tags and digests are covered alike. The registry
   * is written plainly: lower case, no default port, Docker Hub as `docker.io`; `docker.io/nginx` and
   * `docker.io/library/nginx` are one.
   */
  repositories: string[];
  /** Who may sign. */
  signers: SignerArgs[];
  /** How many of the signers must have signed: 1 is any of them, their number is all of them. Default 1. */
  threshold?: number;
  /** Repository that holds the signatures (cosign's `COSIGN_REPOSITORY`). Default: beside the image. */
  signatureRepository?: string;
  /** Statements that must exist besides the signature. Default: none. */
  attestations?: AttestationArgs[];
  /** Why a wildcard in a registry's name is accepted, e.g. in `*.dkr.ecr.*.amazonaws.com/team/*`. Without a reason it is refused. */
  acceptWildcardReason?: string;
}

/** One mode for some namespaces, against the default of their class. */
export interface NamespaceOverrideArgs {
  /** A namespace name or wildcard, e.g. `team-a` or `team-a-*`. */
  namespace: string;
  /** The mode there. */
  mode: GuardMode;
  /** Why, for whoever reads the config next. Default: none. */
  reason?: string;
}

/** How namespaces are classed. The lists may not overlap; every namespace that no list names is an application. */
export interface NamespacesArgs {
  /** Namespaces left alone at the webhook, by exact name, besides kube-system, kube-public, kube-node-lease and Kyverno's own. */
  system?: string[];
  /** Names or wildcards of production namespaces. Default `production`, `prod`, `prod-*`. */
  production?: string[];
  /** Names or wildcards of development namespaces, audited in every stack. Default `development`, `dev`, `dev-*`. */
  development?: string[];
  /** Exceptions from the class's mode. Default: none. */
  overrides?: NamespaceOverrideArgs[];
}

/** Images that may run unsigned in production, with the reason on record. */
export interface ExemptImagesArgs {
  /** Repositories without tag or digest, e.g. `registry.k8s.io/*`. */
  repositories: string[];
  /** Why these are accepted. */
  reason: string;
  /** Why a wildcard in a registry's name is accepted. Without a reason it is refused. */
  acceptWildcardReason?: string;
}

/** What happens to images that no signer covers. */
export interface UncoveredImagesArgs {
  /** In production namespaces. Default `refuse`. */
  production?: UncoveredAction;
  /** In every other namespace. Default `report`. */
  applications?: UncoveredAction;
  /** Images that are let through although no signer covers them. Default: none. */
  exempt?: ExemptImagesArgs[];
}

/** Emergency bypass: who may let an unsigned image in, and for how long. Without this block there is no bypass. */
export interface BypassArgs {
  /** Groups whose members may set the bypass annotation, exactly as the API server sees them. */
  groups?: pulumi.Input<string>[];
  /** Users who may set it. */
  users?: pulumi.Input<string>[];
  /** Service accounts who may set it, as `namespace:name`. */
  serviceAccounts?: pulumi.Input<string>[];
  /** Longest time a bypass may be granted for, in hours. Default 4, at most 168. */
  maxHours?: number;
}

/** Takes a policy out of admission altogether, visibly and for a limited time. */
export interface SuspensionArgs {
  /** The policy's name, or `all`. */
  policy: string;
  /** Why. */
  reason: string;
  /** When it ends, ISO 8601 with zone, e.g. `2026-12-01T18:00:00Z`. A past date fails the preview. */
  until: string;
}

/** The transparency log whose inclusion promises count. */
export interface RekorArgs {
  /** Base URL of the log, e.g. `https://rekor.example.com`. Signatures that carry a bundle need no call to it. */
  url: pulumi.Input<string>;
  /** The log's public key in PEM. */
  publicKey: pulumi.Input<string>;
}

/** Trust anchors of keyless signatures. */
export interface TrustArgs {
  /** Default `publicGood`. */
  root?: TrustRoot;
  /** Root and intermediate certificates in PEM; with `custom` and `offline`. */
  fulcioCertificates?: pulumi.Input<string>;
  /** Your transparency log; with `custom` and `offline`. */
  rekor?: RekorArgs;
  /** Public key of your certificate-transparency log in PEM. Default: none, embedded timestamps are then not accepted. */
  ctLogPublicKey?: pulumi.Input<string>;
  /**
   * Accept signatures without a transparency log. Nothing then proves when the signature was made, and a short-lived
   * certificate counts for ever. Default false.
   */
  acceptNoTransparencyLog?: boolean;
  /** Fail instead of warn when the trust bundle is outside its validity window. Default false. */
  strict?: boolean;
}

/** What the API server does when no verdict can be had, and how long it waits for one. */
export interface FailureArgs {
  /** For policies that enforce. Default `Fail`. */
  enforce?: FailurePolicy;
  /** For policies that audit. Default `Ignore`: an audit must not stop anybody. */
  audit?: FailurePolicy;
  /** Longest wait for an enforcing policy, seconds, 10 to 30. Default 30. */
  enforceTimeoutSeconds?: number;
  /** Longest wait for an auditing policy, seconds, 10 to 30. Default 10. */
  auditTimeoutSeconds?: number;
}

/** Who may write Kyverno's namespaced policies. */
export interface PolicyAuthorsArgs {
  /** Groups whose members may, exactly as the API server sees them. */
  groups?: string[];
  /** Users who may. */
  users?: string[];
  /** Service accounts who may, as `namespace:name`. */
  serviceAccounts?: string[];
}

/** What the API server itself refuses, so that it holds while Kyverno is away. Only a stack that enforces has it. */
export interface BackstopArgs {
  /**
   * Make its ValidatingAdmissionPolicies, which Kubernetes serves from 1.30 on; on an older cluster `up` fails until
   * this is false, and then pods get in unverified while Kyverno's webhooks are gone. Default true.
   */
  enabled?: boolean;
  /**
   * Who may create or change namespaced Kyverno policies (kind `Policy`), which run with Kyverno's own rights. Given in a
   * stack that only audits, everybody else is refused there too. Default: nobody.
   */
  policyAuthors?: PolicyAuthorsArgs;
  /** Most containers of a pod or pod template, init and debug containers included, 1 to 1000. Default 50. */
  maxContainers?: number;
}

/** Where the Helm chart comes from. Default: Kyverno's own repository. */
export interface ChartArgs {
  /** A local chart folder or archive, or an `oci://` reference. */
  path?: string;
  /** A Helm repository URL, for mirrors. */
  repository?: pulumi.Input<string>;
}

/** Cloud identities that Kyverno reads registries with, instead of Secrets. At least one is given. */
export interface RegistryIdentityArgs {
  /** Amazon ECR: ARN of an IAM role that trusts Kyverno's service accounts. */
  awsRoleArn?: pulumi.Input<string>;
  /** Azure ACR: client ID of a managed identity with federated credentials for Kyverno's service accounts. */
  azureClientId?: pulumi.Input<string>;
  /** Google Artifact Registry: e-mail of a Google service account that Kyverno's service accounts may act as. */
  googleServiceAccount?: pulumi.Input<string>;
}

/** A proxy through which registries, logs and key services are asked. At least one of `http` and `https` is given. */
export interface ProxyArgs {
  /** Proxy for plain HTTP, a URL without user and password, e.g. `http://proxy.example.com:3128`. Default: none. */
  http?: pulumi.Input<string>;
  /** Proxy for HTTPS, a URL without user and password. Default: none. */
  https?: pulumi.Input<string>;
  /**
   * Hosts, domains (`.example.com`) and networks (`10.0.0.0/8`) that are asked directly, besides the API server, `.svc`,
   * `.cluster.local` and this machine. Default: none.
   */
  noProxy?: string[];
}

/** Kyverno itself. */
export interface KyvernoArgs {
  /** Kyverno line. Default `1.10`. */
  target?: KyvernoTarget;
  /** Namespace that belongs to Kyverno alone: uninstalling scales down every Deployment in it. Default `kyverno`. */
  namespace?: string;
  /** Name of the Helm release; a rename replaces everything. Default `kyverno`. */
  releaseName?: string;
  /** Source of the chart. */
  chart?: ChartArgs;
  /** Admission controller replicas: 1, or 3 for high availability (2 is refused by Kyverno). Default 3 where something enforces, else 1. */
  replicas?: number;
  /** Priority class of Kyverno's pods. Default `system-cluster-critical` with 3 replicas, else none. */
  priorityClassName?: string;
  /** Registry that mirrors every image of the chart, e.g. `mirror.example.com/hub`. Default: the public ones. */
  imageRegistry?: pulumi.Input<string>;
  /** Secrets in Kyverno's namespace for pulling Kyverno's own images. Default: none. */
  imagePullSecrets?: pulumi.Input<string>[];
  /** Secrets in Kyverno's namespace for reading signatures from private registries. Default: none. */
  registrySecrets?: pulumi.Input<string>[];
  /** Cloud identities for reading signatures from private registries. Default: none. */
  registryIdentity?: RegistryIdentityArgs;
  /**
   * Certificates in PEM of the authorities that signed your registries' TLS certificates, believed by both controllers that
   * read registries, besides the public ones. A certificate that is no authority is an error. Default: the public ones.
   * @see https://pkg.go.dev/crypto/x509#SystemCertPool
   */
  registryCa?: pulumi.Input<string>;
  /** Proxy of both controllers that read registries. Default: none. */
  proxy?: ProxyArgs;
  /** The Kubernetes that Kyverno runs on, where it needs other chart values. Default: none of those that do. */
  platform?: KyvernoPlatform;
  /**
   * Put the admission controller on the node's network, where the API server can't reach pods (EKS with another network than
   * Amazon's). It takes the ports 9443 and 8000 of its node. An error with `platform: gkeAutopilot`.
   * @default false
   */
  hostNetwork?: boolean;
  /** Image with kubectl and a shell for the chart's clean-up jobs. Default `docker.io/alpine/k8s:1.31.5`. */
  kubectlImage?: string;
  /**
   * Turns Kyverno's PolicyExceptions on, for this one namespace. Whoever may create them there switches policies off, so
   * guard it as you guard production. Default: off.
   */
  policyExceptionsNamespace?: string;
  /**
   * Memory limit of the admission controller, a Kubernetes quantity. Default `1Gi` where something enforces or
   * with 3 replicas, else `384Mi`.
   */
  memoryLimit?: string;
  /**
   * Addresses (CIDR) from which the API servers call Kyverno. Given, a NetworkPolicy keeps everybody else from Kyverno's
   * webhooks; kube-system, where some clouds' API servers come from, stays allowed. Default: none, and no NetworkPolicy.
   */
  apiServerAddresses?: string[];
  /** Seconds to wait for the chart to become ready. Default 600. */
  timeoutSeconds?: number;
  /** Chart values of your own, merged over the guard's. Values that security rests on are refused here. */
  values?: pulumi.Input<Record<string, any>>;
  /** Let `values` change what security rests on; shown in every preview. Default false. */
  allowUnsafeValues?: boolean;
}

/** One alert that differs from its defaults, which docs/monitoring.md lists. */
export interface AlertArgs {
  /** Which alert. */
  alert: AlertName;
  /** Default true. */
  enabled?: boolean;
  /** Default: the alert's own. */
  severity?: AlertSeverity;
  /** How long the condition must hold, a Prometheus duration such as `5m`. Default: the alert's own. */
  for?: string;
  /** From which value on it fires, in the alert's own unit. Default: the alert's own. */
  threshold?: number;
}

/** The chart of policy-reporter, which makes metrics and a UI of Kyverno's reports. */
export interface PolicyReporterArgs {
  /** Install it. Default false. */
  enabled?: boolean;
  /** Namespace of its own. Default `policy-reporter`. */
  namespace?: string;
  /** Its web page, reachable inside the cluster only. Default false. */
  ui?: boolean;
  /** Source of the chart. Default: policy-reporter's own repository. */
  chart?: ChartArgs;
  /** Chart values of your own, merged over the guard's. */
  values?: pulumi.Input<Record<string, any>>;
}

/** Alerts, scraping and dashboards. Without this block there are none. */
export interface MonitoringArgs {
  /**
   * Whether the cluster has the Prometheus Operator's kinds (monitoring.coreos.com/v1). Without it there are neither
   * PrometheusRule nor ServiceMonitors, and `up` works all the same. Default false.
   */
  prometheusOperator?: boolean;
  /** How Prometheus finds Kyverno. Default `serviceMonitors` with the operator, else `annotations`. */
  scrape?: MetricsScrape;
  /** How often Kyverno is scraped, with ServiceMonitors. Default `30s`. */
  scrapeInterval?: string;
  /** How often the rules are evaluated. Default `30s`. */
  evaluationInterval?: string;
  /** How far back alerts count events. Default `10m`. */
  window?: string;
  /** How far back alerts look for background scans, which Kyverno makes once an hour. Default `2h`. */
  scanWindow?: string;
  /** Labels of the PrometheusRule and the ServiceMonitors, by which the operator selects them. Default: none. */
  objectLabels?: Record<string, string>;
  /** Labels of every alert, for routing. Default: none. */
  alertLabels?: Record<string, pulumi.Input<string>>;
  /** Address of a page with a section for each alert, such as a copy of docs/alerts.md. Default: that file's name. */
  runbookBaseUrl?: pulumi.Input<string>;
  /** The Grafana dashboard as a ConfigMap for Grafana's sidecar. Default true. */
  dashboards?: boolean;
  /** Alerts that differ from their defaults. Default: none. */
  alerts?: AlertArgs[];
  /** policy-reporter by its own chart. Default: off. */
  policyReporter?: PolicyReporterArgs;
}

/** How `up` makes sure that the guard answers. */
export interface ReadinessArgs {
  /**
   * Kubeconfig for the canary check: its content as YAML, JSON or a block, or a path. Default: the ambient one, if no
   * explicit provider is given.
   */
  kubeconfig?: pulumi.Input<any>;
  /** Context in that kubeconfig. Default: its current one. */
  context?: string;
  /** Ask the API server, by dry run, to admit a canary pod after the policies are ready. Default true where reachable. */
  canary?: boolean;
  /** Seconds to wait for each step. Default 180. */
  timeoutSeconds?: number;
}

/**
 * Arguments of `ImageSigningGuard`. What its type says may be an Output is taken when it is known; everything else decides
 * which resources exist and must be plain.
 */
export interface ImageSigningGuardArgs {
  /** The stack's mode. Development namespaces are audited in either. Default `audit`. */
  mode?: GuardMode;
  /** Which images who must have signed. At least one entry. */
  images: ImageRuleArgs[];
  /** How namespaces are classed. */
  namespaces?: NamespacesArgs;
  /** What happens to images that no signer covers. */
  uncovered?: UncoveredImagesArgs;
  /** Tags of verified images in enforced namespaces. Default `pin`. */
  tags?: TagHandling;
  /** Emergency bypass. Default: off. */
  bypass?: BypassArgs;
  /** Policies that are out of admission for a while. Default: none. */
  suspend?: SuspensionArgs[];
  /** Trust anchors. Default: the public-good Sigstore instance. */
  trust?: TrustArgs;
  /** Behaviour when no verdict can be had. */
  failure?: FailureArgs;
  /** What the API server itself refuses. */
  backstop?: BackstopArgs;
  /** Kyverno's installation. */
  kyverno?: KyvernoArgs;
  /** The page that a refused person is sent to. Default: the name of this project's own runbook. */
  runbookUrl?: pulumi.Input<string>;
  /** Kyverno ClusterPolicies of your own, checked and deployed with the guard's. Default: none. */
  extraPolicies?: Record<string, any>[];
  /** Alerts, scraping and dashboards. Default: off. */
  monitoring?: MonitoringArgs;
  /** How `up` makes sure that the guard answers. */
  readiness?: ReadinessArgs;
}
