import { KyvernoTarget } from "../args";

/** What differs between the Kyverno lines. Nothing else in the code asks which line it is. */
export interface KyvernoLine {
  readonly chartVersion: string;
  readonly appVersion: string;
  /** The oldest patch of the line that the policies hold on. */
  readonly oldestPatch: number;
  /** Whether an image counts as verified because the request's own annotation says so. */
  readonly trustsRequestAnnotation: boolean;
  /**
   * Whether an update gets through when the object as it was would be refused too. Kyverno then judges the old object by
   * the new one's images, so that every update would be excused; the rules look themselves whether images are new.
   */
  readonly excusesUpdates: boolean;
  /** Whether an update has its images verified anew although it leaves them alone. */
  readonly judgesUnchangedImages: boolean;
  /** Whether a refusal lists the rules that were skipped too, with the message of the precondition. */
  readonly tellsSkippedRules: boolean;
  /** Whether a policy that is not Ready judges nothing, as it is for a while after the webhooks were withdrawn. */
  readonly ignoresUnreadyPolicies: boolean;
  /** How Kyverno's record says of an image that it was verified, as JSON. */
  readonly verifiedVerdict: string;
  /** Whether ImageValidatingPolicy and ValidatingPolicy are known. */
  readonly knowsCelPolicies: boolean;
  /** Whether Sigstore bundles are verified, by the anchors of an update repository. */
  readonly readsBundles: boolean;
  /** Whether the key of a log must be an ECDSA one. */
  readonly logsByEcdsaOnly: boolean;
  /**
   * Whether cosign's tag format is verified as cosign 3 does: only with the logs that the policy names, there with a
   * receipt in each certificate, and by today's date where no log tells the time of a signature. A policy must then say
   * that a log is not used; else the public one is asked.
   */
  readonly verifiesAsCosign3: boolean;
  /** Whether a verdict is kept for an hour under the image's text, so that a tag that moved would be believed unseen. */
  readonly cachesVerdictsByTag: boolean;
  /** Whether the chart takes the webhooks' filter as a block and hook images as {registry, repository, tag}. */
  readonly chartTakesBlocks: boolean;
  /** Whether the chart mounts further volumes into the controllers that verify. */
  readonly chartTakesVolumes: boolean;
  /** Whether a Job of the chart writes stored objects anew after each upgrade. */
  readonly chartMigrates: boolean;
  /** Whether admins of namespaces may write policies there whatever the chart is told, or only where a value says so. */
  readonly adminsWritePolicies: "always" | "by a value";
  /**
   * Kinds of a namespace that run with Kyverno's own rights. Of those of 1.19.1 five are known to hand the cluster over
   * (CVE-2026-122302, 122303, 122304, 122310, 122311).
   */
  readonly namespacedPolicies: readonly { readonly group: string; readonly plural: string }[];
  /** Whether the chart makes its ServiceMonitors only where the cluster has such a kind; else it can't be installed. */
  readonly chartLooksForOperator: boolean;
  /** Whether the chart cleans up by kubectl in an image of its own. */
  readonly hooksTakeKubectl: boolean;
  /** Kyverno's webhook configurations that it gives no owner, so that they would stay when it goes. */
  readonly unownedWebhooks: readonly string[];
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
    judgesUnchangedImages: false,
    tellsSkippedRules: true,
    ignoresUnreadyPolicies: false,
    verifiedVerdict: "true",
    knowsCelPolicies: false,
    readsBundles: false,
    logsByEcdsaOnly: true,
    verifiesAsCosign3: false,
    cachesVerdictsByTag: false,
    chartTakesBlocks: false,
    chartTakesVolumes: false,
    chartMigrates: false,
    adminsWritePolicies: "always",
    namespacedPolicies: [{ group: "kyverno.io", plural: "policies" }],
    chartLooksForOperator: true,
    hooksTakeKubectl: true,
    unownedWebhooks: ["kyverno-exception-validating-webhook-cfg"],
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
  [KyvernoTarget.V1_19]: {
    chartVersion: "3.9.1",
    appVersion: "v1.19.1",
    // 1.19.0 was tried by nobody here.
    oldestPatch: 1,
    trustsRequestAnnotation: false,
    excusesUpdates: true,
    judgesUnchangedImages: true,
    tellsSkippedRules: false,
    ignoresUnreadyPolicies: true,
    verifiedVerdict: '"pass"',
    knowsCelPolicies: true,
    readsBundles: true,
    logsByEcdsaOnly: false,
    verifiesAsCosign3: true,
    cachesVerdictsByTag: true,
    chartTakesBlocks: true,
    chartTakesVolumes: true,
    chartMigrates: true,
    adminsWritePolicies: "by a value",
    namespacedPolicies: [
      { group: "kyverno.io", plural: "policies" },
      { group: "kyverno.io", plural: "cleanuppolicies" },
      { group: "policies.kyverno.io", plural: "namespacedvalidatingpolicies" },
      { group: "policies.kyverno.io", plural: "namespacedmutatingpolicies" },
      { group: "policies.kyverno.io", plural: "namespacedimagevalidatingpolicies" },
      { group: "policies.kyverno.io", plural: "namespacedgeneratingpolicies" },
      { group: "policies.kyverno.io", plural: "namespaceddeletingpolicies" },
    ],
    chartLooksForOperator: false,
    hooksTakeKubectl: false,
    unownedWebhooks: [
      "kyverno-exception-validating-webhook-cfg",
      "kyverno-cel-exception-validating-webhook-cfg",
      "kyverno-global-context-validating-webhook-cfg",
    ],
    heldRoles: false,
    algorithmOfAnyKey: true,
    // cmd/kyverno/main.go, cmd/internal/flag.go, pkg/toggle and pkg/logging of v1.19.1; Go's own flag package has no more.
    admissionFlags: [
      ...["admissionReports", "allowHTTPInNamespacedPolicies", "allowInsecureRegistry", "allowedResults"],
      ...["apiCallTimeout", "autoMemLimitEnabled", "autoMemLimitRatio", "autoUpdateWebhooks"],
      ...["backgroundServiceAccountName", "caSecretName", "clientRateLimitBurst", "clientRateLimitQPS"],
      ...["controllerRuntimeMetricsAddress", "crdWatcher", "disableCertManagerController", "disableLogColor"],
      ...["disableMetrics", "dumpPatches", "dumpPayload", "enableConfigMapCaching", "enableCosignLogging"],
      ...["enableDeferredLoading", "enablePolicyException", "enableReporting", "enableTracing", "enableTuf"],
      ...["eventsRateLimitBurst", "eventsRateLimitQPS", "exceptionNamespace", "excludeBootstrapResources"],
      ...["exemplarFilter", "forceFailurePolicyIgnore", "generateMutatingAdmissionPolicy"],
      ...["generateValidatingAdmissionPolicy", "httpAllowlist", "httpBlocklist", "imagePullSecrets"],
      ...["imageVerifyCacheEnabled", "imageVerifyCacheMaxSize", "imageVerifyCacheTTLDuration", "kubeconfig"],
      ...["leaderElectionRetryPeriod", "loggingFormat", "loggingtsFormat", "maxAPICallResponseLength"],
      ...["maxAdmissionReports", "maxAuditCapacity", "maxAuditWorkers", "maxGlobalContextEntries", "maxQueuedEvents"],
      ...["metricsCASecretName", "metricsHost", "metricsKeyAlgorithm", "metricsPort", "metricsRenewBefore"],
      ...["metricsServerIP", "metricsTLSSecretName", "omitEvents", "openreportsEnabled", "otelCollector", "otelConfig"],
      ...["profile", "profileAddress", "profilePort", "protectManagedResources", "registryCredentialHelpers"],
      ...["renewBefore", "reportsServiceAccountName", "resyncPeriod", "serverIP", "servicePort", "tlsKeyAlgorithm"],
      ...["tlsSecretName", "tracingAddress", "tracingCreds", "tracingPort", "transportCreds", "tufMirror", "tufRoot"],
      ...["tufRootRaw", "webhookRegistrationTimeout", "webhookServerHost", "webhookServerPort", "webhookTimeout"],
      ...["add_dir_header", "alsologtostderr", "log_backtrace_at", "log_dir", "log_file", "log_file_max_size"],
      ...["logtostderr", "one_output", "skip_headers", "skip_log_headers", "stderrthreshold", "v", "vmodule"],
    ],
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
      signatureAlgorithm: "sha256",
    },
  },
};

/** Has the trust anchors as files, where the chart takes more volumes and for a Kyverno that somebody else runs. */
export const TRUST_VOLUME = "image-signing-guard-trust";

export const CHART_NAME = "kyverno";
export const CHART_REPOSITORY = "https://kyverno.github.io/kyverno/";
/** Has kubectl and a shell, which the chart's clean-up jobs need; the chart's own image is gone from its registry. */
export const DEFAULT_KUBECTL_IMAGE = "docker.io/alpine/k8s:1.31.5";
