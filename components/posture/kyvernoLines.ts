import { KyvernoTarget } from "../args";

/** What differs between the Kyverno lines. Nothing else in the code asks which line it is. */
export interface KyvernoLine {
  readonly chartVersion: string;
  readonly appVersion: string;
  /** The oldest patch of the line that the policies hold on. */
  readonly oldestPatch: number;
  /** Whether an image counts as verified because the request's own annotation says so (fixed in 1.13.1). */
  readonly trustsRequestAnnotation: boolean;
  /**
   * Whether an update gets through when the object as it was would be refused too. Kyverno then judges the old object by
   * the new one's images, so that every update would be excused; the rules look themselves whether images are new.
   */
  readonly excusesUpdates: boolean;
  /** Whether a policy that is not Ready judges nothing, as it is for a while after the webhooks were withdrawn. */
  readonly ignoresUnreadyPolicies: boolean;
  /** How Kyverno's record says of an image that it was verified, as JSON. */
  readonly verifiedVerdict: string;
  /** Whether a policy must say when a log is not used; else its verifier asks the public one. */
  readonly absentLogsAreNamed: boolean;
  /** Whether the chart takes the webhooks' filter as a block and hook images as {registry, repository, tag}. */
  readonly chartTakesBlocks: boolean;
  /** Whether the chart's aggregated roles are known by their rules, so that they can be held while it is uninstalled. */
  readonly heldRoles: boolean;
  /** Whether the algorithm of a signature counts for a key from a KMS or a Secret too, and not only for a PEM. */
  readonly algorithmOfAnyKey: boolean;
  /** Flags of the admission controller, where they are on record: it ends at once when it is given another. */
  readonly admissionFlags?: readonly string[];
  /**
   * Definitions whose versions differ between the lines, by name, with those that this line's chart has. The API server
   * refuses the chart's as long as one is there that stores objects in another version.
   */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  /** Fields that the API server adds to a policy which lacks them; the guard writes out those of 1.10 by itself. */
  readonly addedToPolicies: Readonly<Record<string, unknown>>;
}

export const KYVERNO_LINES: Record<KyvernoTarget, KyvernoLine> = {
  [KyvernoTarget.V1_10]: {
    chartVersion: "3.0.9",
    appVersion: "v1.10.7",
    oldestPatch: 0,
    trustsRequestAnnotation: true,
    excusesUpdates: false,
    ignoresUnreadyPolicies: false,
    verifiedVerdict: "true",
    absentLogsAreNamed: false,
    chartTakesBlocks: false,
    heldRoles: true,
    algorithmOfAnyKey: false,
    versions: {
      "cleanuppolicies.kyverno.io": ["v2alpha1"],
      "clustercleanuppolicies.kyverno.io": ["v2alpha1"],
      "policyexceptions.kyverno.io": ["v2alpha1"],
      "updaterequests.kyverno.io": ["v1beta1"],
    },
    // cmd/kyverno/main.go, cmd/internal/flag.go and pkg/toggle of v1.10.7, and those of its logging library.
    admissionFlags: [
      ...["admissionReports", "allowInsecureRegistry", "autoUpdateWebhooks", "backgroundServiceAccountName"],
      ...["clientRateLimitBurst", "clientRateLimitQPS", "disableMetrics", "dumpPayload", "enableConfigMapCaching"],
      ...["enableDeferredLoading", "enablePolicyException", "enableTracing", "exceptionNamespace"],
      ...["forceFailurePolicyIgnore", "imagePullSecrets", "imageSignatureRepository", "kubeconfig"],
      ...["leaderElectionRetryPeriod", "loggingFormat", "maxAPICallResponseLength", "maxQueuedEvents", "metricsPort"],
      ...["omit-events", "otelCollector", "otelConfig", "profile", "profileAddress", "profilePort"],
      ...["protectManagedResources", "registryCredentialHelpers", "serverIP", "servicePort", "tracingAddress"],
      ...["tracingCreds", "tracingPort", "transportCreds", "webhookRegistrationTimeout", "webhookTimeout"],
      ...["add_dir_header", "alsologtostderr", "log_backtrace_at", "log_dir", "log_file", "log_file_max_size"],
      ...["logtostderr", "one_output", "skip_headers", "skip_log_headers", "stderrthreshold", "v", "vmodule"],
    ],
    addedToPolicies: {},
  },
  [KyvernoTarget.V1_13]: {
    chartVersion: "3.3.6",
    appVersion: "v1.13.4",
    // 1.13.0 still believed a verdict that the request brought along.
    oldestPatch: 1,
    trustsRequestAnnotation: false,
    excusesUpdates: true,
    ignoresUnreadyPolicies: true,
    verifiedVerdict: '"pass"',
    absentLogsAreNamed: true,
    chartTakesBlocks: true,
    heldRoles: false,
    algorithmOfAnyKey: true,
    versions: {
      "cleanuppolicies.kyverno.io": ["v2", "v2beta1"],
      "clustercleanuppolicies.kyverno.io": ["v2", "v2beta1"],
      "policyexceptions.kyverno.io": ["v2", "v2beta1"],
      "updaterequests.kyverno.io": ["v1beta1", "v2"],
    },
    addedToPolicies: {
      admission: true,
      emitWarning: false,
      allowExistingViolations: true,
      skipBackgroundRequests: true,
      useCache: true,
      signatureAlgorithm: "sha256",
    },
  },
};

export const CHART_NAME = "kyverno";
export const CHART_REPOSITORY = "https://kyverno.github.io/kyverno/";
/** Has kubectl and a shell, which the chart's clean-up jobs need; the chart's own image is gone from its registry. */
export const DEFAULT_KUBECTL_IMAGE = "docker.io/alpine/k8s:1.31.5";
