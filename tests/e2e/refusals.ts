import type { KubeConfig } from "@kubernetes/client-node";
import { deployment, namespaces, pod } from "../../local/demo/cases";
import type { DemoCluster } from "../../local/demo/cluster";
import { type DemoImages, publicName } from "../../local/demo/images";
import { applyBackstop } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { applyPolicies, removePolicy } from "../../local/kyverno";
import { request, requestObject } from "../../local/request";
import { createSigner, type Identity } from "../../local/sigstore";
import { waitFor } from "../../local/waitFor";
import { create, grant, killKyverno, listPolicies, patch, refusal, switchPolicies } from "./support";

const { production } = namespaces;
const BACKEND = "ikey168/modulo-backend";
const DEPLOYMENT = "/apis/apps/v1/namespaces/kyverno/deployments/kyverno-admission-controller";
const MUTATING =
  "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/kyverno-resource-mutating-webhook-cfg";

/** A way to be refused: what it is called, what `doctor explain` must find in it, and how it comes about. */
export interface Situation {
  readonly name: string;
  /** Ids of cli/refusals/refusals.json. */
  readonly means: readonly string[];
  readonly provoke: (world: World) => Promise<string>;
}

export interface World {
  readonly cluster: DemoCluster;
  readonly images: DemoImages;
  readonly developer: KubeConfig;
  readonly oncall: KubeConfig;
}

let count = 0;
const annotated = (image: string, annotations: Record<string, string>) => {
  const object = pod(`refused-${count++}`, image);
  return { ...object, metadata: { ...object.metadata, annotations } };
};
const offer = ({ cluster, developer }: World, image: string, who: KubeConfig = developer, annotations = {}) => {
  void cluster;
  return refusal(create(who, production, annotated(image, annotations), "?dryRun=All"));
};

const faulty =
  (fault: Parameters<DemoCluster["proxy"]["setFault"]>[1]) =>
  async (world: World): Promise<string> => {
    world.cluster.proxy.setFault(BACKEND, fault);
    try {
      return await offer(world, world.images.signed);
    } finally {
      world.cluster.proxy.clearFaults();
    }
  };

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().replace(/\.\d+Z/, "Z");
const bypassing = (change: Record<string, string> = {}) => ({
  "policies.kyverno.io/skip": "require-signed-images",
  "policies.kyverno.io/skip-reason": "registry outage, ticket 4711",
  "policies.kyverno.io/skip-until": inMinutes(60),
  ...change,
});

/** Refusals of the prod stack as it is. */
export const situations: readonly Situation[] = [
  { name: "unsigned", means: ["no-matching-signatures"], provoke: (world) => offer(world, world.images.unsigned) },
  {
    name: "unsigned-deployment",
    means: ["no-matching-signatures"],
    provoke: ({ developer, images }) =>
      refusal(create(developer, production, deployment(`refused-${count++}`, images.unsigned))),
  },
  { name: "wrong-workflow", means: ["subject-mismatch"], provoke: (world) => offer(world, world.images.otherWorkflow) },
  {
    name: "wrong-repository",
    means: ["subject-mismatch"],
    provoke: (world) => offer(world, world.images.otherRepository),
  },
  {
    name: "unknown-tag",
    means: ["not-found"],
    provoke: (world) => offer(world, `${publicName(BACKEND)}:never-pushed`),
  },
  { name: "registry-500", means: ["registry-error"], provoke: faulty({ kind: "status", status: 500 }) },
  { name: "registry-401", means: ["unauthorized"], provoke: faulty({ kind: "status", status: 401 }) },
  { name: "registry-403", means: ["forbidden"], provoke: faulty({ kind: "status", status: 403 }) },
  { name: "registry-404", means: ["not-found"], provoke: faulty({ kind: "status", status: 404 }) },
  { name: "registry-429", means: ["rate-limited"], provoke: faulty({ kind: "status", status: 429 }) },
  { name: "registry-reset", means: ["unreachable"], provoke: faulty({ kind: "reset" }) },
  { name: "registry-malformed", means: ["malformed"], provoke: faulty({ kind: "malformed" }) },
  { name: "registry-slow", means: ["webhook-timeout"], provoke: faulty({ kind: "delay", ms: 40_000 }) },
  {
    name: "other-certificate-authority",
    means: ["untrusted-certificate"],
    provoke: async (world) => {
      const { createSigstore } = await import("../../local/sigstore");
      const { createCosign } = await import("../../local/signing");
      const { plane, proxy } = world.cluster;
      const sigstore = await createSigstore();
      const { mkdtempSync } = await import("node:fs");
      const workDir = mkdtempSync(`${plane.workDir}/other-`);
      const cosign = await createCosign({ sigstore, workDir, env: proxy.env, log: () => {} });
      return offer(world, await signedBy(world, "other-ca", { repository: "Ikey168/Modulo" }, { sigstore, cosign }));
    },
  },
  { name: "not-covered", means: ["not-covered"], provoke: (world) => offer(world, world.images.nginx) },
  {
    name: "other-spelling",
    means: ["not-covered"],
    provoke: (world) => offer(world, `GHCR.IO/${BACKEND}:unsigned`),
  },
  {
    name: "bypass-by-whom",
    means: ["bypass-by-whom"],
    provoke: (world) => offer(world, world.images.unsigned, world.developer, bypassing()),
  },
  {
    name: "bypass-without-reason",
    means: ["bypass-terms"],
    provoke: (world) =>
      offer(world, world.images.unsigned, world.oncall, bypassing({ "policies.kyverno.io/skip-reason": "" })),
  },
  {
    name: "bypass-too-long",
    means: ["bypass-terms"],
    provoke: (world) =>
      offer(
        world,
        world.images.unsigned,
        world.oncall,
        bypassing({ "policies.kyverno.io/skip-until": inMinutes(24 * 60) }),
      ),
  },
  {
    name: "bypass-ended",
    means: ["no-matching-signatures", "bypass-ended"],
    provoke: (world) =>
      offer(world, world.images.unsigned, world.oncall, bypassing({ "policies.kyverno.io/skip-until": inMinutes(-5) })),
  },
];

async function signedBy(
  { cluster }: World,
  tag: string,
  identity: Identity,
  { sigstore, cosign }: Pick<DemoCluster, "sigstore" | "cosign"> = cluster,
): Promise<string> {
  const digest = await cluster.plane.registry.pushImage(BACKEND, tag);
  await cosign.sign(`${publicName(BACKEND)}@${digest}`, await createSigner(sigstore, identity));
  return `${publicName(BACKEND)}:${tag}`;
}

const MODULO = { name: "modulo", repositories: ["ghcr.io/ikey168/modulo-*"] };
const GITHUB = { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" };

/** Settings of prod with other images or signers. */
const changed = ({ cluster }: World, change: Record<string, unknown>) => {
  const { sigstore, node } = cluster;
  return { ...localSettings("prod", sigstore, node.kyverno), ...change };
};

/** A policy as somebody writes by hand, with the defaults that the guard avoids. */
const handWritten = ({ cluster }: World, verification: object, spec: object = {}) => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name: "hand-written" },
  spec: {
    validationFailureAction: "Enforce",
    background: false,
    failurePolicy: "Fail",
    webhookTimeoutSeconds: 30,
    rules: [
      {
        name: "signed",
        match: { any: [{ resources: { kinds: ["Pod"] } }] },
        verifyImages: [
          {
            imageReferences: ["ghcr.io/ikey168/modulo-*"],
            attestors: [
              {
                entries: [
                  {
                    keyless: {
                      issuer: "https://token.actions.githubusercontent.com",
                      subject: "https://github.com/Ikey168/Modulo/*",
                      roots: cluster.sigstore.fulcioRoots,
                      rekor: { url: "https://rekor.sigstore.dev" },
                    },
                  },
                ],
              },
            ],
            ...verification,
          },
        ],
      },
    ],
    ...spec,
  },
});

async function onlyHandWritten(world: World, verification: object): Promise<void> {
  const { plane } = world.cluster;
  await applyBackstop(plane, []);
  for (const { metadata } of await listPolicies(plane)) await removePolicy(plane, metadata.name);
  await applyPolicies(plane, [handWritten(world, verification)]);
  await waitFor("the hand-written policy judges", 60_000, async () =>
    /hand-written/.test(await offer(world, world.images.otherRepository)),
  );
  // The API server acts on what was deleted seconds later; this image is none that the policy looks at.
  await waitFor("the API server has forgotten the backstop", 60_000, async () => {
    await create(plane.client, production, pod(`forgotten-${count++}`, world.images.nginx), "?dryRun=All");
    return true;
  });
}

/** Refusals that need other policies; each leaves its own behind, the last ones a broken Kyverno. */
export const disturbances: readonly Situation[] = [
  {
    name: "wrong-claim",
    means: ["extension-mismatch"],
    provoke: async (world) => {
      const issuer = "https://token.actions.githubusercontent.com";
      const subject = "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main";
      const signers = [{ keyless: { issuer, subject, claims: { githubWorkflowTrigger: "release" } } }];
      await switchPolicies(world.cluster.plane, changed(world, { images: [{ ...MODULO, signers }] }));
      return offer(world, world.images.signed);
    },
  },
  {
    name: "wrong-issuer",
    means: ["issuer-mismatch"],
    provoke: async (world) => {
      const subject = "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main";
      const signers = [{ keyless: { issuer: "https://accounts.example.com", subject } }];
      await switchPolicies(world.cluster.plane, changed(world, { images: [{ ...MODULO, signers }] }));
      return offer(world, world.images.signed);
    },
  },
  {
    name: "wrong-key",
    means: ["invalid-signature"],
    provoke: async (world) => {
      const { cosign, plane } = world.cluster;
      const [key, other] = [await cosign.createKey("explain"), await cosign.createKey("explain-other")];
      const digest = await plane.registry.pushImage(BACKEND, "other-key");
      await cosign.signWithKey(`${publicName(BACKEND)}@${digest}`, other);
      const signers = [{ key: { publicKey: key.publicKey } }];
      await switchPolicies(plane, changed(world, { images: [{ ...MODULO, signers }] }));
      return offer(world, `${publicName(BACKEND)}:other-key`);
    },
  },
  {
    name: "no-attestation",
    means: ["no-matching-attestations"],
    provoke: async (world) => {
      const attestations = [{ predicateType: "https://slsa.dev/provenance/v0.2", signers: [{ github: GITHUB }] }];
      const images = [{ ...MODULO, signers: [{ github: GITHUB }], attestations }];
      await switchPolicies(world.cluster.plane, changed(world, { images }));
      return offer(world, world.images.signed);
    },
  },
  {
    name: "registry-down",
    means: ["unreachable"],
    provoke: async (world) => {
      // Nobody listens on port 1.
      const images = [{ name: "here", repositories: ["127.0.0.1:1/app"], signers: [{ github: GITHUB }] }];
      const { plane } = world.cluster;
      const settings = changed(world, { images });
      const { policiesOf } = await import("../../local/demo/render");
      await applyPolicies(plane, policiesOf(settings));
      return waitFor("the new policy judges", 60_000, async () => {
        const text = await offer(world, "127.0.0.1:1/app:1.0");
        return /signed-by-here/.test(text) && text;
      });
    },
  },
  {
    name: "missing-digest",
    means: ["missing-digest"],
    provoke: async (world) => {
      await onlyHandWritten(world, { mutateDigest: false, verifyDigest: true, required: true });
      return offer(world, world.images.signed);
    },
  },
  {
    name: "annotation-changed",
    means: ["annotation-changed"],
    provoke: async (world) => {
      await onlyHandWritten(world, { mutateDigest: false, verifyDigest: false, required: true });
      const name = `refused-${count++}`;
      const object = deployment(name, world.images.signed);
      await create(world.developer, production, object);
      const path = `/apis/apps/v1/namespaces/${production}/deployments/${name}`;
      const change = { metadata: { annotations: { "kyverno.io/verify-images": null } } };
      return refusal(patch(world.developer, path, change, "merge"));
    },
  },
  {
    name: "mutate-digest-in-audit",
    means: ["policy-mutates-in-audit"],
    provoke: ({ cluster, ...world }) =>
      refusal(
        requestObject(cluster.plane.client, "POST", "/apis/kyverno.io/v1/clusterpolicies?dryRun=All", {
          ...handWritten({ cluster, ...world }, {}, { validationFailureAction: "Audit" }),
          metadata: { name: "hand-written-too" },
        }),
      ),
  },
  {
    name: "wrong-ca-bundle",
    means: ["webhook-certificate"],
    provoke: async (world) => {
      const { plane } = world.cluster;
      const caBundle = Buffer.from(plane.ca).toString("base64");
      return waitFor("the API server trusts another CA", 30_000, async () => {
        const { webhooks } = await requestObject<{ webhooks: { clientConfig: object }[] }>(
          plane.client,
          "GET",
          MUTATING,
        );
        const wrong = webhooks.map((hook) => ({ ...hook, clientConfig: { ...hook.clientConfig, caBundle } }));
        await request(plane.client, "PATCH", MUTATING, { webhooks: wrong }, "application/merge-patch+json");
        const text = await offer(world, world.images.signed).catch(() => "");
        return /x509/.test(text) && text;
      });
    },
  },
  {
    name: "trust-files-missing",
    means: ["trust-files-missing"],
    provoke: async (world) => {
      // Without the files Kyverno looks for its own root of trust, which nobody serves here.
      const { spec } = await requestObject<{
        spec: { template: { spec: { containers: { env: { name: string }[] }[] } } };
      }>(world.cluster.plane.client, "GET", DEPLOYMENT);
      const env = spec.template.spec.containers[0]!.env.filter(({ name }) => !name.startsWith("SIGSTORE_"));
      const without = [{ op: "replace", path: "/spec/template/spec/containers/0/env", value: env }];
      await requestObject(world.cluster.plane.client, "PATCH", DEPLOYMENT, without, "application/json-patch+json");
      return waitFor("Kyverno runs without its trust files", 100_000, async () => {
        const text = await offer(world, world.images.signed).catch(() => "");
        return /TUF|tuf/.test(text) && text;
      });
    },
  },
  {
    name: "kyverno-down",
    means: ["webhook-unreachable"],
    provoke: async (world) => {
      killKyverno(world.cluster.node);
      return offer(world, world.images.signed);
    },
  },
];

/** What the situations need of a cluster with the prod stack. */
export async function makeWorld(cluster: DemoCluster, images: DemoImages): Promise<World> {
  for (const group of ["platform-oncall", "developers"]) await grant(cluster.plane, group, "admin");
  return {
    cluster,
    images,
    developer: await cluster.plane.asUser("dave", ["developers"]),
    oncall: await cluster.plane.asUser("olga", ["platform-oncall"]),
  };
}
