import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Compiled, policiesOf } from "./compile";
import type { Json, Manifest } from "./kubernetes/manifest";
import type { PolicyRule } from "./kyverno/coreRules";
import { releaseArgs } from "./kyverno/release";
import { createMonitoring } from "./monitoring/resources";
import type { Plan } from "./plan";
import { isBeside, roleOf } from "./policies/names";
import type { ReadinessProbe } from "./readiness";

/** How long Kyverno may take to take a policy in; it is 10 to 20 seconds after a fresh installation. */
const POLICY_TIMEOUT = "5m";

/** What every resource needs to know of the component that it is a part of. */
interface Component {
  /** The component's own name, the prefix of its children's. */
  readonly name: string;
  readonly parent: pulumi.ComponentResource;
  readonly plan: Plan;
  readonly probe: ReadinessProbe;
}

interface Made {
  /** Absent where somebody else runs Kyverno. */
  readonly release?: k8s.helm.v3.Release;
  readonly policies: readonly pulumi.CustomResource[];
  readonly policyNames: string[];
  readonly backstop: readonly pulumi.CustomResource[];
  readonly monitoring: pulumi.Output<string>;
}

/** Makes everything in the order in which it must come; destroy runs it backwards. */
export function createResources(component: Component): Made {
  const { compiled } = component.plan.shape;
  const cleared = lookFirst(component);
  const namespace = compiled.namespace
    ? [createNamespace(component, compiled.namespace, createLeftoverGuards(component, cleared))]
    : [];
  const trust = compiled.trust ? [createTrustFiles(component, compiled.namespace ? namespace : cleared)] : [];
  const release = compiled.namespace ? createRelease(component, [...namespace, ...trust]) : undefined;
  if (compiled.networkPolicy)
    createTyped(component.name, compiled.networkPolicy, { parent: component.parent, dependsOn: namespace });
  const policies = createPolicies(component, release ? [release] : trust, release?.id ?? cleared ?? "");
  return {
    ...(release ? { release } : {}),
    policies,
    policyNames: policiesOf(compiled)
      .map(({ metadata }) => metadata.name)
      .sort(),
    // After the policies, so that Kyverno's webhooks are there; on destroy it goes before them.
    backstop: createBackstop(component, policies),
    monitoring: createMonitoringParts(component, [...namespace, ...(release ? [release] : [])]),
  };
}

/** No resource, but something to wait for: that nothing in the cluster stands in the way. */
type Cleared = pulumi.Output<pulumi.Resource[]> | undefined;

function lookFirst({ plan, probe }: Component): Cleared {
  const { compiled, resolved } = plan.shape;
  const { trust } = compiled;
  const policies = policiesOf(compiled).map(({ metadata }) => metadata.name);
  const wanted = { posture: resolved.posture, policies, ...(trust ? { trust } : {}) };
  return probe.beforeAll(wanted)?.apply((): pulumi.Resource[] => []);
}

/** What must be there before the release, so that it is there still when the release goes. */
function createLeftoverGuards({ name, parent, plan }: Component, cleared: Cleared): pulumi.Resource[] {
  return plan.shape.compiled.leftoverGuards.map((manifest) =>
    createLeftoverGuard(name, manifest, { parent, ...(cleared ? { dependsOn: cleared } : {}) }),
  );
}

function createNamespace(
  { name, parent }: Component,
  manifest: Manifest,
  dependsOn: pulumi.Resource[],
): pulumi.Resource {
  return new k8s.core.v1.Namespace(`${name}-namespace`, inputsOf(manifest), { parent, dependsOn });
}

function createTrustFiles({ name, parent, plan }: Component, dependsOn: pulumi.Resource[] | Cleared): pulumi.Resource {
  return new k8s.core.v1.ConfigMap(
    `${name}-trust`,
    {
      metadata: plan.field((c) => c.trust!.metadata),
      data: plan.field((c) => c.trust!.data as Record<string, string>),
    },
    { parent, ...(dependsOn ? { dependsOn } : {}) },
  );
}

function createRelease({ name, parent, plan }: Component, dependsOn: pulumi.Resource[]): k8s.helm.v3.Release {
  const { kyverno } = plan.shape.resolved.posture;
  const timeout = `${kyverno.timeoutSeconds}s`;
  return new k8s.helm.v3.Release(
    `${name}-kyverno`,
    releaseArgs(kyverno, {
      repository: plan.field((_, posture) => posture.kyverno.chart.repository),
      values: plan.field((c) => c.chartValues),
    }),
    { parent, dependsOn, customTimeouts: { create: timeout, update: timeout } },
  );
}

/**
 * Guards come first and leave last: nothing is ever enforced while a forged verdict or bypass would count. A role's policy
 * for templates is there before its policy for pods lets go of them: an upgrade leaves no gap.
 */
function createPolicies(
  component: Component,
  before: readonly pulumi.Resource[],
  kyvernoIsThere: pulumi.Input<unknown>,
): pulumi.CustomResource[] {
  const { guards, judges } = component.plan.shape.compiled;
  const gate = component.probe.afterWebhooks(kyvernoIsThere);
  const made: pulumi.CustomResource[] = [];
  const create = (manifests: readonly Manifest[]): void => {
    // All that is there so far: what this step rests on.
    const dependsOn = [...before, ...made];
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
  { name, parent, plan }: Component,
  manifest: Manifest,
  gate: <T>(value: pulumi.Input<T>) => pulumi.Input<T>,
  dependsOn: pulumi.Resource[],
): pulumi.CustomResource {
  return new k8s.apiextensions.CustomResource(
    `${name}-${manifest.metadata.name}`,
    {
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      metadata: awaited(manifest.metadata),
      spec: gate(plan.field((c) => policyNamed(c, manifest.metadata.name).spec)),
    },
    // The name in the cluster is fixed, so a replacement can't stand beside what it replaces.
    {
      parent,
      dependsOn,
      deleteBeforeReplace: true,
      customTimeouts: { create: POLICY_TIMEOUT, update: POLICY_TIMEOUT },
    },
  );
}

function createBackstop(
  { name, parent, plan, probe }: Component,
  policies: pulumi.Resource[],
): pulumi.CustomResource[] {
  const manifests = plan.shape.compiled.backstop;
  if (manifests.length === 0) return [];
  const whereServed = probe.whereServed();
  const opts = { parent, dependsOn: policies, deleteBeforeReplace: true };
  return manifests.map((manifest) => createTyped(name, manifest, opts, whereServed));
}

function createMonitoringParts(
  { name, parent, plan, probe }: Component,
  kyverno: readonly pulumi.Resource[],
): pulumi.Output<string> {
  const { monitoring } = plan.shape.compiled;
  if (!monitoring) return pulumi.output("off");
  return createMonitoring(monitoring, {
    name,
    parent,
    kyverno,
    field: (pick) => plan.field((c) => pick(c.monitoring!)),
    hasOperator: () => probe.hasPrometheusOperator(),
  });
}

/** By its name: what an Output brings may be another list than the one that was known when the resource was made. */
function policyNamed(compiled: Compiled, name: string): Manifest {
  return policiesOf(compiled).find(({ metadata }) => metadata.name === name)!;
}

/**
 * Asks the provider to wait until Kyverno reports the policy as Ready, that is, in the webhooks; and to delete it without
 * the foreground finalizer, whose removal is an update that a silent Kyverno's own webhook refuses for ever.
 */
function awaited(metadata: Manifest["metadata"]): Manifest["metadata"] {
  const annotations = {
    ...metadata.annotations,
    "pulumi.com/waitFor": "condition=Ready",
    "pulumi.com/deletionPropagationPolicy": "background",
    // What somebody else wrote into a policy of ours is taken back, not a conflict to stop at.
    "pulumi.com/patchForce": "true",
  };
  return { ...metadata, annotations };
}

/** These two kinds have typed resources, which unlike a CustomResource need no schema of the cluster to be previewed. */
function createLeftoverGuard(name: string, manifest: Manifest, opts: pulumi.ResourceOptions): pulumi.Resource {
  const resourceName = `${name}-${manifest.metadata.name.replace(/:/g, "-")}`;
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
  { apiVersion: _version, kind, metadata, ...rest }: Manifest,
  opts: pulumi.CustomResourceOptions,
  when: (value: Json) => pulumi.Input<Json> = (value) => value,
): pulumi.CustomResource {
  const fields = Object.fromEntries(Object.entries(rest).map(([field, value]) => [field, when(value as Json)]));
  return new KINDS[kind]!(`${name}-${metadata.name}`, { metadata: metadata as Json, ...fields }, opts);
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
