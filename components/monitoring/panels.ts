import type { Manifest } from "../kubernetes/manifest";
import type { Posture } from "../posture/types";
import {
  AT_ADMISSION,
  BY_SCAN,
  cycles,
  FAILED_CALLS,
  latency,
  type PolicyName,
  REPORTS_WRITTEN,
  results,
  ruleInfo,
  timeouts,
  trustDaysLeft,
} from "./metrics";
import { anyOf, eventsOf, type Matchers } from "./promql";
import { type Subjects, subjectsOf } from "./subjects";

/** One query of a panel. */
export interface Query {
  readonly expr: string;
  /** Name of a line, with labels as {{label}}. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: "timeseries" | "table" | "stat";
  readonly unit: "short" | "s" | "d" | "reqps" | "ops";
  readonly queries: Query[];
}

/** Grafana puts in a range that fits the zoom and the scrape interval. */
export const RANGE = "$__rate_interval";

/** What the dashboard shows, in reading order: what happened to images, what runs, how Kyverno is. */
export function dashboardPanels(posture: Posture, policies: readonly Manifest[]): Panel[] {
  const subjects = subjectsOf(policies);
  return [
    ...verdictPanels(subjects),
    ...bypassPanels(subjects),
    ...scanPanels(subjects),
    ...policyPanels(subjects),
    ...trustPanels(posture),
    ...kyvernoPanels(posture),
  ];
}

/** As the alerts count: `increase` alone would not draw the first event of a series. */
const count = (selectors: readonly string[], ...by: string[]) => eventsOf(selectors, RANGE, by);
const PER_POLICY = ["policy_name", "resource_namespace"];
const PER_POLICY_LEGEND = "{{policy_name}}, {{resource_namespace}}";

const failedChecks =
  (where: Matchers[number]) =>
  (names: readonly PolicyName[]): Query[] => [
    {
      expr: count(results(names, [["rule_result", "=", "fail"], where]), ...PER_POLICY),
      legend: PER_POLICY_LEGEND,
    },
  ];

const judgesOf = ({ enforcing, auditing }: Subjects) =>
  [...enforcing, ...auditing].sort((a, b) => (a.name < b.name ? -1 : 1));

/** What happened at admission. */
function verdictPanels(subjects: Subjects): Panel[] {
  return [
    ...panelIf(subjects.enforcing, {
      title: "Refused",
      description: "Failed checks of policies that enforce. One refused request may fail more than one check.",
      kind: "timeseries",
      unit: "short",
      queries: failedChecks(AT_ADMISSION),
    }),
    ...panelIf(subjects.reporting, {
      title: "Admitted and reported",
      description: "Failed checks of policies that audit.",
      kind: "timeseries",
      unit: "short",
      queries: failedChecks(AT_ADMISSION),
    }),
    ...panelIf(subjects.verifying, {
      title: "No verdict",
      description: "Neither signed nor unsigned: a registry, key or log could not be reached. Zero is not drawn.",
      kind: "timeseries",
      unit: "short",
      queries: (names) => [
        { expr: count(results(names, [["rule_result", "=", "error"]]), ...PER_POLICY), legend: PER_POLICY_LEGEND },
      ],
    }),
  ];
}

function bypassPanels(subjects: Subjects): Panel[] {
  return [
    ...panelIf(subjects.bypassRules, {
      title: "Bypasses at admission",
      description: "Workloads with a running bypass that came to admission, and attempts that were refused.",
      kind: "timeseries",
      unit: "short",
      queries: (names) => [
        {
          expr: count(
            results(subjects.enforcing, [
              ["rule_name", "=~", anyOf(names)],
              ["rule_result", "=", "skip"],
              ["resource_request_operation", "=~", "create|update"],
              AT_ADMISSION,
            ]),
            ...PER_POLICY,
          ),
          legend: PER_POLICY_LEGEND,
        },
        {
          expr: count(
            results(subjects.bypassGuards, [["rule_result", "=", "fail"], AT_ADMISSION]),
            "resource_namespace",
            "rule_name",
          ),
          legend: "refused: {{rule_name}}, {{resource_namespace}}",
        },
      ],
    }),
    ...panelIf(subjects.bypassGrants, {
      title: "Bypasses at admission",
      description: "Requests with a bypass annotation, those that the guard let through and those that it refused.",
      kind: "timeseries",
      unit: "short",
      queries: (names) =>
        (["pass", "fail"] as const).map((result) => ({
          expr: count(results(names, [["rule_result", "=", result], AT_ADMISSION]), ...PER_POLICY),
          legend: `${result === "pass" ? "granted" : "refused"}: {{resource_namespace}}`,
        })),
    }),
    ...panelIf(subjects.endedBypasses, {
      title: "Bypasses found by scans",
      description: "Kyverno scans what runs once an hour: pods whose bypass runs, and whose bypass has ended.",
      kind: "timeseries",
      unit: "short",
      queries: (names) =>
        (["pass", "fail"] as const).map((result) => ({
          expr: count(results(names, [["rule_result", "=", result], BY_SCAN]), "resource_namespace", "resource_kind"),
          legend: `${result === "pass" ? "running" : "ended"}: {{resource_kind}}, {{resource_namespace}}`,
        })),
    }),
    ...panelIf(subjects.endedRules, {
      title: "Bypasses found by scans",
      description: "Kyverno scans what runs once an hour: workloads whose bypass runs, and whose bypass has ended.",
      kind: "timeseries",
      unit: "short",
      queries: (names) =>
        [
          { rules: subjects.bypassRules, what: "running" },
          { rules: names, what: "ended" },
        ].map(({ rules, what }) => ({
          expr: count(
            results(subjects.enforcing, [["rule_name", "=~", anyOf(rules)], ["rule_result", "=", "skip"], BY_SCAN]),
            "resource_namespace",
            "resource_kind",
          ),
          legend: `${what}: {{resource_kind}}, {{resource_namespace}}`,
        })),
    }),
  ];
}

/** What runs already. */
function scanPanels(subjects: Subjects): Panel[] {
  return panelIf(judgesOf(subjects), {
    title: "Findings of scans",
    description: "Failed checks of what already runs.",
    kind: "timeseries",
    unit: "short",
    queries: failedChecks(BY_SCAN),
  });
}

function policyPanels(subjects: Subjects): Panel[] {
  return panelIf(subjects.all, {
    title: "Policies in the cluster",
    description: "Each policy with its mode, and whether Kyverno has it in its webhooks.",
    kind: "table",
    unit: "short",
    queries: (names) => [
      {
        expr: `max by (policy_name, policy_validation_mode, status_ready) (${ruleInfo([["policy_name", "=~", anyOf(names)]])})`,
        legend: "{{policy_name}}: {{policy_validation_mode}}, ready {{status_ready}}",
      },
    ],
  });
}

function trustPanels({ trust: { validUntil } }: Posture): Panel[] {
  if (!validUntil) return [];
  return [
    {
      title: "Trust bundle",
      description: "Days until its first certificate ends.",
      kind: "stat",
      unit: "d",
      queries: [{ expr: trustDaysLeft(validUntil), legend: "days left" }],
    },
  ];
}

/** How Kyverno is, and how the API server reaches it. */
function kyvernoPanels(posture: Posture): Panel[] {
  return [
    {
      title: "Latency of admission",
      description: `How long Kyverno takes, by failure policy. The API server waits ${timeouts(posture)
        .map(({ failurePolicy, seconds }) => `${seconds} s (${failurePolicy})`)
        .join(", ")}.`,
      kind: "timeseries",
      unit: "s",
      queries: timeouts(posture).flatMap(({ failurePolicy }) =>
        [0.5, 0.95, 0.99].map((quantile) => ({
          expr: latency(quantile, failurePolicy, RANGE, posture),
          legend: `p${quantile * 100}, ${failurePolicy}`,
        })),
      ),
    },
    {
      title: "Requests",
      description: "What Kyverno was asked, and whether it agreed.",
      kind: "timeseries",
      unit: "reqps",
      queries: [
        {
          expr: `sum by (request_allowed, request_webhook) (rate(kyverno_admission_requests_total[${RANGE}]))`,
          legend: "allowed {{request_allowed}}, {{request_webhook}}",
        },
      ],
    },
    {
      title: "Controllers at work",
      description:
        "Cycles of the admission controller and of the reports controller. A line that ends is one that is gone.",
      kind: "timeseries",
      unit: "ops",
      queries: ["webhook-controller", "background-scan-controller", "aggregate-report-controller"].map((name) => ({
        expr: `sum(rate(${cycles(name)}[${RANGE}]))`,
        legend: name,
      })),
    },
    {
      title: "Reports written",
      description: "Objects that Kyverno creates for its reports.",
      kind: "timeseries",
      unit: "ops",
      queries: [{ expr: `sum by (resource_kind) (rate(${REPORTS_WRITTEN}[${RANGE}]))`, legend: "{{resource_kind}}" }],
    },
    {
      title: "Calls that the API server could not make",
      description: "From the API server's own metrics: refused with failurePolicy Fail, let through with Ignore.",
      kind: "timeseries",
      unit: "short",
      queries: FAILED_CALLS.map((counter) => ({ expr: count([counter], "name"), legend: "{{name}}" })),
    },
  ];
}

type Draft<T> = Omit<Panel, "queries"> & { readonly queries: (names: readonly T[]) => Query[] };

function panelIf<T>(names: readonly T[], { queries, ...rest }: Draft<T>): Panel[] {
  return names.length > 0 ? [{ ...rest, queries: queries(names) }] : [];
}
