import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Json } from "../kubernetes/manifest";
import type { KyvernoPlan } from "../posture/types";

/**
 * The Helm release. `helm.v3.Release`, not `Chart`: only a release runs the chart's pre-delete hook, without which
 * destroy leaves webhooks that block the cluster.
 */
export function releaseArgs(kyverno: KyvernoPlan, late: LateReleaseArgs): k8s.helm.v3.ReleaseArgs {
  return { ...namedReleaseArgs(kyverno, late), timeout: kyverno.timeoutSeconds };
}

/** What may come from Outputs. */
export interface LateReleaseArgs {
  readonly repository: pulumi.Input<string | undefined>;
  readonly values: pulumi.Input<Json>;
}

/** What any release of ours has in common. */
export function namedReleaseArgs(
  plan: Pick<KyvernoPlan, "releaseName" | "namespace" | "chart" | "chartVersion">,
  { repository, values }: LateReleaseArgs,
): k8s.helm.v3.ReleaseArgs {
  return {
    // A fixed name: the chart's own names and our clean-up depend on it.
    name: plan.releaseName,
    namespace: plan.namespace,
    createNamespace: false,
    chart: plan.chart.name,
    ...(isLocal(plan.chart.name) ? {} : { version: plan.chartVersion }),
    ...(plan.chart.repository ? { repositoryOpts: { repo: repository as pulumi.Input<string> } } : {}),
    values: values as pulumi.Input<Record<string, unknown>>,
    // A failed first installation would otherwise leave a release whose name can't be used again.
    cleanupOnFail: true,
  };
}

/** A path already holds one version of the chart. */
function isLocal(chart: string): boolean {
  return /^(\.{0,2}\/|[A-Za-z]:\\)/.test(chart) || chart.endsWith(".tgz");
}
