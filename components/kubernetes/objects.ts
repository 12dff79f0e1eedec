import type { ClusterClient } from "./client";
import type { Manifest } from "./manifest";
import { type KubeObject, resource } from "./resources";

/** The object in the cluster that has a manifest's kind, name and namespace; undefined where there is none. */
export function objectOf(
  client: ClusterClient,
  { apiVersion, kind, metadata }: Manifest,
): Promise<KubeObject | undefined> {
  const { name, namespace } = metadata;
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  return client.find(resource(kind, apiVersion, plural, { namespaced: namespace !== undefined }), name, namespace);
}
