import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { type Compiled, policiesOf } from "./compile";
import type { Json, Manifest } from "./kubernetes/manifest";
import type { PolicyRule } from "./kyverno/coreRules";
import { releaseArgs } from "./kyverno/release";
import { createMonitoring } from "./monitoring/resources";
import { planGuard } from "./plan";
import { isBeside, roleOf } from "./policies/names";
import { GuardInputError } from "./problems";
import { GuardResourceError } from "./pulumiError";
import { ReadinessProbe } from "./readiness";
import { GUARD_TYPE } from "./settings";

/** Seconds that Kyverno may take to take a policy in; it is 10 to 20 after a fresh installation. */
const POLICY_TIMEOUT = "5m";

/**
 * Installs Kyverno and admits only the images that the configured signers signed.
 *
 * @example
 * new ImageSigningGuard("guard", {
 *   mode: "enforce",
 *   images: [{
 *     name: "modulo",
 *     repositories: ["ghcr.io/ikey168/modulo-*"],
 *     signers: [{ github: { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" } }],
 *   }],
 * });
 */
export class ImageSigningGuard extends pulumi.ComponentResource {
  /** The stack's mode. */
  public readonly mode!: pulumi.Output<string>;
  /** What is enforced, fully defaulted; the same object that previews compare. */
  // biome-ignore lint/suspicious/noExplicitAny: Pulumi's schema has no other word for a nested block.
  public readonly posture!: pulumi.Output<Record<string, any>>;
  /** Names of the deployed policies. */
  public readonly policyNames!: pulumi.Output<string[]>;
  /** Kyverno's namespace. */
  public readonly namespace!: pulumi.Output<string>;
  /** Status of the Helm release, `deployed` when all is well. */
  public readonly releaseStatus!: pulumi.Output<string>;
  /** Version of the Helm chart. */
  public readonly chartVersion!: pulumi.Output<string>;
  /** Version of Kyverno. */
  public readonly kyvernoVersion!: pulumi.Output<string>;
  /** What monitoring the cluster has of the guard: `off`, or its parts. */
  public readonly monitoring!: pulumi.Output<string>;
  /** How readiness was established. */
  public readonly readiness!: pulumi.Output<string>;

  constructor(name: string, args: ImageSigningGuardArgs, opts?: pulumi.ComponentResourceOptions) {
    const plan = planGuard(args);
    super(GUARD_TYPE, name, "error" in plan ? {} : { posture: plan.posture }, opts);
    if ("error" in plan) throw asResourceError(plan.error, this);

    for (const warning of plan.shape.warnings) pulumi.log.warn(warning, this);
    const child = { parent: this };
    const { shape } = plan;

    const probe = new ReadinessProbe(this, args.readiness ?? {});
    const cleared = probe.beforeRelease(shape.resolved.posture.kyverno)?.apply((): pulumi.Resource[] => []);
    const first = shape.compiled.leftoverGuards.map((manifest) =>
      createLeftoverGuard(name, manifest, { ...child, ...(cleared ? { dependsOn: cleared } : {}) }),
    );
    const namespace = new k8s.core.v1.Namespace(`${name}-namespace`, inputsOf(shape.compiled.namespace), {
      ...child,
      dependsOn: first,
    });
    const trust =
      shape.compiled.trust &&
      new k8s.core.v1.ConfigMap(
        `${name}-trust`,
        {
          metadata: plan.field((c) => c.trust!.metadata),
          data: plan.field((c) => c.trust!.data as Record<string, string>),
        },
        { ...child, dependsOn: [namespace] },
      );
    const release = new k8s.helm.v3.Release(
      `${name}-kyverno`,
      releaseArgs(shape.resolved.posture.kyverno, {
        repository: plan.field((_, posture) => posture.kyverno.chart.repository),
        values: plan.field((c) => c.chartValues),
      }),
      {
        ...child,
        dependsOn: trust ? [namespace, trust] : [namespace],
        customTimeouts: {
          create: `${shape.resolved.posture.kyverno.timeoutSeconds}s`,
          update: `${shape.resolved.posture.kyverno.timeoutSeconds}s`,
        },
      },
    );

    const { networkPolicy } = shape.compiled;
    if (networkPolicy) createTyped(name, networkPolicy, { ...child, dependsOn: [namespace] });

    const afterWebhooks = probe.afterWebhooks(release);
    const policies: k8s.apiextensions.CustomResource[] = [];
    const deploy = (manifest: Manifest, dependsOn: pulumi.Resource[]) => {
      const policy = new k8s.apiextensions.CustomResource(
        `${name}-${manifest.metadata.name}`,
        {
          apiVersion: manifest.apiVersion,
          kind: manifest.kind,
          metadata: awaited(manifest.metadata),
          spec: afterWebhooks(plan.field((c) => policyNamed(c, manifest.metadata.name).spec)),
        },
        // The name in the cluster is fixed, so a replacement can't stand beside what it replaces.
        {
          ...child,
          dependsOn,
          deleteBeforeReplace: true,
          customTimeouts: { create: POLICY_TIMEOUT, update: POLICY_TIMEOUT },
        },
      );
      policies.push(policy);
      return policy;
    };
    // Guards come first and leave last: nothing is ever enforced while a forged verdict or bypass would count.
    // A role's policy for templates is there before its policy for pods lets go of them: an upgrade leaves no gap.
    const inOrder = (manifests: readonly Manifest[], after: pulumi.Resource[]): pulumi.Resource[] => {
      const isFirst = (manifest: Manifest) => roleOf(manifest) !== undefined && isBeside(manifest.metadata.name);
      const first = manifests.filter(isFirst).map((manifest) => deploy(manifest, after));
      const rest = manifests.filter((manifest) => !isFirst(manifest));
      return [...first, ...rest.map((manifest) => deploy(manifest, [...after, ...first]))];
    };
    inOrder(shape.compiled.judges, [release, ...inOrder(shape.compiled.guards, [release])]);

    // After the policies, so that Kyverno's webhooks are there; on destroy it goes before them.
    const manifestsOfBackstop = shape.compiled.backstop;
    const whereServed = manifestsOfBackstop.length > 0 ? probe.whereServed() : undefined;
    const backstop = manifestsOfBackstop.map((manifest) =>
      createTyped(name, manifest, { ...child, dependsOn: policies, deleteBeforeReplace: true }, whereServed),
    );

    const { monitoring } = shape.compiled;
    this.monitoring = monitoring
      ? createMonitoring(monitoring, {
          name,
          parent: this,
          namespace,
          release,
          field: (pick) => plan.field((c) => pick(c.monitoring!)),
          hasOperator: () => probe.hasPrometheusOperator(),
        })
      : pulumi.output("off");
    this.mode = pulumi.output(shape.resolved.posture.mode);
    this.posture = pulumi.output(plan.posture) as unknown as typeof this.posture;
    this.policyNames = pulumi.output(
      policiesOf(shape.compiled)
        .map(({ metadata }) => metadata.name)
        .sort(),
    );
    this.namespace = pulumi.output(shape.resolved.posture.kyverno.namespace);
    this.releaseStatus = release.status.status;
    this.chartVersion = pulumi.output(shape.resolved.posture.kyverno.chartVersion);
    this.kyvernoVersion = pulumi.output(shape.resolved.posture.kyverno.appVersion);
    this.readiness = probe.proof(
      shape.resolved.posture,
      [...policies, ...backstop],
      plan.field((c) => ({ policies: policiesOf(c), backstop: c.backstop })),
    );
    this.registerOutputs({
      mode: this.mode,
      // Part by part, so that a secret in one hides no other.
      posture: plan.posture,
      policyNames: this.policyNames,
      namespace: this.namespace,
      releaseStatus: this.releaseStatus,
      chartVersion: this.chartVersion,
      kyvernoVersion: this.kyvernoVersion,
      monitoring: this.monitoring,
      readiness: this.readiness,
    });
  }
}

function asResourceError(error: unknown, resource: pulumi.Resource): unknown {
  return error instanceof GuardInputError ? new GuardResourceError(error.message, error.problems, resource) : error;
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
