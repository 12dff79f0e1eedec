import { AdmissionregistrationV1Api, CoreV1Api, CustomObjectsApi } from "@kubernetes/client-node";
import { apiMessage, type ClusterTarget, loadKubeConfig } from "../kubernetes/cluster";
import { enforcedScopes, scopeHas } from "../posture/namespaces";
import type { Posture } from "../posture/types";

/** Which cluster to ask and how long to insist. */
export interface CanaryTarget extends ClusterTarget {
  readonly timeoutSeconds: number;
}

const POLL_MILLISECONDS = 2000;
/** Kyverno's configurations with the webhooks that check policies, and with those that judge pods. */
const POLICY_WEBHOOKS = "kyverno-policy-validating-webhook-cfg";
const RESOURCE_WEBHOOKS = "kyverno-resource-mutating-webhook-cfg";

/** Takes a policy through Kyverno's own webhooks without storing it. */
export const PROBE_POLICY = {
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name: "image-signing-guard-probe" },
  spec: {
    validationFailureAction: "Audit",
    background: false,
    rules: [
      {
        name: "probe",
        match: { any: [{ resources: { kinds: ["ConfigMap"], names: ["image-signing-guard-probe"] } }] },
        validate: { message: "probe", pattern: { metadata: { name: "?*" } } },
      },
    ],
  },
};

/**
 * Waits until Kyverno answers for policies. The release counts as deployed when its pods are ready, which is before the
 * API server trusts the certificate of their webhooks.
 */
export async function awaitPolicyWebhooks(target: CanaryTarget): Promise<void> {
  const config = loadKubeConfig(target);
  const objects = config.makeApiClient(CustomObjectsApi);
  const admission = config.makeApiClient(AdmissionregistrationV1Api);
  await until(target, "an answer of Kyverno's policy webhooks", async () => {
    const { webhooks } = await admission.readValidatingWebhookConfiguration({ name: POLICY_WEBHOOKS });
    if (!webhooks?.length || webhooks.some(({ clientConfig }) => !clientConfig.caBundle)) return "no CA bundle yet";
    await objects.createClusterCustomObject({
      group: "kyverno.io",
      version: "v1",
      plural: "clusterpolicies",
      body: PROBE_POLICY,
      dryRun: "All",
    });
    return undefined;
  });
}

/**
 * Makes sure that the API server asks Kyverno and acts on its answer; throws what did not come true. A pod that nobody
 * signed is offered by dry run to an enforced namespace; nothing is stored.
 */
export async function askCanary(target: CanaryTarget, posture: Posture): Promise<void> {
  const config = loadKubeConfig(target);
  const core = config.makeApiClient(CoreV1Api);
  const admission = config.makeApiClient(AdmissionregistrationV1Api);

  await until(target, `webhook configuration ${RESOURCE_WEBHOOKS} with a CA bundle`, async () => {
    const { webhooks } = await admission.readMutatingWebhookConfiguration({ name: RESOURCE_WEBHOOKS });
    const complete = webhooks?.length && webhooks.every(({ clientConfig }) => clientConfig.caBundle);
    return complete ? undefined : "it has no webhooks yet";
  });

  const scopes = enforcedScopes(posture);
  if (scopes.length === 0) return;
  const { items } = await core.listNamespace();
  const names = items.map((item) => item.metadata!.name!).sort();
  // A namespace that does not exist yet can't be asked; the dry run needs one that does.
  const namespace = names.find((name) => scopes.some((scope) => scopeHas(scope, name)));
  if (!namespace)
    throw new Error(`no namespace is enforced among ${names.join(", ")}; create one or set readiness.canary: false`);
  const repository = posture.images[0]!.repositories[0]!.replace(/\*/g, "canary").replace(/\?/g, "x");
  const image = `${repository}:never-signed`;
  await until(target, `refusal of the unsigned canary ${image} in namespace ${namespace}`, async () => {
    const admitted = await offerPod(core, namespace, image);
    return admitted ? "the API server would admit it" : undefined;
  });
}

/** Whether the API server would create the pod. A refusal that is not Kyverno's is an error. */
async function offerPod(core: CoreV1Api, namespace: string, image: string): Promise<boolean> {
  try {
    await core.createNamespacedPod({
      namespace,
      dryRun: "All",
      body: {
        metadata: { generateName: "image-signing-guard-canary-" },
        spec: { containers: [{ name: "canary", image }] },
      },
    });
    return true;
  } catch (error) {
    // A webhook that can't be called refuses too, but then nothing has been judged.
    if (apiMessage(error).includes("was blocked due to the following policies")) return false;
    throw error;
  }
}

async function until(target: CanaryTarget, what: string, check: () => Promise<string | undefined>): Promise<void> {
  const deadline = Date.now() + target.timeoutSeconds * 1000;
  for (;;) {
    const missing = await check().catch(apiMessage);
    if (missing === undefined) return;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${target.timeoutSeconds} s: ${missing}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}
