import { GuardMode } from "../args";
import { backstopDrift } from "../backstop/drift";
import { NAMESPACED_POLICIES } from "../backstop/namespacedPolicies";
import { JUDGING_SELECTOR, READY_POLICIES, SETTLE_SECONDS } from "../backstop/readyPolicies";
import { ClusterClient } from "../kubernetes/client";
import { missingRight, wordsOf } from "../kubernetes/errors";
import type { ClusterTarget } from "../kubernetes/kubeConfig";
import type { Manifest } from "../kubernetes/manifest";
import {
  ADMISSION_BINDINGS,
  ADMISSION_POLICIES,
  CLUSTER_POLICIES,
  IMAGE_VALIDATING_POLICIES,
  type KubeObject,
  MUTATING_WEBHOOKS,
  NAMESPACES,
  POLICIES,
  VALIDATING_POLICIES,
  VALIDATING_WEBHOOKS,
} from "../kubernetes/resources";
import { workloadKind } from "../kubernetes/workloads";
import { policyDrift } from "../policies/drift";
import { policyKind, readySince } from "../policies/kinds";
import { isJudge } from "../policies/names";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import { POLICY_WEBHOOKS, RESOURCE_WEBHOOKS } from "../posture/kyvernoWebhooks";
import { scopeHas } from "../posture/namespaces";
import type { Backstop, Posture } from "../posture/types";

/** Which cluster to ask and how long to insist. */
export interface CanaryTarget extends ClusterTarget {
  readonly timeoutSeconds: number;
}

const POLL_MILLISECONDS = 2000;

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

interface Webhooks extends KubeObject {
  readonly webhooks?: readonly { readonly clientConfig?: { readonly caBundle?: string } }[];
}

function isComplete(webhooks: Webhooks["webhooks"] = []): boolean {
  return webhooks.length > 0 && webhooks.every(({ clientConfig }) => clientConfig?.caBundle);
}

/**
 * Waits until Kyverno answers for policies. The release counts as deployed when its pods are ready, which is before the
 * API server trusts the certificate of their webhooks.
 */
export async function awaitPolicyWebhooks(target: CanaryTarget): Promise<void> {
  const client = ClusterClient.of(target);
  await until(target, "an answer of Kyverno's policy webhooks", async () => {
    const { webhooks } = await client.get<Webhooks>(VALIDATING_WEBHOOKS, POLICY_WEBHOOKS);
    if (!isComplete(webhooks)) return "no CA bundle yet";
    await client.create(CLUSTER_POLICIES, PROBE_POLICY, { dryRun: true });
    return undefined;
  });
}

/** What must be in the cluster word for word, and what must get in. */
export interface Deployed {
  readonly policies?: readonly Manifest[];
  readonly backstop?: readonly Manifest[];
  /** Signed as the stack wants it. */
  readonly signedImage?: string;
}

/**
 * Makes sure that the API server asks Kyverno and acts on its answer; throws what did not come true. Each policy must say
 * what the stack says, whatever the state believes; and for each that refuses, a pod that nobody signed is offered by dry
 * run to a namespace of its own, and one that is signed where the stack names such an image. Nothing is stored.
 */
export async function askCanary(
  target: CanaryTarget,
  posture: Posture,
  { policies = [], backstop = [], signedImage }: Deployed = {},
): Promise<void> {
  const client = ClusterClient.of(target);
  // Policies of the newer kinds mutate nothing but tags.
  const [resource, { configuration }] = posture.kyverno.policies
    ? [VALIDATING_WEBHOOKS, RESOURCE_WEBHOOKS.validating]
    : [MUTATING_WEBHOOKS, RESOURCE_WEBHOOKS.mutating];
  await until(target, `webhook configuration ${configuration} with a CA bundle`, async () => {
    const { webhooks } = await client.get<Webhooks>(resource, configuration);
    return isComplete(webhooks) ? undefined : "it has no webhooks yet";
  });

  await askBackstop(target, client, posture, backstop);
  await comparePolicies(client, posture, policies);
  if (backstop.some(({ metadata }) => metadata.name === READY_POLICIES)) await awaitSettled(target, client, posture);
  const refusing = posture.policies.filter(({ role, mode }) => isJudge(role) && mode === GuardMode.Enforce);
  if (refusing.length === 0) return;
  const names = ((await client.list(NAMESPACES)) ?? []).map(({ metadata }) => metadata?.name ?? "").sort();
  // A namespace that does not exist yet can't be asked; the dry run needs one that does.
  const offers = refusing.flatMap((plan) => {
    const namespace = names.find((name) => plan.scopes.some((scope) => scopeHas(scope, name)));
    return namespace === undefined ? [] : [{ policy: plan.name, namespace }];
  });
  if (offers.length === 0)
    throw new Error(`no namespace is enforced among ${names.join(", ")}; create one or set readiness.canary: false`);
  const repository = posture.images[0]!.repositories[0]!.replace(/\*/g, "canary").replace(/\?/g, "x");
  const image = `${repository}:never-signed`;
  for (const { policy, namespace } of offers)
    await until(target, `refusal of the unsigned canary ${image} by ${policy} in namespace ${namespace}`, async () => {
      const refusal = await offerPod(client, namespace, image);
      if (refusal === undefined) return "the API server would admit it";
      return refusal.includes(policy) ? undefined : `it was refused by another policy: ${refusal}`;
    });
  if (signedImage === undefined) return;
  for (const { policy, namespace } of offers)
    await until(target, `admission of the signed canary ${signedImage} in namespace ${namespace} (${policy})`, () =>
      offerPod(client, namespace, signedImage),
    );
}

/** A policy that somebody changed behind the state's back is not put back by an `up` that sees no difference. */
async function comparePolicies(client: ClusterClient, posture: Posture, policies: readonly Manifest[]): Promise<void> {
  const { addedToPolicies } = KYVERNO_LINES[posture.kyverno.target];
  for (const wanted of policies) {
    const what = `${wanted.kind} ${wanted.metadata.name}`;
    const live = await client.find<KubeObject & { spec?: unknown }>(policyKind(wanted), wanted.metadata.name);
    if (!live) throw new Error(`${what} is gone from the cluster; ${PUT_BACK}`);
    const [first, ...more] = policyDrift(wanted, live.spec, addedToPolicies);
    if (first === undefined) continue;
    const others = more.length > 0 ? ` and ${more.length} more places` : "";
    throw new Error(`${what} was changed in the cluster (${first}${others}); ${putBack(wanted)}`);
  }
}

/** Until then the backstop lets nothing start. A second more for each of the two times that it compares, which are whole. */
async function awaitSettled(target: CanaryTarget, client: ClusterClient, { kyverno }: Posture): Promise<void> {
  const kinds = kyverno.policies ? [IMAGE_VALIDATING_POLICIES, VALIDATING_POLICIES] : [CLUSTER_POLICIES];
  await until(target, `policies that have been Ready for ${SETTLE_SECONDS} s`, async () => {
    const lists = await Promise.all(
      kinds.map(async (kind) => (await client.list(kind, { labelSelector: JUDGING_SELECTOR })) ?? []),
    );
    const latest = Date.now() + (client.skewSeconds ?? 0) * 1000 - (SETTLE_SECONDS + 2) * 1000;
    const early = lists.flat().filter((policy) => !(readySince(policy) < latest));
    return early.length > 0 ? early.map(({ metadata }) => metadata?.name).join(", ") : undefined;
  });
}

const PUT_BACK = "to put it back: pulumi up --refresh";

/** What somebody adds to a list of the newer kinds stays theirs when the policy is applied again. */
function putBack(policy: Manifest): string {
  if (policyKind(policy) === CLUSTER_POLICIES) return PUT_BACK;
  return `to put it back: kubectl delete ${policy.kind.toLowerCase()} ${policy.metadata.name}, then pulumi up --refresh; in between enforced namespaces start nothing`;
}

/**
 * While Kyverno is well the backstop refuses hardly anything, so most of it can only be seen to be there and unchanged.
 * The API server acts on it some seconds after it is stored; that it does is seen by a namespaced policy's refusal.
 */
async function askBackstop(
  target: CanaryTarget,
  client: ClusterClient,
  posture: Posture,
  backstop: readonly Manifest[],
): Promise<void> {
  for (const manifest of backstop) {
    const { kind, metadata } = manifest;
    await until(target, `the backstop's ${kind} ${metadata.name} as the stack wants it`, async () => {
      const live: unknown = await client.get(BACKSTOP_KINDS[kind]!, metadata.name);
      const changed = backstopDrift(manifest, live as Manifest);
      return changed && `somebody changed its ${changed}`;
    });
  }
  if (!backstop.some(({ metadata }) => metadata.name === NAMESPACED_POLICIES)) return;
  if (await mayWritePolicies(client, posture.backstop?.policyAuthors)) return;
  await until(target, `the refusal of a namespaced Policy by ${NAMESPACED_POLICIES}`, async () => {
    const refusal = await offerPolicy(client);
    return refusal === undefined ? "the API server would admit it" : undefined;
  });
}

/** Whether the backstop would let those who ask write namespaced policies, so that they can't see it refuse one. */
async function mayWritePolicies(client: ClusterClient, authors?: Backstop["policyAuthors"]): Promise<boolean> {
  if (!authors || authors.groups.length + authors.users.length === 0) return false;
  const { username = "", groups = [] } = await client.whoAmI();
  return authors.users.includes(username) || groups.some((group) => authors.groups.includes(group));
}

/** The backstop's refusal of a policy that would do nothing; undefined where the API server would store it. */
async function offerPolicy(client: ClusterClient): Promise<string | undefined> {
  try {
    await client.create(POLICIES, { ...PROBE_POLICY, kind: POLICIES.kind }, { namespace: "default", dryRun: true });
    return undefined;
  } catch (error) {
    const words = wordsOf(error);
    if (words.includes(NAMESPACED_POLICIES)) return words;
    // Whom the cluster's own roles keep from writing them learns nothing about the backstop.
    if (missingRight(words)) return words;
    throw error;
  }
}

const BACKSTOP_KINDS = Object.fromEntries(
  [MUTATING_WEBHOOKS, ADMISSION_POLICIES, ADMISSION_BINDINGS].map((resource) => [resource.kind, resource]),
);

/** Kubernetes has these kinds from 1.30 on; the provider's own words for their absence name no way out. */
export async function assertServesBackstop(target: ClusterTarget): Promise<void> {
  const client = ClusterClient.of(target);
  const served = await client.findPath<{ resources?: readonly { name: string }[] }>(
    "/apis/admissionregistration.k8s.io/v1",
  );
  if (served?.resources?.some(({ name }) => name === ADMISSION_POLICIES.plural)) return;
  throw new Error(
    "the API server has no ValidatingAdmissionPolicy in admissionregistration.k8s.io/v1, which the backstop is made of (Kubernetes 1.30 and newer). Set backstop.enabled: false; docs/support-matrix.md says what no longer holds then",
  );
}

/** How policies of the newer kinds refuse. */
const REFUSED_BY_OWN_WEBHOOK = /admission webhook "[a-z]+pol\.[^"]*" denied the request: /;

/** Kyverno's words when it refuses the pod; undefined where the API server would create it. Another refusal is an error. */
async function offerPod(client: ClusterClient, namespace: string, image: string): Promise<string | undefined> {
  try {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { generateName: "image-signing-guard-canary-" },
      spec: { containers: [{ name: "canary", image }] },
    };
    await client.create(workloadKind("Pod"), pod, { namespace, dryRun: true });
    return undefined;
  } catch (error) {
    const words = wordsOf(error);
    // A webhook that can't be called refuses too, but then nothing has been judged.
    if (words.includes("was blocked due to the following policies") || REFUSED_BY_OWN_WEBHOOK.test(words)) return words;
    throw error;
  }
}

async function until(target: CanaryTarget, what: string, check: () => Promise<string | undefined>): Promise<void> {
  const deadline = Date.now() + target.timeoutSeconds * 1000;
  for (;;) {
    const missing = await check().catch(wordsOf);
    if (missing === undefined) return;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${target.timeoutSeconds} s: ${missing}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}
