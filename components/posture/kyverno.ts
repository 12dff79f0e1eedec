import { GuardMode, KyvernoPlatform, KyvernoTarget, PolicyForm } from "../args";
import type { ProblemList } from "../problems";
import type { GuardConfig } from "../schema";
import { unknownValues } from "./chartValues";
import type { Context } from "./context";
import { CHART_NAME, CHART_REPOSITORY, DEFAULT_KUBECTL_IMAGE, KYVERNO_LINES } from "./kyvernoLines";
import type { PemStore } from "./pem";
import type { KyvernoPlan } from "./types";
import { findUnsafeValues, unknownFlags } from "./unsafeValues";

export function resolveKyverno({ config, pems, problems }: Context): KyvernoPlan {
  const given = config.kyverno ?? {};
  const target = given.target ?? KyvernoTarget.V1_10;
  const enforces =
    config.mode === GuardMode.Enforce || (config.namespaces?.overrides ?? []).some((o) => o.mode === GuardMode.Enforce);
  // One replica that a large pod or a node's end takes away is an outage of every enforced namespace.
  const replicas = given.replicas ?? (enforces ? 3 : 1);
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
  checkPlatform(given, problems);
  checkLine(given, target, problems);
  checkInstallation(given, problems);
  checkValues(given.values ?? {}, target, problems);
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
    ...(given.install === false ? { install: false as const } : {}),
    ...(given.retainOnDelete ? { retainOnDelete: true as const } : {}),
    ...(given.acknowledged?.length ? { acknowledged: given.acknowledged } : {}),
    target,
    ...(given.policies === PolicyForm.ImageValidatingPolicy ? { policies: given.policies } : {}),
    chartVersion: KYVERNO_LINES[target].chartVersion,
    appVersion: KYVERNO_LINES[target].appVersion,
    chart: given.chart?.path
      ? { name: given.chart.path }
      : { name: CHART_NAME, repository: given.chart?.repository ?? CHART_REPOSITORY },
    namespace,
    releaseName: given.releaseName ?? "kyverno",
    replicas,
    priorityClassName: given.priorityClassName ?? defaultPriorityClass(replicas, given.platform),
    imageRegistry: given.imageRegistry ?? "",
    imagePullSecrets: given.imagePullSecrets ?? [],
    registrySecrets: given.registrySecrets ?? [],
    ...(given.registryIdentity ? { registryIdentity: given.registryIdentity } : {}),
    ...(given.registryCa ? { registryCa: registryAuthorities(given.registryCa, pems, problems) } : {}),
    ...(given.proxy ? { proxy: { ...given.proxy, noProxy: given.proxy.noProxy ?? [] } } : {}),
    ...(given.platform ? { platform: given.platform } : {}),
    ...(given.hostNetwork ? { hostNetwork: true } : {}),
    ...(KYVERNO_LINES[target].hooksTakeKubectl ? { kubectlImage: given.kubectlImage ?? DEFAULT_KUBECTL_IMAGE } : {}),
    memoryLimit: given.memoryLimit ?? (enforces || replicas === 3 ? "1Gi" : "384Mi"),
    ...(given.apiServerAddresses ? { apiServerAddresses: given.apiServerAddresses } : {}),
    timeoutSeconds: given.timeoutSeconds ?? 600,
    unsafeValues: unsafeValues.map(({ path }) => path).sort(),
    ...(given.policyExceptionsNamespace ? { exceptionsNamespace: given.policyExceptionsNamespace } : {}),
  };
}

/** GKE's Autopilot lets only its own namespaces use the critical classes. */
function defaultPriorityClass(replicas: number, platform: KyvernoPlatform | undefined): string {
  return replicas === 3 && platform !== KyvernoPlatform.GkeAutopilot ? "system-cluster-critical" : "";
}

function checkPlatform(given: NonNullable<GuardConfig["kyverno"]>, problems: ProblemList): void {
  if (given.platform === KyvernoPlatform.GkeAutopilot && given.hostNetwork) {
    problems.add(
      "kyverno.hostNetwork",
      true,
      "false, with kyverno.platform: gkeAutopilot",
      "remove it: Autopilot refuses pods on the node's network, and its API server reaches pods",
    );
  }
  if (given.proxy && !given.proxy.http && !given.proxy.https) {
    problems.say("kyverno.proxy", "no proxy", "at least one of http, https", "name the proxy, or remove the block");
  }
}

/** Settings that a line has no use for. */
function checkLine(given: NonNullable<GuardConfig["kyverno"]>, target: KyvernoTarget, problems: ProblemList): void {
  if (given.kubectlImage === undefined || KYVERNO_LINES[target].hooksTakeKubectl) return;
  problems.add(
    "kyverno.kubectlImage",
    given.kubectlImage,
    `nothing, with kyverno.target: "${target}"`,
    `remove it: only the chart of kyverno.target: "${KyvernoTarget.V1_10}" cleans up by kubectl`,
  );
}

/** Settings that only an installation uses. Others say what is expected of somebody else's. */
const ONLY_INSTALLED = [
  ...["chart", "values", "allowUnsafeValues", "timeoutSeconds", "imageRegistry", "imagePullSecrets"],
  ...["priorityClassName", "kubectlImage", "hostNetwork", "platform", "apiServerAddresses", "retainOnDelete"],
] as const;

function checkInstallation(given: NonNullable<GuardConfig["kyverno"]>, problems: ProblemList): void {
  const isInstalled = given.install ?? true;
  if (isInstalled && given.acknowledged !== undefined)
    problems.say(
      "kyverno.acknowledged",
      "findings about a Kyverno that the guard itself installs",
      "this key only with kyverno.install: false",
      "remove it",
    );
  if (isInstalled) return;
  for (const key of ONLY_INSTALLED) {
    if ((given as Record<string, unknown>)[key] === undefined) continue;
    problems.say(
      `kyverno.${key}`,
      "a setting of the installation, beside kyverno.install: false",
      "settings that say what is expected of a Kyverno that somebody else runs",
      "remove it: whoever runs Kyverno decides on this",
    );
  }
  const twice = given.acknowledged?.find(
    ({ finding }, index) => given.acknowledged!.findIndex((one) => one.finding === finding) < index,
  );
  if (twice) problems.add("kyverno.acknowledged", twice.finding, "each finding once", "remove one of the two");
}

function registryAuthorities(pem: string, pems: PemStore, problems: ProblemList): string[] {
  for (const { subject, ca } of pems.certificates("kyverno.registryCa", pem)) {
    if (ca) continue;
    problems.say(
      "kyverno.registryCa",
      `the certificate of "${subject.replace(/\n/g, ", ")}", which is no authority`,
      "the certificates of authorities",
      "put the certificate there that signed it",
    );
  }
  return pems.each("kyverno.registryCa", pem);
}

/** Values and flags that this line of Kyverno does not have. */
function checkValues(values: Record<string, unknown>, target: KyvernoTarget, problems: ProblemList): void {
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
    problems.warn(
      `kyverno.values.admissionController.container.extraArgs.${flag}: Kyverno ${appVersion} has no flag --${flag}, and ends at start when it is given one`,
    );
  }
}
