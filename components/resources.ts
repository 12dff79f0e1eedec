import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Compiled, policiesOf } from "./compile";
import { beforeCreate } from "./hooks";
import { nameFlag } from "./knownGuard";
import type { ClusterClient } from "./kubernetes/client";
import type { Json, Manifest } from "./kubernetes/manifest";
import { CLUSTER_POLICIES } from "./kubernetes/resources";
import type { PolicyRule } from "./kyverno/coreRules";
import { releaseArgs } from "./kyverno/release";
import { createMonitoring } from "./monitoring/resources";
import type { Plan } from "./plan";
import { isBeside, roleOf } from "./policies/names";
import type { ReadinessProbe } from "./readiness";
import { childName, namespaceResource, releaseResource, trustResource } from "./resourceNames";

/** How long Kyverno may take to take a policy in; it is 10 to 20 seconds after a fresh installation. */
const POLICY_TIMEOUT = "5m";

/** What every resource needs to know of the component that it is a part of. */
interface Component {
  /** The component's own name, the prefix of its children's. */
  readonly name: string;
  readonly parent: pulumi.ComponentResource;
  readonly plan: Plan;
  readonly probe: ReadinessProbe;
  readonly cleared: Cleared;
}

/** No resource, but something to wait for: that nothing in the cluster stands in the way. */
type Cleared = pulumi.Output<true> | undefined;

/**
 * Passes something on once Kyverno's webhooks answer. What depends on a policy waits for that itself too: of one that is never
 * made nobody would tell it.
 */
type Gate = <T>(value: pulumi.Input<T>) => pulumi.Input<T>;

/**
 * What a resource waits for. Each waits for the look at the cluster by itself: one that waits for a resource which is never
 * made would wait for ever. The same goes for what its inputs are made of.
 */
function after({ cleared }: Component, resources: readonly pulumi.Resource[]): pulumi.Input<pulumi.Resource[]> {
  return cleared ? cleared.apply(() => [...resources]) : [...resources];
}

/**
 * A part that is in the cluster and not in the state, as when an up was killed before it could note what it had made, can't
 * be created; the provider's words for that name no way out.
 */
function unlessThere(
  { name, probe }: Component,
  find: (client: ClusterClient) => Promise<string | undefined>,
): ReturnType<typeof beforeCreate> {
  return beforeCreate(name, async () => {
    const found = await probe.lookNow(find);
    if (found === undefined) return;
    throw new Error(
      `${found} is in the cluster already, and this stack's state does not know it: most likely an earlier up was killed. Run image-signing-guard adopt --stack ${pulumi.getStack()}${nameFlag(name)} and the pulumi import that it prints, then pulumi up again`,
    );
  });
}

/** The same for an object. */
function unlessMade(component: Component, manifest: Manifest): ReturnType<typeof beforeCreate> {
  return unlessThere(component, async (client) => {
    const { objectOf } = await import("./kubernetes/objects");
    return (await objectOf(client, manifest)) && `${manifest.kind} ${manifest.metadata.name}`;
  });
}

/** Kyverno and all that its pods need stay in the cluster where the stack says so. */
function kept({ plan }: Component): { readonly retainOnDelete?: boolean } {
  return plan.shape.resolved.posture.kyverno.retainOnDelete ? { retainOnDelete: true } : {};
}

interface Made {
  /** Absent where somebody else runs Kyverno. */
  readonly release?: k8s.helm.v3.Release;
  readonly policies: readonly pulumi.CustomResource[];
  readonly policyNames: string[];
  readonly backstop: readonly pulumi.CustomResource[];
  readonly monitoring: pulumi.Output<string>;
  readonly cleared: Cleared;
}

/** Makes everything in the order in which it must come; destroy runs it backwards. */
export function createResources(parts: Omit<Component, "cleared">): Made {
  const { compiled } = parts.plan.shape;
  const component: Component = { ...parts, cleared: lookFirst(parts) };
  const namespace = compiled.namespace
    ? [createNamespace(component, compiled.namespace, createLeftoverGuards(component))]
    : [];
  const trust = compiled.trust ? [createTrustFiles(component, namespace)] : [];
  const release = compiled.namespace ? createRelease(component, [...namespace, ...trust]) : undefined;
  if (compiled.networkPolicy)
    createTyped(component.name, compiled.networkPolicy, {
      parent: component.parent,
      dependsOn: after(component, namespace),
      ...unlessMade(component, compiled.networkPolicy),
    });
  const kyvernoIsThere = pulumi.all([component.cleared, release?.id]);
  const gate = component.probe.afterWebhooks(kyvernoIsThere);
  const policies = createPolicies(component, release ? [release] : trust, gate);
  return {
    ...(release ? { release } : {}),
    cleared: component.cleared,
    policies,
    policyNames: [...new Set(policiesOf(compiled).map(({ metadata }) => metadata.name))].sort(),
    // After the policies, so that Kyverno's webhooks are there; on destroy it goes before them.
    backstop: createBackstop(component, policies, gate),
    monitoring: createMonitoringParts(component, [...namespace, ...(release ? [release] : [])]),
  };
}

function lookFirst({ plan, probe }: Omit<Component, "cleared">): Cleared {
  const { compiled, resolved } = plan.shape;
  const { trust } = compiled;
  const policies = policiesOf(compiled);
  const wanted = { posture: resolved.posture, policies, ...(trust ? { trust } : {}) };
  return probe.beforeAll(wanted)?.apply((): true => true);
}

/** What must be there before the release, so that it is there still when the release goes. */
function createLeftoverGuards(component: Component): pulumi.Resource[] {
  const { name, parent, plan } = component;
  return plan.shape.compiled.leftoverGuards.map((manifest) =>
    createLeftoverGuard(name, manifest, {
      parent,
      dependsOn: after(component, []),
      ...unlessMade(component, manifest),
      ...kept(component),
    }),
  );
}

function createNamespace(
  component: Component,
  manifest: Manifest,
  guards: readonly pulumi.Resource[],
): pulumi.Resource {
  const { name, parent } = component;
  const dependsOn = after(component, guards);
  const opts = { parent, dependsOn, ...unlessMade(component, manifest), ...kept(component) };
  return new k8s.core.v1.Namespace(namespaceResource(name), inputsOf(manifest), opts);
}

function createTrustFiles(component: Component, namespace: readonly pulumi.Resource[]): pulumi.Resource {
  const { name, parent, plan } = component;
  return new k8s.core.v1.ConfigMap(
    trustResource(name),
    {
      metadata: plan.field((c) => c.trust!.metadata),
      data: plan.field((c) => c.trust!.data as Record<string, string>),
    },
    {
      parent,
      dependsOn: after(component, namespace),
      ...unlessMade(component, plan.shape.compiled.trust!),
      ...kept(component),
    },
  );
}

function createRelease(component: Component, before: readonly pulumi.Resource[]): k8s.helm.v3.Release {
  const { name, parent, plan } = component;
  const { kyverno } = plan.shape.resolved.posture;
  const timeout = `${kyverno.timeoutSeconds}s`;
  const { namespace, releaseName } = kyverno;
  const hooks = unlessThere(component, async (client) => {
    const revisions = await (await import("./kyverno/helmRelease")).revisionsOf(client, namespace, releaseName);
    return revisions.length > 0 ? `Helm release ${releaseName} in ${namespace}` : undefined;
  });
  return new k8s.helm.v3.Release(
    releaseResource(name),
    releaseArgs(kyverno, {
      repository: plan.field((_, posture) => posture.kyverno.chart.repository),
      values: plan.field((c) => c.chartValues),
    }),
    {
      parent,
      dependsOn: after(component, before),
      customTimeouts: { create: timeout, update: timeout },
      ...hooks,
      ...kept(component),
    },
  );
}

/**
 * Guards come first and leave last: nothing is ever enforced while a forged verdict or bypass would count. A role's policy
 * for templates is there before its policy for pods lets go of them: an upgrade leaves no gap.
 */
function createPolicies(component: Component, before: readonly pulumi.Resource[], gate: Gate): pulumi.CustomResource[] {
  const { guards, judges } = component.plan.shape.compiled;
  const made: pulumi.CustomResource[] = [];
  const create = (manifests: readonly Manifest[]): void => {
    // All that is there so far: what this step rests on.
    const dependsOn = gate(after(component, [...before, ...made]));
    made.push(...manifests.map((manifest) => createPolicy(component, manifest, gate, dependsOn)));
  };
  const isFirst = (manifest: Manifest) => roleOf(manifest) !== undefined && isBeside(manifest.metadata.name);
  for (const manifests of [guards, judges]) {
    create(manifests.filter(isFirst));
    create(manifests.filter((manifest) => !isFirst(manifest)));
  }
  return made;
}

function createPolicy(
  component: Component,
  manifest: Manifest,
  gate: Gate,
  dependsOn: pulumi.Input<pulumi.Resource[]>,
): pulumi.CustomResource {
  const { name, parent, plan } = component;
  return new k8s.apiextensions.CustomResource(
    childName(name, manifest),
    {
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      metadata: awaited(manifest),
      spec: gate(plan.field((c) => sameIn(c, manifest).spec)),
    },
    // The name in the cluster is fixed, so a replacement can't stand beside what it replaces.
    {
      parent,
      dependsOn,
      deleteBeforeReplace: true,
      customTimeouts: { create: POLICY_TIMEOUT, update: POLICY_TIMEOUT },
      ...unlessMade(component, manifest),
    },
  );
}

function createBackstop(
  component: Component,
  policies: readonly pulumi.Resource[],
  gate: Gate,
): pulumi.CustomResource[] {
  const { name, parent, plan, probe } = component;
  const manifests = plan.shape.compiled.backstop;
  if (manifests.length === 0) return [];
  const whereServed = probe.whereServed();
  const opts = { parent, dependsOn: gate(after(component, policies)), deleteBeforeReplace: true };
  return manifests.map((manifest) =>
    createTyped(name, manifest, { ...opts, ...unlessMade(component, manifest) }, whereServed),
  );
}

function createMonitoringParts(component: Component, kyverno: readonly pulumi.Resource[]): pulumi.Output<string> {
  const { name, parent, plan, probe } = component;
  const { monitoring } = plan.shape.compiled;
  if (!monitoring) return pulumi.output("off");
  return createMonitoring(monitoring, {
    name,
    parent,
    dependsOn: after(component, kyverno),
    field: (pick) => plan.field((c) => pick(c.monitoring!)),
    hasOperator: () => probe.hasPrometheusOperator(),
  });
}

/** By kind and name: what an Output brings may be another list than the one that was known when the resource was made. */
function sameIn(compiled: Compiled, { kind, metadata }: Manifest): Manifest {
  return policiesOf(compiled).find((policy) => policy.kind === kind && policy.metadata.name === metadata.name)!;
}

/**
 * Asks the provider to wait until Kyverno reports the policy as Ready, that is, in the webhooks; and to delete it without
 * the foreground finalizer, whose removal is an update that a silent Kyverno's own webhook refuses for ever.
 */
function awaited({ kind, metadata }: Manifest): Manifest["metadata"] {
  const annotations = {
    ...metadata.annotations,
    "pulumi.com/waitFor":
      kind === CLUSTER_POLICIES.kind ? "condition=Ready" : "jsonpath={.status.conditionStatus.ready}=true",
    "pulumi.com/deletionPropagationPolicy": "background",
    // What somebody else wrote into a policy of ours is taken back, not a conflict to stop at.
    "pulumi.com/patchForce": "true",
  };
  return { ...metadata, annotations };
}

/** These two kinds have typed resources, which unlike a CustomResource need no schema of the cluster to be previewed. */
function createLeftoverGuard(name: string, manifest: Manifest, opts: pulumi.ResourceOptions): pulumi.Resource {
  const resourceName = childName(name, manifest);
  if (manifest.kind === "ClusterRole") {
    const rules = manifest.rules as PolicyRule[] | undefined;
    // An empty list of rules would differ from the server's absent one in every preview.
    return new k8s.rbac.v1.ClusterRole(resourceName, { ...inputsOf(manifest), ...(rules ? { rules } : {}) }, opts);
  }
  return new k8s.admissionregistration.v1.ValidatingWebhookConfiguration(resourceName, inputsOf(manifest), opts);
}

/** Typed resources, which need no schema of the cluster to be previewed. */
function createTyped(
  name: string,
  manifest: Manifest,
  opts: pulumi.CustomResourceOptions,
  when: (value: Json) => pulumi.Input<Json> = (value) => value,
): pulumi.CustomResource {
  const { apiVersion: _version, kind, metadata, ...rest } = manifest;
  const fields = Object.fromEntries(Object.entries(rest).map(([field, value]) => [field, when(value as Json)]));
  return new KINDS[kind]!(childName(name, manifest), { metadata: metadata as Json, ...fields }, opts);
}

type Kind = new (name: string, args: Json, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource;
const { v1: admission } = k8s.admissionregistration;
const KINDS = {
  MutatingWebhookConfiguration: admission.MutatingWebhookConfiguration,
  NetworkPolicy: k8s.networking.v1.NetworkPolicy,
  ValidatingAdmissionPolicy: admission.ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding: admission.ValidatingAdmissionPolicyBinding,
} as unknown as Record<string, Kind>;

function inputsOf(manifest: Manifest): { metadata: Json } {
  return { metadata: manifest.metadata as unknown as Json };
}
