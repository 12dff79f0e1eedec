import { FailurePolicy } from "../args";
import type { PolicyPlan, Posture } from "../posture/types";
import { anyOf, type Matchers, select } from "./promql";

/**
 * Kyverno's metrics by the labels that 1.10.7 and 1.19.1 really give them. Copied alerts ask for policy_type="ClusterPolicy",
 * which no Kyverno of this line has ever written.
 */
const RESULTS = "kyverno_policy_results_total";

/** How the kinds of policies are counted. The newer ones have no rules, and other words for the same labels. */
interface Counter {
  readonly metric: string;
  readonly own: Matchers;
  readonly words: Readonly<Record<string, string>>;
}

const COUNTERS: Record<string, Counter> = {
  ClusterPolicy: { metric: RESULTS, own: [["policy_type", "=", "cluster"]], words: {} },
  ImageValidatingPolicy: celCounter("kyverno_image_validating_policy_results_total"),
  ValidatingPolicy: celCounter("kyverno_validating_policy_results_total"),
  MutatingPolicy: celCounter("kyverno_mutating_policy_results_total"),
};

function celCounter(metric: string): Counter {
  return {
    metric,
    own: [],
    words: { rule_result: "result", rule_execution_cause: "execution_cause", audit: "Audit", enforce: "Deny" },
  };
}

/** A policy as metrics know it: each kind has a counter of its own. */
export interface PolicyName {
  readonly kind: string;
  readonly name: string;
}

export const namesOf = (policies: readonly PolicyName[]): string[] => policies.map(({ name }) => name);

/** What Kyverno counted for these policies, a selector for each kind; labels and values as a ClusterPolicy has them. */
export function results(policies: readonly PolicyName[], more: Matchers): string[] {
  const kinds = [...new Set(policies.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const { metric, own, words } = COUNTERS[kind]!;
    const names = namesOf(policies.filter((policy) => policy.kind === kind));
    const said = more.map(
      ([label, operator, value]) => [words[label] ?? label, operator, words[value] ?? value] as const,
    );
    return select(metric, [...own, ["policy_name", "=~", anyOf(names)], ...said]);
  });
}

/** Seen while somebody waits for an answer, as against the scans of what already runs. */
export const AT_ADMISSION: Matchers[number] = ["rule_execution_cause", "=", "admission_request"];
export const BY_SCAN: Matchers[number] = ["rule_execution_cause", "=", "background_scan"];

/** The label that says whether somebody waited for the answer, where it may not be asked for. */
export function causeLabel([first]: readonly PolicyName[]): string {
  const [label] = AT_ADMISSION;
  return (first && COUNTERS[first.kind]?.words[label]) ?? label;
}

export function ruleInfo(more: Matchers): string {
  return select("kyverno_policy_rule_info_total", [["policy_type", "=", "cluster"], ...more]);
}

/**
 * Cycles of one of Kyverno's controllers. Each runs in one Deployment only and has its own name, so these tell who is
 * alive whatever the scrape config calls its jobs. `up` would not: its labels differ with every config.
 */
export function cycles(controller: string): string {
  return select("kyverno_controller_reconcile_total", [["controller_name", "=", controller]]);
}

/** Written by the admission controller alone. */
export function admissionController({ kyverno }: Pick<Posture, "kyverno">): string {
  // This controller has work only where there are ClusterPolicies; the heartbeat is answered all the same.
  return kyverno.policies ? HEARTBEATS : cycles("policycache-controller");
}

/** Runs in the reports controller. */
export const SCAN_CONTROLLER = "background-scan-controller";

/**
 * Webhook calls are counted by path. It ends with the failure policy of the policies behind it; that of a policy with a
 * webhook of its own, with its name.
 */
export function callDurations(failurePolicy: FailurePolicy, { policies, kyverno }: Posture): string {
  const own = policies.filter((policy) => policy.failurePolicy === failurePolicy).map(({ name }) => name);
  const url = kyverno.policies
    ? `/(ivpol|mpol|vpol)/(validate/|mutate/)?(${anyOf(own)})(-(templates|debug|revisions))?(-part-[0-9]+)?([?].*)?`
    : `/(mutate|validate)/${failurePolicy.toLowerCase()}([?].*)?`;
  return select("kyverno_http_requests_duration_seconds_bucket", [["http_url", "=~", url]]);
}

/** How long the API server waits: Kyverno gives a webhook the longest time of its policies. */
export function timeouts({ policies }: Posture): { failurePolicy: FailurePolicy; seconds: number }[] {
  return Object.values(FailurePolicy).flatMap((failurePolicy) => {
    const own = policies.filter((policy: PolicyPlan) => policy.failurePolicy === failurePolicy);
    if (own.length === 0) return [];
    return [{ failurePolicy, seconds: Math.max(...own.map(({ timeoutSeconds }) => timeoutSeconds)) }];
  });
}

/** Share of the timeout that a quantile of the calls takes. */
export function latency(quantile: number, failurePolicy: FailurePolicy, range: string, posture: Posture): string {
  return `histogram_quantile(${quantile}, sum by (le) (rate(${callDurations(failurePolicy, posture)}[${range}])))`;
}

/** Reports that Kyverno creates: one for every judged request and one for every scanned object. */
export const REPORTS_WRITTEN = select("kyverno_client_queries_total", [
  ["operation", "=", "create"],
  ["resource_kind", "=~", "(Cluster)?(AdmissionReport|BackgroundScanReport|EphemeralReport)"],
]);

/** What the API server itself says of webhooks that it could not call; two counters, one for each failure policy. */
export const FAILED_CALLS = [
  select("apiserver_admission_webhook_rejection_count", [
    ["name", "=~", ".+[.]kyverno[.]svc.*"],
    ["error_type", "=", "calling_webhook_error"],
  ]),
  select("apiserver_admission_webhook_fail_open_count", [["name", "=~", ".+[.]kyverno[.]svc.*"]]),
] as const;

/** Kyverno's own heartbeat: the API server calls it for the lease that it writes every 10 s. */
export const HEARTBEATS = select("kyverno_http_requests_duration_seconds_bucket", [
  ["http_url", "=~", "/verifymutate([?].*)?"],
  ["le", "=", "+Inf"],
]);

/** Pods that the API server itself refused because Kyverno's webhooks were not as they must be. */
export const HELD_BACK = select("apiserver_validating_admission_policy_check_total", [
  [
    "policy",
    "=~",
    "image-signing-guard-(heartbeat|mutating-webhook|validating-webhook|ready-policies|ready-policies-guards)",
  ],
  ["enforcement_action", "=", "deny"],
]);

/** Days until the first certificate of the trust bundle ends. */
export function trustDaysLeft(validUntil: string): string {
  return `(vector(${Math.floor(Date.parse(validUntil) / 1000)}) - time()) / 86400`;
}
