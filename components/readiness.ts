import * as pulumi from "@pulumi/pulumi";
import type { ReadinessArgs } from "./args";
import type { ClusterClient } from "./kubernetes/client";
import type { CanaryTarget, Deployed } from "./kyverno/canary";
import type { Wanted } from "./kyverno/preflight";
import { isMocked } from "./mocked";
import { enforcedScopes } from "./posture/namespaces";
import type { Posture } from "./posture/types";
import { NotReadyError } from "./pulumiError";

const DEFAULT_TIMEOUT_SECONDS = 180;
/** A preview does not wait for a cluster that is away; it then tells less. */
const PREVIEW_PATIENCE_MS = 3000;

/**
 * The steps of readiness that the provider can't wait for, asked of the API server itself. That needs the kubeconfig,
 * which an explicit provider keeps to itself, so then it must be given in `readiness.kubeconfig`.
 */
export class ReadinessProbe {
  private readonly wanted: boolean;
  private client?: Promise<ClusterClient>;
  /** Every question of this run. */
  private readonly asked: pulumi.Output<boolean>[] = [];
  /** Ends when the engine has taken the component in, and nothing has refused it. */
  private readonly registered: Promise<void>;
  readonly refuse: (error: Error) => void;

  constructor(
    private readonly component: pulumi.ComponentResource,
    private readonly args: ReadinessArgs,
  ) {
    let refuse!: (error: Error) => void;
    this.registered = new Promise((resolve, reject) => {
      refuse = reject;
      component.urn.apply(() => resolve());
    });
    this.refuse = refuse;
    const explicitProvider = component.getProvider("kubernetes:core/v1:Namespace") !== undefined;
    // Unit tests with mocks have no cluster of their own; the ambient one is none of theirs.
    this.wanted =
      args.kubeconfig !== undefined ? (args.canary ?? true) : !isMocked() && (args.canary ?? !explicitProvider);
  }

  /**
   * Ends when nothing in the cluster stands in the way. A preview only tells, and only where the cluster answers.
   */
  beforeAll(wanted: Wanted): pulumi.Output<boolean> | undefined {
    if (!this.wanted) {
      if (wanted.posture.kyverno.install === false)
        pulumi.log.warn("nobody looked at the Kyverno that is there: give readiness.kubeconfig", this.component);
      return undefined;
    }
    return this.ask(this.registered, async (target) => {
      const warned = pulumi.runtime.isDryRun()
        ? await foreseen({ ...target, requestTimeoutMs: PREVIEW_PATIENCE_MS }, wanted)
        : await (await import("./kyverno/preflight")).clearTheWay(target, wanted);
      for (const text of warned) pulumi.log.warn(text, this.component);
    });
  }

  /** Looks at the cluster when the engine is about to do something; undefined where nobody can look. */
  async lookNow<T>(question: (client: ClusterClient) => Promise<T>): Promise<T | undefined> {
    if (!this.wanted) return undefined;
    if (!pulumi.runtime.isDryRun()) {
      this.client ??= this.connect();
      return question(await this.client);
    }
    // Of a cluster that is made in the same program a preview knows nothing.
    if (!(await isKnown(this.kubeconfig()))) return undefined;
    try {
      return await question(await this.connect(PREVIEW_PATIENCE_MS));
    } catch {
      return undefined;
    }
  }

  /** One for all questions of a run, as each new one would log in anew. */
  private async connect(requestTimeoutMs?: number): Promise<ClusterClient> {
    const kubeconfig = await new Promise<string | undefined>((resolve) => this.kubeconfig().apply(resolve));
    return (await import("./kubernetes/client")).ClusterClient.of({
      kubeconfig,
      context: this.context(),
      requestTimeoutMs,
    });
  }

  /** Passes a value on once Kyverno answers for policies, so that none is sent to webhooks that don't work yet. */
  afterWebhooks(kyvernoIsThere: pulumi.Input<unknown>): <T>(value: pulumi.Input<T>) => pulumi.Input<T> {
    if (!this.wanted || pulumi.runtime.isDryRun()) return (value) => value;
    // Loaded late: previews have no use for a Kubernetes client.
    const answered = this.ask(kyvernoIsThere, async (target) =>
      (await import("./kyverno/canary")).awaitPolicyWebhooks(target),
    );
    return <T>(value: pulumi.Input<T>) => pulumi.all([answered, value]).apply(([, known]) => known) as pulumi.Output<T>;
  }

  /** Passes the backstop's parts on once it is known that the API server has such things. */
  whereServed(): <T>(value: pulumi.Input<T>) => pulumi.Input<T> {
    if (!this.wanted || pulumi.runtime.isDryRun()) return (value) => value;
    const served = this.ask(undefined, async (target) =>
      (await import("./kyverno/canary")).assertServesBackstop(target),
    );
    return <T>(value: pulumi.Input<T>) => pulumi.all([served, value]).apply(([, known]) => known) as pulumi.Output<T>;
  }

  /** Says what was proved. The same words in preview and up, so that an unchanged stack shows no difference. */
  proof(
    posture: Posture,
    { resources, cleared }: { resources: readonly pulumi.CustomResource[]; cleared: pulumi.Input<unknown> },
    deployed: pulumi.Input<Deployed>,
  ): pulumi.Output<string> {
    // The questions too: what waits for an answer that does not come is never made, and would be waited for in vain.
    const ready = pulumi.all([cleared, ...this.asked, ...resources.map(({ id }) => id)]);
    if (!this.wanted) return ready.apply(() => "release deployed, policies Ready");
    const webhooks = "release deployed, policies Ready, webhooks registered";
    const { signedImage } = this.args;
    const refused = `${webhooks}, unsigned canary refused${signedImage === undefined ? "" : ", signed canary admitted"}`;
    const proven = enforcedScopes(posture).length > 0 ? refused : webhooks;
    if (pulumi.runtime.isDryRun()) return pulumi.output(proven);
    return this.ask(pulumi.all([deployed, ready]), async (target, [wanted]) =>
      (await import("./kyverno/canary")).askCanary(target, posture, { ...(wanted as Deployed), signedImage }),
    ).apply(() => proven);
  }

  /** Whether the cluster has the Prometheus Operator; undefined where the cluster is not ours to ask, or did not say. */
  hasPrometheusOperator(): pulumi.Output<boolean | undefined> | undefined {
    if (!this.wanted) return undefined;
    const answer = this.kubeconfig().apply(async (kubeconfig) =>
      (await import("./monitoring/operator")).hasPrometheusOperator({ kubeconfig, context: this.context() }),
    );
    return pulumi.unsecret(answer);
  }

  private ask<T>(
    after: pulumi.Input<T>,
    question: (target: CanaryTarget, known: pulumi.Unwrap<T>) => Promise<void>,
  ): pulumi.Output<boolean> {
    const answer = pulumi.all([after, this.kubeconfig()]).apply(async ([known, kubeconfig]) => {
      const target: CanaryTarget = {
        kubeconfig,
        context: this.context(),
        timeoutSeconds: this.args.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
      };
      try {
        await question(target, known as pulumi.Unwrap<T>);
        return true;
      } catch (error) {
        throw new NotReadyError(`the guard is not ready: ${(error as Error).message}`, this.component);
      }
    });
    // The kubeconfig may be a secret, the answer is none.
    const plain = pulumi.unsecret(answer);
    this.asked.push(plain);
    return plain;
  }

  /** What is not given is what the default provider itself is configured with. */
  private kubeconfig(): pulumi.Output<string | undefined> {
    const given: pulumi.Input<unknown> =
      this.args.kubeconfig ?? new pulumi.Config("kubernetes").getSecret("kubeconfig") ?? "";
    const text = (one: unknown) => (typeof one === "string" ? one : JSON.stringify(one)) || undefined;
    // As EKS and other programs make it: a block, or a text.
    return (pulumi.output(given) as pulumi.Output<unknown>).apply(text);
  }

  private context(): string | undefined {
    return this.args.context ?? new pulumi.Config("kubernetes").get("context");
  }
}

/** Known to the SDK alone; there is no public way to ask. */
function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  return (output as unknown as { isKnown: Promise<boolean> }).isKnown;
}

/** A preview of a cluster that does not answer tells less; one that answers with a refusal says why it was not looked at. */
async function foreseen(target: CanaryTarget, wanted: Wanted): Promise<readonly string[]> {
  const [{ lookAhead }, { ClusterError }] = await Promise.all([
    import("./kyverno/preflight"),
    import("./kubernetes/errors"),
  ]);
  try {
    const { refused, warned } = await lookAhead(target, wanted);
    return [...(refused.length > 0 ? [`up would stop here: ${refused.join("\n")}`] : []), ...warned];
  } catch (error) {
    if (error instanceof ClusterError && error.why === "unreachable") return [];
    return [`the cluster could not be looked at before: ${(error as Error).message}`];
  }
}
