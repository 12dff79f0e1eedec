import type { ClusterClient } from "../kubernetes/client";
import { SECRETS } from "../kubernetes/resources";

/** One revision of a release, as Helm keeps it: a Secret whose labels say how it went. */
export interface Revision {
  readonly revision: number;
  readonly status: string;
  /** Name of the Secret. */
  readonly secret: string;
  /** Since when it is as it is, ISO time; absent where Helm did not say. */
  readonly since?: string;
}

/** Helm's words for an operation that has begun and not ended. */
const UNFINISHED = ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"];

/** The revisions of a release, oldest first. */
export async function revisionsOf(client: ClusterClient, namespace: string, release: string): Promise<Revision[]> {
  const secrets = await client.list(SECRETS, {
    namespace,
    labelSelector: `owner=helm,name=${release}`,
    // The release itself lies in these Secrets; its labels are all that is needed.
    metadataOnly: true,
  });
  return (secrets ?? [])
    .map(({ metadata = {} }) => {
      const { version = "0", status = "unknown", modifiedAt, createdAt } = metadata.labels ?? {};
      const seconds = Number(modifiedAt ?? createdAt);
      const since = seconds > 0 ? new Date(seconds * 1000).toISOString() : metadata.creationTimestamp;
      return { revision: Number(version), status, secret: metadata.name ?? "", ...(since ? { since } : {}) };
    })
    .sort((a, b) => a.revision - b.revision);
}

/** The operation that somebody broke off, if the newest revision is one; Helm begins nothing new until it is mended. */
export function unfinished(revisions: readonly Revision[]): Revision | undefined {
  const newest = revisions.at(-1);
  return newest && UNFINISHED.includes(newest.status) ? newest : undefined;
}

/**
 * What Helm must forget so that the next operation begins where the last good one ended. After an upgrade or rollback
 * that is the broken revision; where none ever was deployed, or the release was being removed, it is all of them: the next
 * installation then takes over the objects that are there, as they carry the release's name.
 */
export function toForget(revisions: readonly Revision[]): Revision[] {
  const broken = unfinished(revisions);
  if (!broken) return [];
  const isGood = revisions.some(({ status }) => status === "deployed" || status === "superseded");
  return broken.status === "uninstalling" || !isGood ? [...revisions] : [broken];
}

/** Forgets a broken-off operation; the revisions that are gone. */
export async function mendRelease(client: ClusterClient, namespace: string, release: string): Promise<Revision[]> {
  const forgotten = toForget(await revisionsOf(client, namespace, release));
  for (const { secret } of forgotten) await client.delete(SECRETS, secret, { namespace });
  return forgotten;
}
