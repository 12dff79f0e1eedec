import { AlertName } from "../args";
import type { AlertSetting, Monitoring, Posture } from "../posture/types";
import {
  AT_ADMISSION,
  admissionController,
  BY_SCAN,
  causeLabel,
  cycles,
  FAILED_CALLS,
  HEARTBEATS,
  HELD_BACK,
  latency,
  type PolicyName,
  REPORTS_WRITTEN,
  results,
  ruleInfo,
  SCAN_CONTROLLER,
  timeouts,
  trustDaysLeft,
} from "./metrics";
import { anyOf, events, eventsOf, type Matchers } from "./promql";
import type { Subjects } from "./subjects";

/** One alerting rule without what every rule has. */
export interface AlertBody {
  readonly expr: string;
  readonly labels?: Record<string, string>;
  readonly summary: string;
  readonly description: string;
}

interface Context {
  readonly posture: Posture;
  readonly monitoring: Monitoring;
  readonly subjects: Subjects;
  readonly threshold: number;
}

const BY_POLICY = ["policy_name", "resource_namespace", "resource_kind"];
const WHERE = "{{ $labels.resource_kind }} in namespace {{ $labels.resource_namespace }}";
const POLICY = "policy {{ $labels.policy_name }}";
const COUNT = '{{ $value | printf "%.0f" }}';

/** Metrics know no images: whoever reads an alert is told where they stand. */
const whichImage = "kubectl get events -A --field-selector reason=PolicyViolation names the objects";

/** None where the posture has nothing that the alert could be about. */
const BODIES: Record<AlertName, (context: Context) => AlertBody[]> = {
  [AlertName.ImageViolation]: ({ subjects, monitoring, threshold }) => {
    const violated = (seen: Matchers[number], window: string) => (policies: readonly PolicyName[]) => ({
      expr: `${eventsOf(results(policies, [["policy_validation_mode", "=", "audit"], ["rule_result", "=", "fail"], seen]), window, BY_POLICY, threshold)}`,
      summary: `Admitted, but not as ${POLICY} wants it: ${WHERE}`,
      description: `Violations of ${POLICY} by ${WHERE} within ${window}: ${COUNT}. Nothing was refused. Images are not in metrics: kubectl get policyreport -n {{ $labels.resource_namespace }} names them.`,
    });
    return [
      ...when(
        subjects.reporting.filter(({ name }) => !subjects.scanning.some((scanning) => scanning.name === name)),
        violated(AT_ADMISSION, monitoring.window),
      ),
      ...when(subjects.scanning, violated(BY_SCAN, monitoring.scanWindow)),
    ];
  },

  [AlertName.ImageRefused]: ({ subjects, monitoring, threshold }) =>
    when(subjects.enforcing, (policies) => ({
      expr: `${eventsOf(results(policies, [["policy_validation_mode", "=", "enforce"], ["rule_result", "=", "fail"], AT_ADMISSION]), monitoring.window, BY_POLICY, threshold)}`,
      summary: `Refused by ${POLICY}: ${WHERE}`,
      description: `Failed checks of ${POLICY} on ${WHERE} within ${monitoring.window}: ${COUNT}. Images are not in metrics: ${whichImage}; so does the refused request's own error.`,
    })),

  [AlertName.ImageVerificationError]: ({ subjects, monitoring, threshold }) =>
    when(subjects.verifying, (policies) => ({
      expr: `${eventsOf(results(policies, [["rule_result", "=", "error"]]), monitoring.window, [...BY_POLICY, causeLabel(policies)], threshold)}`,
      summary: `No verdict by ${POLICY} on ${WHERE}`,
      description: `Checks of ${POLICY} on ${WHERE} without a verdict within ${monitoring.window}: ${COUNT} ({{ $labels.${causeLabel(policies)} }}). The image is not unsigned: it does not exist, or a registry, key or log can't be reached. Where the policy enforces, such pods are refused.`,
    })),

  [AlertName.ImageBypassUsed]: ({ subjects, monitoring, threshold }) => [
    ...when(subjects.bypassRules, (rules) => ({
      expr: `${eventsOf(results(subjects.enforcing, [["rule_name", "=~", anyOf(rules)], ["rule_result", "=", "skip"], ["resource_request_operation", "=~", "create|update"], AT_ADMISSION]), monitoring.window, BY_POLICY, threshold)}`,
      summary: `Bypass of ${POLICY}: ${WHERE}`,
      description: `Rules of ${POLICY} skipped for ${WHERE} by bypass annotation within ${monitoring.window}: ${COUNT}. If ImageBypassRefused fires for that namespace too, the attempt may have been refused. image-signing-guard bypass list tells who, why and until when.`,
    })),
    ...when(subjects.bypassGrants, (policies) => ({
      expr: eventsOf(
        results(policies, [["rule_result", "=", "pass"], AT_ADMISSION]),
        monitoring.window,
        BY_POLICY,
        threshold,
      ),
      summary: `Bypass of image verification: ${WHERE}`,
      description: `Requests for ${WHERE} with a bypass annotation that ${POLICY} let through within ${monitoring.window}: ${COUNT}. image-signing-guard bypass list tells who, why and until when.`,
    })),
  ],

  [AlertName.ImageBypassRefused]: ({ subjects, monitoring, threshold }) =>
    when(subjects.bypassGuards, (policies) => {
      const hasRules = subjects.bypassGrants.length === 0;
      const [by, named] = hasRules ? [[...BY_POLICY, "rule_name"], ": rule {{ $labels.rule_name }}"] : [BY_POLICY, ""];
      return {
        expr: `${eventsOf(results(policies, [["rule_result", "=~", "fail|error"], AT_ADMISSION]), monitoring.window, by, threshold)}`,
        summary: `Bypass refused by ${POLICY}${hasRules ? " ({{ $labels.rule_name }})" : ""}: ${WHERE}`,
        description: `Somebody tried to bypass image verification for ${WHERE}, and ${POLICY} refused${named}. Refusals within ${monitoring.window}: ${COUNT}.`,
      };
    }),

  [AlertName.ImageBypassExpired]: ({ subjects, monitoring, threshold }) => [
    ...when(subjects.endedRules, (rules) => ({
      expr: `${eventsOf(results(subjects.enforcing, [["rule_name", "=~", anyOf(rules)], ["rule_result", "=", "skip"], BY_SCAN]), monitoring.scanWindow, BY_POLICY, threshold)}`,
      summary: `Runs on after its bypass of ${POLICY} has ended: ${WHERE}`,
      description: `Scans within ${monitoring.scanWindow} found ${WHERE} with a bypass of ${POLICY} that has ended. It runs until it is replaced; its next pod will be refused. image-signing-guard bypass list names it.`,
    })),
    ...when(subjects.endedBypasses, (policies) => ({
      expr: eventsOf(
        results(policies, [["rule_result", "=", "fail"], BY_SCAN]),
        monitoring.scanWindow,
        BY_POLICY,
        threshold,
      ),
      summary: `Runs on after its bypass has ended: ${WHERE}`,
      description: `Scans of ${POLICY} within ${monitoring.scanWindow} found ${WHERE} with a bypass that has ended. It runs until it is replaced; its next pod will be refused. image-signing-guard bypass list names it.`,
    })),
  ],

  [AlertName.ImagePolicyMissing]: ({ subjects }) =>
    when(subjects.all, (policies) => ({
      expr: policies.map((name) => `absent(${ruleInfo([["policy_name", "=", name]])})`).join("\nor "),
      summary: `${capital(POLICY)} is missing`,
      description: `Kyverno does not know ${POLICY}. Either it was deleted, and nothing is checked by it, or Kyverno is not scraped. pulumi up brings it back.`,
    })),

  [AlertName.ImagePolicyNotReady]: ({ subjects }) =>
    when(subjects.all, (policies) => ({
      expr: `max by (policy_name) (${ruleInfo([
        ["policy_name", "=~", anyOf(policies)],
        ["status_ready", "=", "false"],
      ])}) > 0`,
      summary: `${capital(POLICY)} is not ready`,
      description: `${capital(POLICY)} is in the cluster but not in Kyverno's webhooks, so nothing is checked by it.`,
    })),

  [AlertName.ImagePolicyWeakened]: ({ subjects }) =>
    when(subjects.refusing, (policies) => ({
      expr: `max by (policy_name) (${ruleInfo([
        ["policy_name", "=~", anyOf(policies)],
        ["policy_validation_mode", "=", "audit"],
      ])}) > 0`,
      summary: `${capital(POLICY)} no longer refuses`,
      description: `${capital(POLICY)} should enforce and only audits: somebody changed it in the cluster. pulumi preview --refresh shows the change, pulumi up undoes it.`,
    })),

  [AlertName.ImageTrustExpiring]: ({ posture: { trust }, threshold }) =>
    when(trust.validUntil, (validUntil) => ({
      expr: `${trustDaysLeft(validUntil)} < ${threshold}`,
      labels: { trust_root: trust.root },
      summary: `The trust bundle ends on ${validUntil.slice(0, 10)}`,
      description: `A certificate of the trust bundle (trust.root: ${trust.root}) ends at ${validUntil}, in {{ $value | printf "%.1f" }} days. Signatures made after that will be refused.`,
    })),

  [AlertName.KyvernoAdmissionSlow]: (context) => slow(context, 0.95),
  [AlertName.KyvernoAdmissionNearTimeout]: (context) => slow(context, 0.99),

  [AlertName.KyvernoAdmissionDown]: ({ posture }) => [
    {
      expr: `absent(sum(${admissionController(posture)}))`,
      labels: { namespace: posture.kyverno.namespace },
      summary: "Kyverno's admission controller is down or not scraped",
      description: `No admission controller in namespace ${posture.kyverno.namespace} answers Prometheus. While it is down, policies that fail closed let no pod in: see image-signing-guard recover.`,
    },
  ],

  [AlertName.KyvernoWebhookFailing]: ({ monitoring, threshold }) => [
    {
      expr: `(${FAILED_CALLS.map((counter) => events(counter, monitoring.window, ["name", "type"])).join("\nor ")}) >= ${threshold}`,
      summary: "The API server can't call webhook {{ $labels.name }}",
      description: `Failed calls of {{ $labels.name }} ({{ $labels.type }}) within ${monitoring.window}: ${COUNT}. Where its name has -fail such requests were refused, where it has -ignore they passed unchecked.`,
    },
  ],

  [AlertName.KyvernoWebhooksGone]: ({ posture, monitoring, threshold }) => [
    {
      expr: `sum(increase(${HEARTBEATS}[3m])) == 0`,
      labels: { seen_by: "heartbeat" },
      summary: "Kyverno takes its webhooks away",
      description: `The API server has not reached Kyverno for minutes, and after 100 s Kyverno empties its webhooks for resources. ${posture.backstop?.scopes.length ? "Enforced namespaces then refuse new pods." : "New pods then pass unchecked."} image-signing-guard doctor says why.`,
    },
    ...when(posture.backstop?.scopes.length ? "backstop" : undefined, () => ({
      expr: `${events(HELD_BACK, monitoring.window, ["policy"])} >= ${threshold}`,
      labels: { seen_by: "backstop" },
      summary: "Kyverno's webhooks are gone or narrowed",
      description: `{{ $labels.policy }} held back within ${monitoring.window}: ${COUNT}. Kyverno's webhooks are empty or changed, or its policies are not ready. image-signing-guard doctor says which and why.`,
    })),
  ],

  [AlertName.KyvernoReportsStale]: ({ monitoring, threshold }) => [
    {
      expr: `(sum(increase(${cycles(SCAN_CONTROLLER)}[${monitoring.scanWindow}])) or vector(0)) < ${threshold}`,
      summary: "Kyverno's reports are stale",
      description: `The reports controller has scanned nothing for ${monitoring.scanWindow}, or is not scraped. Reports show the past, and ImageBypassExpired can't fire.`,
    },
  ],

  [AlertName.KyvernoReportFlood]: ({ monitoring, threshold }) => [
    {
      expr: `sum by (resource_kind) (rate(${REPORTS_WRITTEN}[${monitoring.window}])) > ${threshold}`,
      summary: "Kyverno floods the API server with {{ $labels.resource_kind }}",
      description: `{{ $labels.resource_kind }} objects a second: {{ $value | printf "%.2f" }}. They fill etcd: see which policy and namespace they are about, and whether a controller recreates a refused pod for ever.`,
    },
  ],
};

export function alertBodies(
  setting: AlertSetting,
  posture: Posture,
  monitoring: Monitoring,
  subjects: Subjects,
): AlertBody[] {
  return BODIES[setting.alert]({ posture, monitoring, subjects, threshold: setting.threshold ?? 0 });
}

/** One rule for each webhook: they wait differently long. */
function slow({ posture, monitoring, threshold }: Context, quantile: number): AlertBody[] {
  return timeouts(posture).map(({ failurePolicy, seconds }) => ({
    expr: `${latency(quantile, failurePolicy, monitoring.window, posture)} / ${seconds} >= ${threshold}`,
    labels: { failure_policy: failurePolicy },
    summary: `Kyverno answers slowly (failurePolicy ${failurePolicy})`,
    description: `The ${quantile * 100}th percentile of admission calls takes {{ $value | humanizePercentage }} of the webhook's timeout of ${seconds} s. ${failurePolicy === "Fail" ? "Calls beyond it are refused." : "Calls beyond it pass unchecked."}`,
  }));
}

function when<T extends string | readonly string[] | readonly PolicyName[]>(
  subject: T | undefined,
  body: (subject: T) => AlertBody,
): AlertBody[] {
  return subject === undefined || subject.length === 0 ? [] : [body(subject)];
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
