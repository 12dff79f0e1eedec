import { z } from "zod";
import { ClusterClient } from "../../components/kubernetes/client";
import { ClusterError, type ClusterTrouble } from "../../components/kubernetes/errors";
import type { ClusterTarget } from "../../components/kubernetes/kubeConfig";
import {
  apiVersion,
  CLUSTER_POLICIES,
  type KubeObject,
  type Resource,
  resourceText,
} from "../../components/kubernetes/resources";
import { POLICY_KINDS } from "../../components/policies/kinds";

/** Where objects come from: a cluster, or files that somebody saved. */
export interface ObjectSource {
  /** For the person who reads the answer. */
  readonly name: string;
  /** The objects of a collection, page by page, so that nobody has to hold them all. Throws {@link ClusterError}. */
  pages(resource: Resource, namespace?: string): AsyncIterable<readonly KubeObject[]>;
}

export function clusterSource(target: ClusterTarget): ObjectSource {
  const client = ClusterClient.of(target);
  return {
    name: client.context,
    pages: async function* (resource, namespace) {
      if (await isServed(client, resource)) yield* client.pages(resource, namespace === undefined ? {} : { namespace });
    },
  };
}

/**
 * Whether a cluster may have objects of a kind. Of the newer kinds of policies this is asked first: who lacks a right is told
 * so of what the API server does not know, too, and no command could give that right.
 */
export async function isServed(client: ClusterClient, resource: Resource): Promise<boolean> {
  if (!POLICY_KINDS.includes(resource) || resource === CLUSTER_POLICIES) return true;
  const path = `/apis/${apiVersion(resource)}`;
  const { resources } = (await client.findPath<{ resources?: readonly { name: string }[] }>(path)) ?? {};
  return resources?.some(({ name }) => name === resource.plural) ?? false;
}

/** Why a collection can be missing from an answer. Everything else (no cluster, a broken answer) ends the command. */
const GAPS = ["forbidden", "absent"] as const satisfies readonly ClusterTrouble[];

/** A collection that was not read, and what it takes. */
export const gapSchema = z.strictObject({
  resource: z.string(),
  verb: z.literal("list"),
  why: z.enum(GAPS),
  message: z.string(),
});
export type Gap = Readonly<z.infer<typeof gapSchema>>;

/** Hands each page of a collection to `use`; says what could not be read instead of failing. */
export async function readAll(
  source: ObjectSource,
  resource: Resource,
  namespaces: readonly string[],
  use: (objects: readonly KubeObject[]) => void,
): Promise<Gap[]> {
  const gaps: Gap[] = [];
  for (const namespace of resource.namespaced && namespaces.length > 0 ? namespaces : [undefined]) {
    try {
      for await (const page of source.pages(resource, namespace)) use(page);
    } catch (error) {
      const why = error instanceof ClusterError && GAPS.find((one) => one === error.why);
      if (!why) throw error;
      gaps.push({ resource: resourceText(resource), verb: "list", why, message: (error as Error).message });
      if (why === "absent") break;
    }
  }
  return gaps;
}

/** The command that gives the rights that lacked. */
export function rightsFix(gaps: readonly Gap[]): string | undefined {
  const lacking = [...new Set(gaps.filter(({ why }) => why === "forbidden").map(({ resource }) => resource))];
  if (lacking.length === 0) return undefined;
  return `kubectl create clusterrole image-signing-guard-reader --verb=list --resource=${lacking.join(",")}`;
}
