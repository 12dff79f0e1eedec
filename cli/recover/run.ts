import { AdmissionregistrationV1Api, ApiException, AppsV1Api } from "@kubernetes/client-node";
import { BACKSTOP_LABELS } from "../../components/backstop/manifests";
import { apiMessage, type ClusterTarget, loadKubeConfig } from "../../components/kubernetes/cluster";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions } from "../options";
import { formatTable } from "../terminal/table";
import { runMend } from "./mend";

export interface RecoverOptions extends ClusterOptions, OutputOptions {
  namespace: string;
  removeWebhooks?: boolean;
  release: string;
  mendRelease?: boolean;
}

/** Kyverno's own label on every webhook configuration that it registers. */
const WEBHOOK_SELECTOR = "webhook.kyverno.io/managed-by=kyverno";
const BACKSTOP_SELECTOR = Object.entries(BACKSTOP_LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

export interface LockOut {
  readonly deployments: { name: string; ready: number; wanted: number }[];
  /** Webhook configurations with their number of webhooks and of those that refuse when Kyverno is silent. */
  readonly webhooks: { kind: string; name: string; webhooks: number; failing: number }[];
}

export function isLockedOut({ deployments, webhooks }: LockOut): boolean {
  const admission = deployments.find(({ name }) => name.includes("admission-controller"));
  return webhooks.some(({ failing }) => failing > 0) && (admission?.ready ?? 0) === 0;
}

function describeLockOut(state: LockOut): string {
  const { deployments, webhooks } = state;
  const parts = [
    formatTable(
      ["DEPLOYMENT", "READY"],
      deployments.map(({ name, ready, wanted }) => [name, `${ready}/${wanted}`]),
    ),
    formatTable(
      ["WEBHOOK CONFIGURATION", "WEBHOOKS", "REFUSING WHEN KYVERNO IS SILENT"],
      webhooks.map(({ kind, name, webhooks: count, failing }) => [`${kind}/${name}`, String(count), String(failing)]),
    ),
    isLockedOut(state)
      ? "Kyverno does not run and its webhooks refuse. First try: kubectl -n kyverno rollout restart deployment\nIf that can't help: image-signing-guard recover --remove-webhooks"
      : "Kyverno does not block the cluster.",
  ];
  return `${parts.join("\n\n")}\n`;
}

export async function lockOutState(target: ClusterTarget, namespace: string): Promise<LockOut> {
  const config = loadKubeConfig(target);
  const admission = config.makeApiClient(AdmissionregistrationV1Api);
  try {
    const { items: deployments } = await config.makeApiClient(AppsV1Api).listNamespacedDeployment({ namespace });
    const mutating = await admission.listMutatingWebhookConfiguration({ labelSelector: WEBHOOK_SELECTOR });
    const validating = await admission.listValidatingWebhookConfiguration({ labelSelector: WEBHOOK_SELECTOR });
    const summary =
      (kind: string) => (item: { metadata?: { name?: string }; webhooks?: { failurePolicy?: string }[] }) => ({
        kind,
        name: item.metadata?.name ?? "",
        webhooks: item.webhooks?.length ?? 0,
        failing: item.webhooks?.filter(({ failurePolicy }) => failurePolicy !== "Ignore").length ?? 0,
      });
    return {
      deployments: deployments.map((item) => ({
        name: item.metadata?.name ?? "",
        ready: item.status?.readyReplicas ?? 0,
        wanted: item.spec?.replicas ?? 0,
      })),
      webhooks: [...mutating.items.map(summary("mutating")), ...validating.items.map(summary("validating"))],
    };
  } catch (error) {
    throw new Error(apiMessage(error));
  }
}

/** The backstop goes first: it refuses pods as soon as Kyverno's webhooks are gone. */
export async function removeWebhooks(target: ClusterTarget): Promise<string[]> {
  const admission = loadKubeConfig(target).makeApiClient(AdmissionregistrationV1Api);
  const removed: string[] = [];
  const backstop = { labelSelector: BACKSTOP_SELECTOR };
  try {
    const { items: bindings } = await servedOnly(admission.listValidatingAdmissionPolicyBinding(backstop));
    for (const { metadata } of bindings) {
      await admission.deleteValidatingAdmissionPolicyBinding({ name: metadata!.name! });
      removed.push(`backstop/${metadata!.name}`);
    }
    const { items: policies } = await servedOnly(admission.listValidatingAdmissionPolicy(backstop));
    for (const { metadata } of policies) await admission.deleteValidatingAdmissionPolicy({ name: metadata!.name! });
    for (const { metadata } of (await admission.listMutatingWebhookConfiguration(backstop)).items) {
      await admission.deleteMutatingWebhookConfiguration({ name: metadata!.name! });
      removed.push(`backstop/${metadata!.name}`);
    }
    for (const { metadata } of (await admission.listMutatingWebhookConfiguration({ labelSelector: WEBHOOK_SELECTOR }))
      .items) {
      await admission.deleteMutatingWebhookConfiguration({ name: metadata!.name! });
      removed.push(`mutating/${metadata!.name}`);
    }
    for (const { metadata } of (await admission.listValidatingWebhookConfiguration({ labelSelector: WEBHOOK_SELECTOR }))
      .items) {
      await admission.deleteValidatingWebhookConfiguration({ name: metadata!.name! });
      removed.push(`validating/${metadata!.name}`);
    }
  } catch (error) {
    throw new Error(apiMessage(error));
  }
  return removed;
}

export async function runRecover(options: RecoverOptions): Promise<void> {
  const target = clusterTarget(options);
  if (options.mendRelease) return runMend(options);
  const state = await lockOutState(target, options.namespace);
  if (isJson(options)) {
    const removed = options.removeWebhooks ? await removeWebhooks(target) : [];
    const lockedOut = isLockedOut(state);
    process.stdout.write(`${JSON.stringify({ version: 1, ...state, lockedOut, removed }, null, 2)}\n`);
    if (lockedOut && !options.removeWebhooks) process.exitCode = 1;
    return;
  }
  process.stdout.write(describeLockOut(state));
  if (options.removeWebhooks) {
    for (const name of await removeWebhooks(target)) process.stdout.write(`removed ${name}\n`);
    process.stdout.write(
      "Nothing is verified now. Kyverno registers its webhooks again as soon as it runs;\npulumi up --refresh brings the backstop back.\n",
    );
  } else if (isLockedOut(state)) process.exitCode = 1;
}

/** Kubernetes below 1.30 has no such kind, and so none of them. */
async function servedOnly<T>(list: Promise<{ items: T[] }>): Promise<{ items: T[] }> {
  return list.catch((error) => {
    if (error instanceof ApiException && error.code === 404) return { items: [] };
    throw error;
  });
}
