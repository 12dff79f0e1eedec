import type { KubeConfig } from "@kubernetes/client-node";
import { SETTLE_SECONDS } from "../../components/backstop/readyPolicies";
import { compilePosture } from "../../components/compile";
import { collectionPath, type KubeObject } from "../../components/kubernetes/resources";
import { POLICY_KINDS, readySince } from "../../components/policies/kinds";
import { resolvePosture } from "../../components/resolve";
import { type ControlPlane, startControlPlane } from "../../local/controlPlane";
import { applyBackstop, forApiServer } from "../../local/demo/render";
import { localKyverno } from "../../local/demo/settings";
import { applyPolicies, installKyverno, type KyvernoNode, startKyvernoNode } from "../../local/kyverno";
import { kyvernoOfForm, rememberServices, trustOfForm } from "../../local/policyForm";
import { type RegistryProxy, startProxy } from "../../local/proxy";
import { request, requestObject } from "../../local/request";
import { type Cosign, createCosign, type SignOptions } from "../../local/signing";
import { createSigner, createSigstore, type Identity, type Sigstore } from "../../local/sigstore";
import { startSigstoreServices } from "../../local/sigstoreServices";
import { sleep, waitFor } from "../../local/waitFor";
import { type Body, deployment, imageVolume, pod, volumeDeployment } from "./objects";

export const repository = "ikey168/modulo-frontend";
export const image = `ghcr.io/${repository}`;
/** Judged by verify-image-signatures, which lets images without a signer pass. */
export const apps = "apps";
/** Judged by require-signed-images, which refuses images without a signer. */
export const production = "production";
export const oncallGroup = "platform-oncall";
/** May write namespaced policies. */
const authorGroup = "policy-authors";
export const maxHours = 4;

export interface Cluster {
  plane: ControlPlane;
  proxy: RegistryProxy;
  node: KyvernoNode;
  sigstore: Sigstore;
  cosign: Cosign;
  /** Cluster admin; not among those who may bypass. */
  admin: KubeConfig;
  /** May edit workloads. */
  developer: KubeConfig;
  /** Namespace admin, with every right on Kyverno's namespaced objects and on revisions. */
  owner: KubeConfig;
  /** An owner whom the backstop lets write namespaced policies. */
  author: KubeConfig;
  /** May bypass. */
  oncall: KubeConfig;
  /** May bypass, and has the owner's rights. */
  oncallOwner: KubeConfig;
  /** Digests of tags of the repository above. */
  digests: { signed: string; next: string; unsigned: string; moved: string };
}

/** One running cluster for all files of this folder. */
let running: Promise<Cluster> | undefined;
export const cluster = (): Promise<Cluster> => {
  running ??= startCluster();
  return running;
};

export async function stopCluster(): Promise<void> {
  const started = await running?.catch(() => undefined);
  running = undefined;
  await started?.plane.stop();
}

const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

/** The configuration of a stack, as a user writes it. */
export function guardConfig(
  { sigstore, node }: Pick<Cluster, "sigstore" | "node">,
  repositories: readonly string[],
): object {
  const { kyverno } = node;
  return {
    kyverno: { target: localKyverno(kyverno).target, ...kyvernoOfForm() },
    mode: "enforce",
    images: [
      {
        name: "modulo",
        repositories,
        signers: [{ github: { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" } }],
      },
    ],
    trust: {
      root: "custom",
      fulcioCertificates: sigstore.fulcioRoots,
      rekor: { url: "https://rekor.sigstore.dev", publicKey: sigstore.rekorPublicKey },
      ctLogPublicKey: sigstore.ctLogPublicKey,
      ...trustOfForm(sigstore),
    },
    bypass: { groups: [oncallGroup], maxHours },
    backstop: { policyAuthors: { groups: [authorGroup] } },
  };
}

export const moduloRepositories = ["ghcr.io/ikey168/modulo-*"];
export const hubRepositories = ["docker.io/library/modulo", "docker.io/acme/*"];

async function startCluster(): Promise<Cluster> {
  // Off by default on this API server; a cluster may have it on.
  const plane = await startControlPlane({ log, features: ["ImageVolume"] });
  try {
    return await fillCluster(plane);
  } catch (error) {
    // What was started would outlive the tests.
    await plane.stop();
    throw error;
  }
}

async function fillCluster(plane: ControlPlane): Promise<Cluster> {
  const proxy = await startProxy({ registry: plane.registry.host, workDir: plane.workDir });
  plane.onStop(() => proxy.stop());
  const sigstore = await createSigstore();
  const services = await startSigstoreServices(sigstore);
  plane.onStop(() => services.stop());
  rememberServices(sigstore, services);
  const cosign = await createCosign({ sigstore, workDir: plane.workDir, env: proxy.env, log });
  // Named, so that a pod with a network of its own reaches it.
  const processEnv = { ...proxy.env, UPDATE_REPOSITORY: services.url };
  const node = await startKyvernoNode(plane, { log, processEnv });
  const compiled = compilePosture(resolvePosture(guardConfig({ sigstore, node }, moduloRepositories)));
  await post(plane.client, "/api/v1/namespaces", compiled.namespace);
  if (compiled.trust) await post(plane.client, "/api/v1/namespaces/kyverno/configmaps", compiled.trust);
  await installKyverno(plane, node.kyverno, compiled.chartValues, {}, log);

  await giveRights(plane.client);
  for (const name of [apps, production]) await createNamespace(plane.client, name);
  const { registry } = plane;
  const digests = {
    signed: await registry.pushImage(repository, "1.0"),
    next: await registry.pushImage(repository, "2.0"),
    unsigned: await registry.pushImage(repository, "unsigned"),
    moved: await registry.pushImage(repository, "moved"),
  };
  const made: Cluster = {
    plane,
    proxy,
    node,
    sigstore,
    cosign,
    admin: plane.client,
    developer: await plane.asUser("dora", ["developers"]),
    owner: await plane.asUser("olga", ["owners"]),
    author: await plane.asUser("paula", ["owners", authorGroup]),
    oncall: await plane.asUser("otto", [oncallGroup]),
    oncallOwner: await plane.asUser("oona", [oncallGroup, "owners"]),
    digests,
  };
  for (const digest of [digests.signed, digests.next, digests.moved]) await sign(made, `${image}@${digest}`);
  await registry.retag(repository, "unsigned", "moved");
  await createOldObjects(made);
  await post(plane.client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", namesake);
  await enforce(made, moduloRepositories);
  console.log(`      Kyverno ${node.kyverno.version}, chart ${node.kyverno.chartVersion} (${node.kyverno.origin})`);
  return made;
}

export async function sign(
  { cosign, sigstore }: Pick<Cluster, "cosign" | "sigstore">,
  reference: string,
  identity: Partial<Identity> = {},
  options: SignOptions = {},
): Promise<void> {
  await cosign.sign(reference, await createSigner(sigstore, { repository: "Ikey168/Modulo", ...identity }), options);
}

/** Applies the stack's policies, guards first, and waits until they are felt. */
export async function enforce(
  { plane, developer, ...made }: Pick<Cluster, "plane" | "sigstore" | "developer" | "node">,
  repositories: readonly string[],
): Promise<void> {
  const settings = await forApiServer(plane, { ...guardConfig(made, repositories) });
  const { guards, judges, backstop } = compilePosture(resolvePosture(settings));
  await applyPolicies(plane, guards);
  await applyPolicies(plane, judges);
  await applyBackstop(plane, backstop);
  const never = `${repositories[0]?.replace("*", "canary")}@sha256:${"0".repeat(64)}`;
  const forged = annotations({ [verdictKey]: verdict(never) });
  await waitFor("the policies are felt", 60_000, async () => {
    const tries: [Body, RegExp][] = [
      [pod("canary", never), /verify-image-signatures/],
      [pod("canary", never, forged), /verify-image-signatures/],
      // What mutation refuses never gets to validation, so the bypass guard is asked with an image that passes.
      [pod("canary", "quay.io/other/app:1", annotations({ "policies.kyverno.io/skip": "x" })), /guard-image-bypass/],
    ];
    for (const [body, text] of tries) {
      const answer = await create(developer, apps, body, "?dryRun=All");
      if (!text.test(answer.message)) return false;
    }
    return true;
  });
  // One more beat: the webhook's rules and Kyverno's policy cache are not written at once.
  await sleep(2000);
  // Of 1.19: while a policy is young the backstop refuses everything, and no case would tell anything.
  await waitFor("no policy is so young that the backstop holds everything back", 60_000, async () => {
    const lists = await Promise.all(
      POLICY_KINDS.map(async (kind) => {
        const { status, body } = await request(plane.client, "GET", collectionPath(kind));
        return status === 404 ? [] : (JSON.parse(body) as { items: KubeObject[] }).items;
      }),
    );
    return lists.flat().every((policy) => Date.now() - readySince(policy) > (SETTLE_SECONDS + 2) * 1000);
  });
}

async function giveRights(admin: KubeConfig): Promise<void> {
  const role = (name: string, rules: object[]) =>
    post(admin, "/apis/rbac.authorization.k8s.io/v1/clusterroles", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules,
    });
  await role("debugger", [{ apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch", "update"] }]);
  await role("owner-extras", [
    { apiGroups: ["apps"], resources: ["controllerrevisions"], verbs: ["*"] },
    { apiGroups: ["apps"], resources: ["statefulsets/status", "daemonsets/status"], verbs: ["*"] },
    { apiGroups: [""], resources: ["pods/status", "podtemplates", "replicationcontrollers"], verbs: ["*"] },
    { apiGroups: ["kyverno.io"], resources: ["policyexceptions", "updaterequests"], verbs: ["*"] },
    // The chart of 1.10 lets every namespace's admin do this; that of 1.19 is told not to, and somebody may do it all the same.
    { apiGroups: ["kyverno.io"], resources: ["policies", "cleanuppolicies"], verbs: ["*"] },
    { apiGroups: ["policies.kyverno.io"], resources: ["*"], verbs: ["*"] },
  ]);
}

async function createNamespace(admin: KubeConfig, name: string): Promise<void> {
  await post(admin, "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  await bindRoles(admin, name);
  await waitFor(`namespace ${name} has its service account`, 20_000, async () => {
    const { status } = await request(admin, "GET", `/api/v1/namespaces/${name}/serviceaccounts/default`);
    return status === 200;
  });
}

async function bindRoles(admin: KubeConfig, namespace: string): Promise<void> {
  const bind = (role: string, kind: "User" | "Group", who: string) =>
    post(admin, `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: `${who}-${role}` },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind, name: who }],
    });
  for (const group of ["developers", oncallGroup]) {
    await bind("edit", "Group", group);
    await bind("debugger", "Group", group);
  }
  for (const role of ["admin", "debugger", "owner-extras"]) await bind(role, "Group", "owners");
}

export const verdictKey = "kyverno.io/verify-images";
export const verdict = (...references: string[]): string =>
  JSON.stringify(Object.fromEntries(references.map((reference) => [reference, true])));
export const annotations = (given: Record<string, string>): object => ({ annotations: given });

/** What ran before anybody enforced anything. */
async function createOldObjects({ admin, digests }: Cluster): Promise<void> {
  const unsigned = `${image}@${digests.unsigned}`;
  const old: Body[] = [
    pod("old-unsigned", `${image}:unsigned`),
    pod("old-mixed", `${image}:1.0`, annotations({ [verdictKey]: verdict(unsigned) })),
    pod("old-good", `${image}@${digests.signed}`),
    pod("old-denied", `${image}:unsigned`, annotations({ [verdictKey]: `{"${image}:unsigned":false}` })),
    pod("old-garbage", `${image}:unsigned`, annotations({ [verdictKey]: "no json" })),
    pod("old-list", `${image}:unsigned`, annotations({ [verdictKey]: "[1]" })),
    pod("old-finalizer", `${image}:unsigned`, { finalizers: ["example.com/kept"] }),
    pod("old-to-delete", `${image}:unsigned`),
    deployment("old-deployment", `${image}:unsigned`),
    deployment("old-listed", `${image}:1.0`, {}, annotations({ [verdictKey]: verdict(unsigned) })),
  ];
  for (const body of old) await post(admin, pathOf(apps, body), body);
  for (const name of ["old-volume", "old-volume-kept"]) {
    const meta = name.endsWith("kept") ? { finalizers: ["example.com/kept"] } : {};
    await post(
      admin,
      collection(production, "Pod"),
      pod(name, `${image}:1.0`, meta, imageVolume("quay.io/other/data:1")),
    );
  }
  await post(admin, collection(production, "Deployment"), volumeDeployment("old-volumes"));
  await post(admin, collection(production, "Pod"), pod("old-uncovered", "quay.io/other/app:1"));
}

/** A kind of another group that is called like one of Kubernetes', and whose template is no pod's. */
const namesake = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "deployments.rollouts.example.com" },
  spec: {
    group: "rollouts.example.com",
    scope: "Namespaced",
    names: { plural: "deployments", kind: "Deployment" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

async function post(client: KubeConfig, path: string, body: unknown): Promise<void> {
  await requestObject(client, "POST", path, body);
}

export interface Verdict {
  admitted: boolean;
  status: number;
  message: string;
  object: Record<string, unknown>;
}

/** Asks the API server and tells what it said. */
export async function ask(
  client: KubeConfig,
  method: string,
  path: string,
  body?: unknown,
  type?: string,
): Promise<Verdict> {
  const answer = await request(client, method, path, body, type);
  const object = parse(answer.body);
  const admitted = answer.status >= 200 && answer.status < 300;
  // Kyverno wraps its lines anywhere.
  const message = admitted ? "" : String(object.message ?? answer.body).replace(/\s+/g, " ");
  return { admitted, status: answer.status, message, object };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export const create = (client: KubeConfig, namespace: string, body: Body, query = ""): Promise<Verdict> =>
  ask(client, "POST", `${pathOf(namespace, body)}${query}`, body);

export const mergePatch = "application/merge-patch+json";
export const strategicPatch = "application/strategic-merge-patch+json";
export const jsonPatch = "application/json-patch+json";
export const applyPatch = "application/apply-patch+yaml";

export const patch = (
  client: KubeConfig,
  namespace: string,
  kind: string,
  name: string,
  body: unknown,
  type: string = mergePatch,
  query = "",
): Promise<Verdict> => ask(client, "PATCH", `${collection(namespace, kind)}/${name}${query}`, body, type);

export const remove = (client: KubeConfig, namespace: string, kind: string, name: string): Promise<Verdict> =>
  ask(client, "DELETE", `${collection(namespace, kind)}/${name}`, { gracePeriodSeconds: 0 });

export const read = async <T>(client: KubeConfig, namespace: string, kind: string, name: string): Promise<T> =>
  requestObject<T>(client, "GET", `${collection(namespace, kind)}/${name}`);

const groups: Record<string, string> = {
  Pod: "/api/v1",
  ReplicationController: "/api/v1",
  PodTemplate: "/api/v1",
  Job: "/apis/batch/v1",
  CronJob: "/apis/batch/v1",
  Policy: "/apis/kyverno.io/v1",
  PolicyException: "/apis/kyverno.io/v2alpha1",
};

export const collection = (namespace: string, kind: string): string => {
  const plural = kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  return `${groups[kind] ?? "/apis/apps/v1"}/namespaces/${namespace}/${plural.toLowerCase()}`;
};

const pathOf = (namespace: string, body: Body): string => collection(namespace, body.kind);
