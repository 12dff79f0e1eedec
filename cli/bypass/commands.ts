import {
  AuthenticationV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
} from "@kubernetes/client-node";
import { apiMessage, type ClusterTarget, isForbidden, loadKubeConfig } from "../../components/kubernetes/cluster";
import {
  parseWorkload,
  templateAnnotations,
  templatePatch,
  WORKLOAD_KINDS,
  type WorkloadKind,
} from "../../components/kubernetes/workloads";
import { REASON_ANNOTATION, SKIP_ANNOTATION, UNTIL_ANNOTATION } from "../../components/policies/bypassTerms";
import type { Posture } from "../../components/posture/types";
import { GuardInputError } from "../../components/problems";
import { type BypassFound, type BypassRequest, bypassAnnotations, readBypass } from "./terms";

const FIELD_MANAGER = "image-signing-guard-bypass";
const PAGE = 250;

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
  const config = loadKubeConfig(target);
  // Asked first without storing anything: a refusal then leaves no trace on the workload.
  await annotate(config, kind, name, namespace, annotations, true);
  if (!dryRun) await annotate(config, kind, name, namespace, annotations, false);
  return auditLine("granted", config, kind, name, namespace, annotations);
}

export async function revokeBypass(target: ClusterTarget, workload: string, namespace: string): Promise<AuditLine> {
  const { kind, name } = changeableWorkload(workload);
  const config = loadKubeConfig(target);
  const api = KubernetesObjectApi.makeApiClient(config);
  const object = await api.read({ apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace } });
  const before = templateAnnotations(object, kind) ?? {};
  if (!before[SKIP_ANNOTATION]) throw new Error(`${kind.kind} ${namespace}/${name} has no bypass`);
  const nothing = { [SKIP_ANNOTATION]: null, [REASON_ANNOTATION]: null, [UNTIL_ANNOTATION]: null };
  await annotate(config, kind, name, namespace, nothing, false);
  return auditLine("revoked", config, kind, name, namespace, before);
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
  const api = KubernetesObjectApi.makeApiClient(loadKubeConfig(target));
  const bypasses: ListedBypass[] = [];
  const unread: string[] = [];
  for (const kind of WORKLOAD_KINDS) {
    try {
      for await (const object of pages(api, kind, namespace)) {
        const annotations = kind.kind === "Pod" ? object.metadata?.annotations : templateAnnotations(object, kind);
        const found = readBypass(annotations, now);
        if (!found) continue;
        bypasses.push({
          kind: kind.kind,
          namespace: object.metadata!.namespace!,
          name: object.metadata!.name!,
          ...found,
        });
      }
    } catch (error) {
      if (!isForbidden(error)) throw error;
      unread.push(`${kind.kind}: ${apiMessage(error)}`);
    }
  }
  const byPlace = (entry: ListedBypass) => `${entry.namespace}/${entry.kind}/${entry.name}`;
  return { bypasses: bypasses.sort((a, b) => byPlace(a).localeCompare(byPlace(b))), unread };
}

async function* pages(
  api: KubernetesObjectApi,
  kind: WorkloadKind,
  namespace: string | undefined,
): AsyncGenerator<KubernetesObject> {
  let next: string | undefined;
  do {
    const list = await api.list(
      kind.apiVersion,
      kind.kind,
      namespace,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      PAGE,
      next,
    );
    yield* list.items;
    next = list.metadata?._continue;
  } while (next);
}

function changeableWorkload(text: string): { kind: WorkloadKind; name: string } {
  const workload = parseWorkload(text);
  const allowed = `KIND/NAME with a kind of ${WORKLOAD_KINDS.filter((kind) => !kind.fixed)
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
  config: KubeConfig,
  kind: WorkloadKind,
  name: string,
  namespace: string,
  annotations: Record<string, string | null>,
  dryRun: boolean,
): Promise<void> {
  const patch = {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { name, namespace },
    ...templatePatch(kind, annotations),
  };
  const api = KubernetesObjectApi.makeApiClient(config);
  try {
    await api.patch(
      patch as KubernetesObject,
      undefined,
      dryRun ? "All" : undefined,
      FIELD_MANAGER,
      undefined,
      PatchStrategy.MergePatch,
    );
  } catch (error) {
    throw new Error(`the cluster refused: ${apiMessage(error)}`);
  }
}

async function auditLine(
  action: AuditLine["action"],
  config: KubeConfig,
  kind: WorkloadKind,
  name: string,
  namespace: string,
  annotations: Record<string, string>,
): Promise<AuditLine> {
  return {
    action,
    by: await whoAmI(config),
    workload: `${kind.kind}/${name}`,
    namespace,
    policies: annotations[SKIP_ANNOTATION] ?? "",
    reason: annotations[REASON_ANNOTATION] ?? "",
    until: annotations[UNTIL_ANNOTATION] ?? "",
  };
}

/** The caller as the API server sees it; older servers can't say. */
async function whoAmI(config: KubeConfig): Promise<string> {
  try {
    const review = await config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} });
    return review.status?.userInfo?.username ?? "unknown";
  } catch {
    return config.getCurrentUser()?.name ?? "unknown";
  }
}
