import type { KubeObject } from "../../components/kubernetes/resources";
import { templateOf, WORKLOADS, type WorkloadKind } from "../../components/kubernetes/workloads";
import { ImageNameError, parseReference, policyText } from "../images/reference";
import { type BypassFound, readBypass } from "./bypasses";
import { type Gap, type ObjectSource, readAll } from "./source";

/** What brings an image into a pod: it runs, the next pod will have it, a schedule starts it, a rollback would. */
export const WHEN = ["running", "next", "scheduled", "rollback"] as const;
export type When = (typeof WHEN)[number];

/** Where an image was found, counted; the first few names, so that somebody can look. */
export interface Use {
  readonly when: When;
  readonly kind: string;
  count: number;
  readonly names: string[];
}

/** One image of one workload, however many pods and revisions have it. */
export interface Usage {
  readonly namespace: string;
  readonly owner: { readonly kind: string; readonly name: string };
  /** As it is written there. */
  readonly image: string;
  /** As policies see it; absent where it is no image name. */
  readonly reference?: string;
  readonly place: "container" | "debug" | "volume";
  readonly bypass?: BypassFound;
  readonly uses: Use[];
  /** Digests that nodes say they run. */
  readonly runningDigests: string[];
}

export interface Usages {
  readonly usages: Usage[];
  readonly objects: number;
  readonly gaps: Gap[];
}

interface Owner {
  readonly kind: string;
  readonly name: string;
}

interface Container {
  readonly name?: string;
  readonly image?: string;
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly { readonly image?: { readonly reference?: string } }[];
}

const MOST_NAMES = 3;

/** Reads everything that makes pods and keeps of it only which workload has which image. */
export async function readUsages(source: ObjectSource, namespaces: readonly string[], now: Date): Promise<Usages> {
  const collector = new Collector(now);
  const gaps: Gap[] = [];
  for (const resource of WORKLOADS) {
    const use = (page: readonly KubeObject[]) => {
      for (const object of page) collector.add(object, resource);
    };
    gaps.push(...(await readAll(source, resource, namespaces, use)));
  }
  return { usages: collector.usages(), objects: collector.objects, gaps };
}

class Collector {
  objects = 0;
  private readonly found = new Map<string, Usage>();
  /** Owners of what itself owns pods, by UID. */
  private readonly owners = new Map<string, Owner>();

  constructor(private readonly now: Date) {}

  usages(): Usage[] {
    return [...this.found.values()];
  }

  add(object: KubeObject, workload: WorkloadKind): void {
    const { kind } = workload;
    this.objects++;
    const owner = this.ownerOf(object, kind);
    if (object.metadata?.uid && (kind === "ReplicaSet" || kind === "Job")) this.owners.set(object.metadata.uid, owner);
    const template = templateOf(object, workload);
    if (!template?.spec || isOver(object, kind)) return;
    const bypass = readBypass(template.metadata?.annotations, this.now);
    const digests = kind === "Pod" ? runningDigests(object) : new Map<string, string>();
    for (const { image, place } of imagesOf(template.spec as PodSpec)) {
      const usage = this.usage(object.metadata?.namespace ?? "default", owner, image, place, bypass);
      const digest = digests.get(image);
      if (digest && !usage.runningDigests.includes(digest)) usage.runningDigests.push(digest);
      count(usage, object, kind, owner);
    }
  }

  private ownerOf({ metadata }: KubeObject, kind: string): Owner {
    const reference = metadata?.ownerReferences?.find(({ controller }) => controller) ?? metadata?.ownerReferences?.[0];
    // A static pod is owned by its node, which makes no pods.
    if (!reference || reference.kind === "Node") return { kind, name: metadata?.name ?? "" };
    return this.owners.get(reference.uid) ?? { kind: reference.kind, name: reference.name };
  }

  private usage(
    namespace: string,
    owner: Owner,
    image: string,
    place: Usage["place"],
    bypass: BypassFound | undefined,
  ): Usage {
    const terms = bypass ? [bypass.state, bypass.until, ...bypass.policies].join() : "";
    const key = [namespace, owner.kind, owner.name, image, place, terms].join("\n");
    const known = this.found.get(key);
    if (known) return known;
    const reference = referenceText(image);
    const usage: Usage = {
      namespace,
      owner,
      image,
      ...(reference ? { reference } : {}),
      place,
      ...(bypass ? { bypass } : {}),
      uses: [],
      runningDigests: [],
    };
    this.found.set(key, usage);
    return usage;
  }
}

function count(usage: Usage, object: KubeObject, kind: string, owner: Owner): void {
  const when = whenOf(object, kind, owner);
  const name = object.metadata?.name ?? "";
  const known = usage.uses.find((use) => use.when === when && use.kind === kind);
  if (known) {
    known.count++;
    if (known.names.length < MOST_NAMES && !known.names.includes(name)) known.names.push(name);
  } else usage.uses.push({ when, kind, count: 1, names: [name] });
}

function referenceText(image: string): string | undefined {
  try {
    return policyText(parseReference(image));
  } catch (error) {
    if (error instanceof ImageNameError) return undefined;
    throw error;
  }
}

/** Nothing starts from a finished job, a finished pod or one that is on its way out. */
function isOver({ metadata, status }: KubeObject, kind: string): boolean {
  if (metadata?.deletionTimestamp) return true;
  const { phase, conditions = [] } = (status ?? {}) as {
    phase?: string;
    conditions?: readonly { type: string; status: string }[];
  };
  if (kind === "Pod") return phase === "Succeeded" || phase === "Failed";
  if (kind !== "Job") return false;
  return conditions.some(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
}

function whenOf(object: KubeObject, kind: string, owner: Owner): When {
  if (kind === "Pod") return "running";
  if (kind === "CronJob") return "scheduled";
  if (kind === "ControllerRevision") return "rollback";
  const replicas = (object.spec as { replicas?: number } | undefined)?.replicas;
  return kind === "ReplicaSet" && owner.kind !== "ReplicaSet" && replicas === 0 ? "rollback" : "next";
}

function* imagesOf(spec: PodSpec): Generator<{ image: string; place: Usage["place"] }> {
  for (const { image } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (image) yield { image, place: "container" };
  }
  for (const { image } of spec.ephemeralContainers ?? []) if (image) yield { image, place: "debug" };
  for (const { image } of spec.volumes ?? []) if (image?.reference) yield { image: image.reference, place: "volume" };
}

/** What the node says it runs, by the image that the pod asks for. */
function runningDigests(pod: KubeObject): Map<string, string> {
  const spec = pod.spec as PodSpec | undefined;
  const status = (pod.status ?? {}) as Record<string, readonly { name?: string; imageID?: string }[] | undefined>;
  const digests = new Map<string, string>();
  for (const [containers, statuses] of [
    [spec?.containers, status.containerStatuses],
    [spec?.initContainers, status.initContainerStatuses],
  ] as const) {
    for (const { name, imageID = "" } of statuses ?? []) {
      const image = containers?.find((container) => container.name === name)?.image;
      const digest = /@(sha256:[0-9a-f]{64})$/.exec(imageID)?.[1];
      if (image && digest) digests.set(image, digest);
    }
  }
  return digests;
}
