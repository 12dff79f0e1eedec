import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "./args";
import { policiesOf } from "./compile";
import { withKnownGuard } from "./knownGuard";
import { planGuard } from "./plan";
import { withPostureHook } from "./postureHook";
import { GuardInputError, type Problem } from "./problems";
import { GuardResourceError } from "./pulumiError";
import { ReadinessProbe } from "./readiness";
import { createResources } from "./resources";
import { GUARD_TYPE } from "./settings";

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
  /** What is enforced, fully defaulted, with maps by name; the same object that previews compare. */
  // biome-ignore lint/suspicious/noExplicitAny: Pulumi's schema has no other word for a nested block.
  public readonly posture!: pulumi.Output<Record<string, any>>;
  /** Names of the deployed policies. */
  public readonly policyNames!: pulumi.Output<string[]>;
  /** Kyverno's namespace. */
  public readonly namespace!: pulumi.Output<string>;
  /** Status of the Helm release, `deployed` when all is well; `none: ...` where somebody else runs Kyverno. */
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
    let probe!: ReadinessProbe;
    const self = () => ({ resource: this, probe });
    const told =
      "error" in plan
        ? opts
        : withKnownGuard(
            name,
            withPostureHook(name, opts ?? {}, () => this),
            { plan, self },
          );
    super(GUARD_TYPE, name, "error" in plan ? {} : { posture: plan.posture }, told);
    if ("error" in plan) throw asResourceError(plan.error, this);
    if (rendersYaml(this)) throw asResourceError(new GuardInputError([NO_YAML_PROVIDER]), this);

    const { posture } = plan.shape.resolved;
    for (const warning of plan.shape.warnings) pulumi.log.warn(warning, this);
    probe = new ReadinessProbe(this, args.readiness ?? {});
    const made = createResources({ name, parent: this, plan, probe });

    this.mode = pulumi.output(posture.mode);
    this.posture = pulumi.output(plan.posture) as unknown as typeof this.posture;
    this.policyNames = pulumi.output(made.policyNames);
    this.namespace = pulumi.output(posture.kyverno.namespace);
    this.releaseStatus = pulumi
      .all([made.cleared, made.release?.status])
      .apply(([, status]) => status?.status ?? "none: somebody else runs Kyverno");
    this.chartVersion = pulumi.output(posture.kyverno.chartVersion);
    this.kyvernoVersion = pulumi.output(posture.kyverno.appVersion);
    this.monitoring = made.monitoring;
    this.readiness = probe.proof(
      posture,
      { resources: [...made.policies, ...made.backstop], cleared: made.cleared },
      plan.field((c) => ({ policies: policiesOf(c), backstop: c.backstop })),
    );
    this.registerOutputs({
      // First: where nothing is made, this one says so, and the others would be waited for in vain.
      readiness: this.readiness,
      mode: this.mode,
      // Part by part, so that a secret in one hides no other.
      posture: plan.posture,
      policyNames: this.policyNames,
      namespace: this.namespace,
      releaseStatus: this.releaseStatus,
      chartVersion: this.chartVersion,
      kyvernoVersion: this.kyvernoVersion,
      monitoring: this.monitoring,
    });
  }
}

const NO_YAML_PROVIDER: Problem = {
  key: "kubernetes:renderYamlToDirectory",
  found: "a folder: the provider would write some files and then fail at the Helm release",
  allowed: "nothing, for a stack with this component",
  fix: "run image-signing-guard render --stack STACK --out FOLDER: it writes all of it as YAML, the chart's values too",
};

/** Of an explicit provider nobody can say. */
function rendersYaml(component: pulumi.ComponentResource): boolean {
  if (component.getProvider("kubernetes:core/v1:Namespace") !== undefined) return false;
  return Boolean(new pulumi.Config("kubernetes").get("renderYamlToDirectory"));
}

function asResourceError(error: unknown, resource: pulumi.Resource): unknown {
  return error instanceof GuardInputError ? new GuardResourceError(error.message, error.problems, resource) : error;
}
