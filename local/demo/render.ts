import { KubernetesObjectApi, PatchStrategy } from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";
import { renderStack } from "../../cli/render/run";
import { BACKSTOP_SELECTOR } from "../../components/backstop/manifests";
import { MANAGED_BY, type Manifest } from "../../components/kubernetes/manifest";
import { collectionPath } from "../../components/kubernetes/resources";
import { askCanary } from "../../components/kyverno/canary";
import { POLICY_KINDS } from "../../components/policies/kinds";
import { isGuard, roleOf } from "../../components/policies/names";
import { resolvePosture } from "../../components/resolve";
import type { ControlPlane } from "../controlPlane";
import { applyPolicies, installKyverno, removePolicy } from "../kyverno";
import type { KyvernoSource } from "../kyvernoSource";
import { request, requestObject } from "../request";
import { waitFor } from "../waitFor";

/** What `pulumi up` does, without an engine: the files of `render` by server-side apply and Helm. */
export async function applyRendered(
  plane: ControlPlane,
  kyverno: KyvernoSource,
  settings: Record<string, unknown>,
): Promise<void> {
  const wanted = await forApiServer(plane, settings);
  const { files } = renderStack(wanted);
  const text = (name: string) => files.find((file) => file.name === name)?.text ?? "";
  const { posture } = resolvePosture(wanted);
  const objects = KubernetesObjectApi.makeApiClient(plane.client);
  for (const manifest of documents(text("1-prerequisites.yaml"))) await applyPrerequisite(objects, manifest);
  const release = { namespace: posture.kyverno.namespace, releaseName: posture.kyverno.releaseName };
  await installKyverno(plane, kyverno, parse(text("2-kyverno-values.yaml")) as object, release);
  const policies = documents(text("3-policies.yaml"));
  const backstop = documents(text("4-backstop.yaml"));
  await applyManifests(plane, policies);
  await applyBackstop(plane, backstop);
  await askCanary({ kubeconfig: plane.kubeconfig, timeoutSeconds: 60 }, posture, { policies, backstop });
}

/** Where the API server has no ValidatingAdmissionPolicies, a stack must say that it does without the backstop. */
export async function forApiServer(
  plane: ControlPlane,
  settings: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  if (await servesBackstop(plane)) return settings;
  return { ...settings, backstop: { enabled: false } };
}

export async function servesBackstop(plane: ControlPlane): Promise<boolean> {
  return (await request(plane.client, "GET", `${admissionApi}/validatingadmissionpolicies`)).status === 200;
}

/** The policies of a stack's settings. */
export function policiesOf(settings: Record<string, unknown>): Manifest[] {
  return fileOf(settings, "3-policies.yaml");
}

/** What the API server itself refuses with a stack's settings. */
export function backstopOf(settings: Record<string, unknown>): Manifest[] {
  return fileOf(settings, "4-backstop.yaml");
}

function fileOf(settings: Record<string, unknown>, wanted: string): Manifest[] {
  return documents(renderStack(settings).files.find(({ name }) => name === wanted)?.text ?? "");
}

const admissionApi = "/apis/admissionregistration.k8s.io/v1";
const admissionKinds = [
  "validatingadmissionpolicybindings",
  "validatingadmissionpolicies",
  "mutatingwebhookconfigurations",
];

/** Applies the backstop's objects; those of another posture go. An empty list takes all of it away. */
export async function applyBackstop(plane: ControlPlane, manifests: readonly Manifest[]): Promise<void> {
  const objects = KubernetesObjectApi.makeApiClient(plane.client);
  for (const kind of admissionKinds) {
    const path = `${admissionApi}/${kind}`;
    const selector = `labelSelector=${encodeURIComponent(BACKSTOP_SELECTOR)}`;
    const { status, body } = await request(plane.client, "GET", `${path}?${selector}`);
    // Versions before 1.30 have no such kind.
    if (status === 404) continue;
    const { items } = JSON.parse(body) as { items: Manifest[] };
    const gone = items.filter(({ metadata }) => !manifests.some((wanted) => wanted.metadata.name === metadata.name));
    for (const { metadata } of gone) await requestObject(plane.client, "DELETE", `${path}/${metadata.name}`);
  }
  for (const manifest of manifests) await applyPrerequisite(objects, manifest);
}

/** Guards first, each step Ready before the next; what is no longer wanted goes last. */
export async function applyManifests(plane: ControlPlane, policies: readonly Manifest[]): Promise<void> {
  const guards = (policy: Manifest) => isGuard(roleOf(policy));
  await applyPolicies(plane, policies.filter(guards));
  await applyPolicies(
    plane,
    policies.filter((policy) => !guards(policy)),
  );
  const label = encodeURIComponent(Object.entries(MANAGED_BY)[0]!.join("="));
  for (const resource of POLICY_KINDS) {
    const { status, body } = await request(plane.client, "GET", `${collectionPath(resource)}?labelSelector=${label}`);
    if (status === 404) continue;
    const present = JSON.parse(body) as { items: Manifest[] };
    const gone = present.items
      .map(({ metadata }) => metadata.name)
      .filter((name) => !policies.some((p) => p.kind === resource.kind && p.metadata.name === name));
    for (const name of gone) await removePolicy(plane, name, resource.kind);
  }
}

async function applyPrerequisite(objects: KubernetesObjectApi, manifest: Manifest): Promise<void> {
  const apply = () =>
    objects.patch(manifest, undefined, undefined, "image-signing-guard-local", true, PatchStrategy.ServerSideApply);
  await waitFor(`${manifest.kind} ${manifest.metadata.name} can be applied`, 15_000, apply);
}

function documents(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}
