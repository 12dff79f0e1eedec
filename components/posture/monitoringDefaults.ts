import { AlertName, AlertSeverity } from "../args";

export interface AlertDefault {
  readonly severity: AlertSeverity;
  readonly for: string;
  /** What the threshold counts, and from which value on the alert fires. Absent where there is nothing to count. */
  readonly threshold?: { readonly value: number; readonly unit: string; readonly max?: number };
}

const { Critical, Warning, Info } = AlertSeverity;

/** Every alert with what it does unless the stack says otherwise. The order is that of the docs. */
export const ALERT_DEFAULTS: Record<AlertName, AlertDefault> = {
  [AlertName.ImageViolation]: { severity: Info, for: "0s", threshold: { value: 1, unit: "rule results in `window`" } },
  // Three, because the canary of every `up` is refused once: its image does not exist, which fails and is an error too.
  [AlertName.ImageRefused]: { severity: Warning, for: "0s", threshold: { value: 3, unit: "rule results in `window`" } },
  [AlertName.ImageVerificationError]: {
    severity: Critical,
    for: "0s",
    threshold: { value: 3, unit: "rule results in `window`" },
  },
  [AlertName.ImageBypassUsed]: {
    severity: Warning,
    for: "0s",
    threshold: { value: 1, unit: "rule results in `window`" },
  },
  [AlertName.ImageBypassRefused]: {
    severity: Warning,
    for: "0s",
    threshold: { value: 1, unit: "rule results in `window`" },
  },
  [AlertName.ImageBypassExpired]: {
    severity: Warning,
    for: "0s",
    threshold: { value: 1, unit: "rule results in `scanWindow`" },
  },
  [AlertName.ImagePolicyMissing]: { severity: Critical, for: "5m" },
  [AlertName.ImagePolicyNotReady]: { severity: Warning, for: "5m" },
  [AlertName.ImagePolicyWeakened]: { severity: Critical, for: "1m" },
  [AlertName.ImageTrustExpiring]: { severity: Warning, for: "1h", threshold: { value: 30, unit: "days left" } },
  [AlertName.KyvernoAdmissionSlow]: {
    severity: Warning,
    for: "10m",
    threshold: { value: 0.5, unit: "share of the webhook's timeout", max: 1 },
  },
  [AlertName.KyvernoAdmissionNearTimeout]: {
    severity: Critical,
    for: "5m",
    threshold: { value: 0.8, unit: "share of the webhook's timeout", max: 1 },
  },
  [AlertName.KyvernoAdmissionDown]: { severity: Critical, for: "2m" },
  [AlertName.KyvernoWebhookFailing]: {
    severity: Critical,
    for: "0s",
    threshold: { value: 1, unit: "failed calls in `window`" },
  },
  [AlertName.KyvernoWebhooksGone]: {
    severity: Critical,
    for: "0s",
    threshold: { value: 1, unit: "refusals of the backstop in `window`" },
  },
  [AlertName.KyvernoReportsStale]: {
    severity: Warning,
    for: "15m",
    threshold: { value: 1, unit: "scans in `scanWindow`, below which it fires" },
  },
  [AlertName.KyvernoReportFlood]: {
    severity: Warning,
    for: "15m",
    threshold: { value: 20, unit: "reports a second" },
  },
};

/** The chart of policy-reporter. It reads the kinds of reports that Kyverno 1.10 writes, as well as newer ones. */
export const POLICY_REPORTER = {
  chart: "policy-reporter",
  repository: "https://kyverno.github.io/policy-reporter",
  releaseName: "policy-reporter",
  chartVersion: "3.9.1",
} as const;
