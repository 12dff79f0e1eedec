import { BACKSTOP_LABELS } from "../../components/backstop/manifests";
import { ClusterClient } from "../../components/kubernetes/client";
import type { ClusterTarget } from "../../components/kubernetes/kubeConfig";
import {
  ADMISSION_BINDINGS,
  ADMISSION_POLICIES,
  type KubeObject,
  MUTATING_WEBHOOKS,
  type Resource,
  VALIDATING_WEBHOOKS,
} from "../../components/kubernetes/resources";
import { workloadKind } from "../../components/kubernetes/workloads";
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

interface Deployment extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

interface Webhooks extends KubeObject {
  readonly webhooks?: readonly { readonly failurePolicy?: string }[];
}

export async function lockOutState(target: ClusterTarget, namespace: string): Promise<LockOut> {
  const client = ClusterClient.of(target);
  const deployments = (await client.list<Deployment>(workloadKind("Deployment"), { namespace })) ?? [];
  const webhooksOf = async (kind: string, resource: Resource) =>
    ((await client.list<Webhooks>(resource, { labelSelector: WEBHOOK_SELECTOR })) ?? []).map(
      ({ metadata, webhooks = [] }) => ({
        kind,
        name: metadata?.name ?? "",
        webhooks: webhooks.length,
        failing: webhooks.filter(({ failurePolicy }) => failurePolicy !== "Ignore").length,
      }),
    );
  return {
    deployments: deployments.map(({ metadata, spec, status }) => ({
      name: metadata?.name ?? "",
      ready: status?.readyReplicas ?? 0,
      wanted: spec?.replicas ?? 0,
    })),
    webhooks: [
      ...(await webhooksOf("mutating", MUTATING_WEBHOOKS)),
      ...(await webhooksOf("validating", VALIDATING_WEBHOOKS)),
    ],
  };
}

/** What is removed, in this order, and what it is called. The backstop goes first: it refuses pods as soon as the webhooks are gone. */
const REMOVED: readonly { readonly resource: Resource; readonly labelSelector: string; readonly as?: string }[] = [
  { resource: ADMISSION_BINDINGS, labelSelector: BACKSTOP_SELECTOR, as: "backstop" },
  { resource: ADMISSION_POLICIES, labelSelector: BACKSTOP_SELECTOR },
  { resource: MUTATING_WEBHOOKS, labelSelector: BACKSTOP_SELECTOR, as: "backstop" },
  { resource: MUTATING_WEBHOOKS, labelSelector: WEBHOOK_SELECTOR, as: "mutating" },
  { resource: VALIDATING_WEBHOOKS, labelSelector: WEBHOOK_SELECTOR, as: "validating" },
];

export async function removeWebhooks(target: ClusterTarget): Promise<string[]> {
  const client = ClusterClient.of(target);
  const removed: string[] = [];
  for (const { resource, labelSelector, as } of REMOVED) {
    // A kind that the cluster is too old for has no objects.
    for (const { metadata } of (await client.list(resource, { labelSelector })) ?? []) {
      await client.delete(resource, metadata?.name ?? "");
      if (as) removed.push(`${as}/${metadata?.name}`);
    }
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
