import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Json, Manifest } from "../kubernetes/manifest";
import { namedReleaseArgs } from "../kyverno/release";
import { POLICY_REPORTER } from "../posture/monitoringDefaults";
import type { CompiledMonitoring } from "./compile";

/** What the resources of monitoring need from the component. */
export interface MonitoringContext {
  /** The component's own name, the prefix of its children's. */
  readonly name: string;
  readonly parent: pulumi.Resource;
  /** What comes before: namespace and release, where the guard installs Kyverno. */
  readonly dependsOn: pulumi.Input<pulumi.Resource[]>;
  /** A part of what was compiled, later if an argument is an Output. */
  readonly field: <T>(pick: (compiled: CompiledMonitoring) => T) => pulumi.Input<T>;
  /** Asks the cluster for the Prometheus Operator; undefined where nobody can ask. */
  readonly hasOperator: () => pulumi.Output<boolean | undefined> | undefined;
}

/** The line that a preview prints instead of failing. */
export const OPERATOR_IS_MISSING =
  "monitoring: no PrometheusRule, because this cluster does not have the Prometheus Operator (monitoring.coreos.com); install it, or set monitoring.prometheusOperator: false";

/**
 * Creates what monitoring adds, and says what that is. The chart's ServiceMonitors are part of the Kyverno release. The
 * component must register the answer as an output: that is what keeps the engine waiting until the cluster was asked.
 */
export function createMonitoring(compiled: CompiledMonitoring, context: MonitoringContext): pulumi.Output<string> {
  const { name, parent, dependsOn, field } = context;
  const parts: string[] = [];
  if (compiled.dashboard) {
    parts.push("dashboard");
    new k8s.core.v1.ConfigMap(
      `${name}-dashboard`,
      {
        metadata: field((c) => c.dashboard!.metadata),
        data: field((c) => c.dashboard!.data as Record<string, string>),
      },
      { parent, dependsOn },
    );
  }
  if (compiled.policyReporter) {
    parts.push("policy-reporter");
    createPolicyReporter(compiled.policyReporter, context);
  }
  const alerts = compiled.prometheusRule ? createRule(compiled.prometheusRule, context) : pulumi.output("no alerts");
  return alerts.apply((said) => [said, ...parts].join(", "));
}

/**
 * Whether there is an operator is the stack's word. Where the cluster can be asked and says no, the rule is left out
 * with a warning: a kind that does not exist would fail the whole of `up`.
 */
function createRule(manifest: Manifest, context: MonitoringContext): pulumi.Output<string> {
  const { name, parent, dependsOn, field, hasOperator } = context;
  const create = () => {
    new k8s.apiextensions.CustomResource(
      `${name}-alerts`,
      {
        apiVersion: manifest.apiVersion,
        kind: manifest.kind,
        metadata: field((c) => c.prometheusRule!.metadata),
        spec: field((c) => c.prometheusRule!.spec),
      },
      // After the release: before Kyverno is there, every alert about its absence would be true.
      { parent, dependsOn },
    );
    return "alerts";
  };
  const answer = hasOperator();
  if (answer === undefined) return pulumi.output(create());
  return answer.apply((known) => {
    if (known !== false) return create();
    pulumi.log.warn(OPERATOR_IS_MISSING, parent);
    return "no alerts";
  });
}

function createPolicyReporter(
  { plan, namespace: manifest }: NonNullable<CompiledMonitoring["policyReporter"]>,
  { name, parent, dependsOn, field }: MonitoringContext,
): void {
  const namespace = new k8s.core.v1.Namespace(
    `${name}-policy-reporter-namespace`,
    { metadata: manifest.metadata as unknown as Json },
    { parent },
  );
  new k8s.helm.v3.Release(
    `${name}-policy-reporter`,
    namedReleaseArgs(
      { ...plan, releaseName: POLICY_REPORTER.releaseName },
      {
        repository: field((c) => c.policyReporter!.plan.chart.repository),
        values: field((c) => c.policyReporter!.chartValues),
      },
    ),
    // Kyverno's chart brings the kinds of reports that it reads.
    { parent, dependsOn: pulumi.output(dependsOn).apply((before) => [...before, namespace]) },
  );
}
