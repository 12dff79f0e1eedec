import { KyvernoTarget } from "../args";
import type { ProblemList } from "../problems";
import type { GuardConfig } from "../schema";
import { unknownValues } from "./chartValues";
import { CHART_NAME, CHART_REPOSITORY, DEFAULT_KUBECTL_IMAGE, KYVERNO_LINES } from "./kyvernoLines";
import type { KyvernoPlan } from "./types";
import { findUnsafeValues, unknownFlags } from "./unsafeValues";

const EXCEPTIONS = "features.policyExceptions";

export function resolveKyverno(config: GuardConfig, problems: ProblemList, warnings: string[]): KyvernoPlan {
  const given = config.kyverno ?? {};
  const target = given.target ?? KyvernoTarget.V1_10;
  const replicas = given.replicas ?? 1;
  const namespace = given.namespace ?? "kyverno";
  if (namespace.startsWith("kube-") || namespace === "default") {
    problems.add(
      "kyverno.namespace",
      namespace,
      "a namespace that belongs to Kyverno alone",
      "leave it out to use kyverno: uninstalling scales down every Deployment in that namespace",
    );
  }
  if (given.chart?.path && given.chart.repository) {
    problems.say(
      "kyverno.chart",
      "path and repository",
      "one of path, repository",
      "keep the one that the chart comes from",
    );
  }
  if (given.registryIdentity && Object.keys(given.registryIdentity).length === 0) {
    problems.say(
      "kyverno.registryIdentity",
      "an empty block",
      "at least one of awsRoleArn, azureClientId, googleServiceAccount",
      "name the identity, or remove the block",
    );
  }
  checkValues(given.values ?? {}, target, problems, warnings);
  const unsafeValues = findUnsafeValues(given.values ?? {});
  if (!given.allowUnsafeValues) {
    for (const { path, why } of unsafeValues) {
      problems.say(
        `kyverno.values.${path}`,
        "a value that security rests on",
        "other chart values",
        `remove it (${why}), or set kyverno.allowUnsafeValues: true to take the risk visibly`,
      );
    }
  }
  return {
    target,
    chartVersion: KYVERNO_LINES[target].chartVersion,
    appVersion: KYVERNO_LINES[target].appVersion,
    chart: given.chart?.path
      ? { name: given.chart.path }
      : { name: CHART_NAME, repository: given.chart?.repository ?? CHART_REPOSITORY },
    namespace,
    releaseName: given.releaseName ?? "kyverno",
    replicas,
    priorityClassName: given.priorityClassName ?? (replicas === 3 ? "system-cluster-critical" : ""),
    imageRegistry: given.imageRegistry ?? "",
    imagePullSecrets: given.imagePullSecrets ?? [],
    registrySecrets: given.registrySecrets ?? [],
    ...(given.registryIdentity ? { registryIdentity: given.registryIdentity } : {}),
    kubectlImage: given.kubectlImage ?? DEFAULT_KUBECTL_IMAGE,
    memoryLimit: given.memoryLimit ?? (replicas === 3 ? "1Gi" : "384Mi"),
    timeoutSeconds: given.timeoutSeconds ?? 600,
    // Exceptions weaken what the policies say just as an unsafe value does, and are to be seen as such.
    unsafeValues: [
      ...unsafeValues.map(({ path }) => path),
      ...(given.policyExceptionsNamespace ? [`${EXCEPTIONS} in ${given.policyExceptionsNamespace}`] : []),
    ].sort(),
  };
}

/** Values and flags that this line of Kyverno does not have. */
function checkValues(
  values: Record<string, unknown>,
  target: KyvernoTarget,
  problems: ProblemList,
  warnings: string[],
): void {
  const { chartVersion, appVersion } = KYVERNO_LINES[target];
  for (const { path, nearest } of unknownValues(values, chartVersion)) {
    problems.say(
      `kyverno.values.${path}`,
      `a value that chart ${chartVersion} does not have`,
      `values of chart ${chartVersion} (Kyverno ${appVersion})`,
      `${nearest ? `did you mean ${nearest}?` : "remove it:"} Helm drops what the chart does not read without a word`,
    );
  }
  for (const flag of unknownFlags(values, target)) {
    warnings.push(
      `kyverno.values.admissionController.container.extraArgs.${flag}: Kyverno ${appVersion} has no flag --${flag}, and ends at start when it is given one`,
    );
  }
}
