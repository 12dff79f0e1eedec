import { ClusterClient } from "../../components/kubernetes/client";
import { ClusterError, wordsOf } from "../../components/kubernetes/errors";
import type { ClusterTarget } from "../../components/kubernetes/kubeConfig";
import type { KubeObject } from "../../components/kubernetes/resources";
import {
  parseWorkload,
  templateOf,
  templatePatch,
  WORKLOADS,
  type WorkloadKind,
  workloadKind,
} from "../../components/kubernetes/workloads";
import { REASON_ANNOTATION, SKIP_ANNOTATION, UNTIL_ANNOTATION } from "../../components/policies/bypassTerms";
import type { Posture } from "../../components/posture/types";
import { GuardInputError } from "../../components/problems";
import { type BypassFound, readBypass } from "../cluster/bypasses";
import { type BypassRequest, bypassAnnotations } from "./terms";

const FIELD_MANAGER = "image-signing-guard-bypass";

/** One line for whoever asks later: who let what in, why and until when. */
export interface AuditLine {
  readonly action: "granted" | "revoked";
  readonly by: string;
  readonly workload: string;
  readonly namespace: string;
  readonly policies: string;
  readonly reason: string;
  readonly until: string;
}

export async function grantBypass(
  target: ClusterTarget,
  workload: string,
  namespace: string,
  request: BypassRequest,
  posture: Posture,
  dryRun: boolean,
): Promise<AuditLine> {
  const annotations = bypassAnnotations(request, posture, new Date());
  const { kind, name } = changeableWorkload(workload);
  const client = ClusterClient.of(target);
  // Asked first without storing anything: a refusal then leaves no trace on the workload.
  await annotate(client, kind, name, namespace, annotations, true);
  if (!dryRun) await annotate(client, kind, name, namespace, annotations, false);
  return auditLine("granted", client, kind, name, namespace, annotations);
}

/** What was granted, and the old revisions that a rollback would have brought back. */
export interface Revoked extends AuditLine {
  readonly revisions: string[];
  /** Revisions that could not be cleared, with the reason: a rollback to them still bypasses until the bypass's end. */
  readonly left: string[];
}

/** Also from a workload that has no bypass any more: its old revisions may have one. */
export async function revokeBypass(target: ClusterTarget, workload: string, namespace: string): Promise<Revoked> {
  const { kind, name } = changeableWorkload(workload);
  const client = ClusterClient.of(target);
  const object = await client.get(kind, name, namespace);
  const now = templateOf(object, kind)?.metadata?.annotations ?? {};
  if (now[SKIP_ANNOTATION]) await annotate(client, kind, name, namespace, NO_BYPASS, false);
  const left: string[] = [];
  const old = await bypassedRevisions(client, object, namespace, left);
  const granted = now[SKIP_ANNOTATION] ? now : old[0]?.annotations;
  if (!granted) throw new Error(`${kind.kind} ${namespace}/${name} has no bypass`);
  const revisions: string[] = [];
  for (const revision of old) {
    const text = `${revision.kind.kind}/${revision.name}`;
    try {
      await clear(client, revision, namespace);
      revisions.push(text);
    } catch (error) {
      left.push(`${text}: ${wordsOf(error)}`);
    }
  }
  return { ...(await auditLine("revoked", client, kind, name, namespace, granted)), revisions, left };
}

const NO_BYPASS = { [SKIP_ANNOTATION]: null, [REASON_ANNOTATION]: null, [UNTIL_ANNOTATION]: null };

interface Revision {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly annotations: Record<string, string>;
}

/** What a workload can be rolled back to, as far as it has a bypass. */
async function bypassedRevisions(
  client: ClusterClient,
  owner: KubeObject,
  namespace: string,
  unread: string[],
): Promise<Revision[]> {
  const isBypassed = (object: KubeObject, kind: WorkloadKind): Revision[] => {
    const annotations = templateOf(object, kind)?.metadata?.annotations;
    const isOwned = object.metadata?.ownerReferences?.some(({ uid }) => uid === owner.metadata?.uid);
    return isOwned && annotations?.[SKIP_ANNOTATION] ? [{ kind, name: object.metadata?.name ?? "", annotations }] : [];
  };
  const found: Revision[] = [];
  for (const kind of [workloadKind("ReplicaSet"), workloadKind("ControllerRevision")])
    try {
      for (const object of (await client.list(kind, { namespace })) ?? []) found.push(...isBypassed(object, kind));
    } catch (error) {
      unread.push(`${kind.kind}: ${wordsOf(error)}`);
    }
  return found;
}

/** A ReplicaSet loses its bypass; what StatefulSets and DaemonSets keep can't be changed, so it goes whole. */
async function clear(client: ClusterClient, { kind, name }: Revision, namespace: string): Promise<void> {
  if (kind.fixed) await client.delete(kind, name, { namespace });
  else await client.mergePatch(kind, name, templatePatch(kind, NO_BYPASS), { namespace, fieldManager: FIELD_MANAGER });
}

/** A bypass somewhere in the cluster. */
export interface ListedBypass extends BypassFound {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface BypassListing {
  readonly bypasses: ListedBypass[];
  /** Kinds that could not be read, with the right that lacks. */
  readonly unread: string[];
}

export async function listBypasses(
  target: ClusterTarget,
  namespace: string | undefined,
  now: Date,
): Promise<BypassListing> {
  const client = ClusterClient.of(target);
  const bypasses: ListedBypass[] = [];
  const unread: string[] = [];
  for (const kind of WORKLOADS.filter(({ names }) => names.length > 0)) {
    try {
      for await (const page of client.pages(kind, namespace === undefined ? {} : { namespace }))
        bypasses.push(...page.flatMap((object) => listed(object, kind, now)));
    } catch (error) {
      if (!(error instanceof ClusterError && error.why === "forbidden")) throw error;
      unread.push(`${kind.kind}: ${error.message}`);
    }
  }
  const byPlace = (entry: ListedBypass) => `${entry.namespace}/${entry.kind}/${entry.name}`;
  return { bypasses: bypasses.sort((a, b) => byPlace(a).localeCompare(byPlace(b))), unread };
}

function listed(object: KubeObject, kind: WorkloadKind, now: Date): ListedBypass[] {
  const found = readBypass(templateOf(object, kind)?.metadata?.annotations, now);
  const { namespace = "", name = "" } = object.metadata ?? {};
  return found ? [{ kind: kind.kind, namespace, name, ...found }] : [];
}

function changeableWorkload(text: string): { kind: WorkloadKind; name: string } {
  const workload = parseWorkload(text);
  const allowed = `KIND/NAME with a kind of ${WORKLOADS.filter((kind) => !kind.fixed)
    .map(({ names }) => names[0])
    .join(", ")}`;
  if (!workload || workload.kind.fixed) {
    throw new GuardInputError([
      {
        key: "WORKLOAD",
        found: JSON.stringify(text),
        allowed,
        fix: workload?.kind.fixed ?? "write for example deployment/shop",
      },
    ]);
  }
  return workload;
}

async function annotate(
  client: ClusterClient,
  kind: WorkloadKind,
  name: string,
  namespace: string,
  annotations: Record<string, string | null>,
  dryRun: boolean,
): Promise<void> {
  const change = templatePatch(kind, annotations);
  try {
    await client.mergePatch(kind, name, change, { namespace, dryRun, fieldManager: FIELD_MANAGER });
  } catch (error) {
    // Who was not reached did not refuse.
    if (!(error instanceof ClusterError && error.said)) throw error;
    throw new Error(`the cluster refused: ${wordsOf(error)}`);
  }
}

async function auditLine(
  action: AuditLine["action"],
  client: ClusterClient,
  kind: WorkloadKind,
  name: string,
  namespace: string,
  annotations: Record<string, string>,
): Promise<AuditLine> {
  return {
    action,
    by: await whoAmI(client),
    workload: `${kind.kind}/${name}`,
    namespace,
    policies: annotations[SKIP_ANNOTATION] ?? "",
    reason: annotations[REASON_ANNOTATION] ?? "",
    until: annotations[UNTIL_ANNOTATION] ?? "",
  };
}

/** The caller as the API server sees it; older servers can't say. */
async function whoAmI(client: ClusterClient): Promise<string> {
  try {
    return (await client.whoAmI()).username ?? "unknown";
  } catch {
    return client.userName || "unknown";
  }
}
