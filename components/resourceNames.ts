import { type Compiled, policiesOf } from "./compile";
import type { Manifest } from "./kubernetes/manifest";

/** What a guard's part is called in a state, where its manifest alone says so. */
export function childName(guard: string, { metadata }: Manifest): string {
  return `${guard}-${metadata.name.replace(/:/g, "-")}`;
}

/** Parts that are called after what they are for, since their names in the cluster may change or be anybody's. */
export const namespaceResource = (guard: string): string => `${guard}-namespace`;
export const trustResource = (guard: string): string => `${guard}-trust`;
export const releaseResource = (guard: string): string => `${guard}-kyverno`;

export const RELEASE_TYPE = "kubernetes:helm.sh/v3:Release";

/** Pulumi's token of a Kubernetes kind. */
export function resourceType({ apiVersion, kind }: Manifest): string {
  return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** A part of a guard, as the state has it and as the cluster has it. */
export interface Child {
  readonly resource: string;
  readonly manifest: Manifest;
}

/** All parts but the release and what monitoring adds. */
export function childrenOf(compiled: Compiled, guard: string): Child[] {
  const { namespace, trust, networkPolicy, leftoverGuards, backstop } = compiled;
  const byName = (manifest: Manifest): Child => ({ resource: childName(guard, manifest), manifest });
  return [
    ...leftoverGuards.map(byName),
    ...(namespace ? [{ resource: namespaceResource(guard), manifest: namespace }] : []),
    ...(trust ? [{ resource: trustResource(guard), manifest: trust }] : []),
    ...(networkPolicy ? [byName(networkPolicy)] : []),
    ...policiesOf(compiled).map(byName),
    ...backstop.map(byName),
  ];
}
