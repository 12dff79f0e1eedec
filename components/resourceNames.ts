import type { Manifest } from "./kubernetes/manifest";

/** What a guard's parts are called in a state, so that they can be found, imported and moved. */
export function childName(guard: string, { kind, metadata }: Manifest): string {
  return kind === "Namespace" ? `${guard}-namespace` : `${guard}-${metadata.name.replace(/:/g, "-")}`;
}

/** The Helm release's. */
export function releaseResource(guard: string): string {
  return `${guard}-kyverno`;
}

export const RELEASE_TYPE = "kubernetes:helm.sh/v3:Release";

/** Pulumi's token of a Kubernetes kind. */
export function resourceType({ apiVersion, kind }: Manifest): string {
  return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}
