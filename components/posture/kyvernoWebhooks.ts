/** Kyverno's configurations of the webhooks that judge resources, by kind; the same names in every line. */
export const RESOURCE_WEBHOOKS = {
  mutating: { configuration: "kyverno-resource-mutating-webhook-cfg", failing: "mutate.kyverno.svc-fail" },
  validating: { configuration: "kyverno-resource-validating-webhook-cfg", failing: "validate.kyverno.svc-fail" },
} as const;

/** The configuration of the webhooks that check policies. */
export const POLICY_WEBHOOKS = "kyverno-policy-validating-webhook-cfg";

/** The chart names it after itself, not after the release. */
export const ADMISSION_DEPLOYMENT = "kyverno-admission-controller";
/** Scans what runs, and so verifies images too. */
export const REPORTS_DEPLOYMENT = "kyverno-reports-controller";
