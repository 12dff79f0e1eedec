import * as assert from "node:assert/strict";
import type { KubeConfig } from "@kubernetes/client-node";
import { serverVersion } from "../../local/controlPlane";
import { cases, deployment, namespaces, pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, expectedSigner, makeImages, otherWorkflow, publicName } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings, localTrust, type StackName } from "../../local/demo/settings";
import { collectionOf, type Outcome, removeAll, tryAll } from "../../local/demo/verdicts";
import { request } from "../../local/request";
import { createSigner, githubIssuer, type Identity, workflowSubject } from "../../local/sigstore";
import { waitFor } from "../../local/waitFor";
import { create, grant, listPolicies, log, patch, refusedWith, switchPolicies, withBuilds } from "./support";

const production: string = namespaces.production;
const application: string = namespaces.application;
const unsigned = /no (matching )?signatures/;

const annotated = (name: string, image: string, annotations: Record<string, string>) => {
  const object = pod(name, image);
  return { ...object, metadata: { ...object.metadata, annotations } };
};

describe("policies: the stacks of this project on a real Kyverno", function () {
  this.timeout(60_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let outcomes: Outcome[] = [];

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    console.log(`      Kyverno ${node.kyverno.version}, chart ${node.kyverno.chartVersion} (${node.kyverno.origin})`);
    console.log(`      API server ${await serverVersion(plane)}`);
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, Object.values(namespaces));
    // Older than the guard: nobody has verified these.
    for (const namespace of [application, production]) {
      await create(plane.client, namespace, deployment("old", images.unsigned));
    }
    for (const name of ["old-deleted", "old-labelled"]) await create(plane.client, production, pod(name, images.nginx));
    await create(plane.client, production, pod("old-unsigned", images.unsigned));
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** The advice is the message of a skipped rule, and only 1.10 lists those in a refusal. */
  const showsAdvice = () => cluster.node.kyverno.version.startsWith("1.10.");
  const advice = (says: RegExp) => (showsAdvice() ? [says] : []);

  /** Applies the stack and tries the demo's cases. */
  async function upAndJudge(stack: StackName): Promise<void> {
    await applyRendered(
      cluster.plane,
      cluster.node.kyverno,
      localSettings(stack, cluster.sigstore, cluster.node.kyverno),
    );
    outcomes = await tryAll(cluster.plane, cases, images, stack);
    await removeAll(cluster.plane, cases, stack);
  }

  /** A test for each case of the demo. */
  function demoCases(stack: StackName): void {
    for (const demoCase of cases) {
      const { verdict, policy, says } = demoCase.expected[stack];
      it(`${demoCase.title} in ${demoCase.namespace}: ${verdict}${policy ? ` (${policy})` : ""}`, () => {
        const found = outcomes.find((outcome) => outcome.demoCase === demoCase)!;
        assert.equal(found.verdict, verdict, found.full);
        if (says) assert.match(found.full, says);
        if (policy && verdict === "refused") assert.match(found.full, new RegExp(`^${policy}:$`, "m"));
        assert.ok(found.asExpected, `${found.short}\n${JSON.stringify(found.rows, null, 1)}`);
      });
    }
  }

  function everyPolicyStands() {
    it("every policy is Ready, and Kyverno makes no rule of its own for the pods of controllers", async () => {
      const policies = await listPolicies(cluster.plane);
      assert.ok(policies.length >= 3);
      for (const { metadata, spec, status } of policies) {
        const ready = status?.conditions?.find(({ type }) => type === "Ready");
        assert.equal(ready?.status, "True", `${metadata.name}: ${ready?.message}`);
        assert.ok(spec.rules.length > 0);
        assert.deepEqual(status?.autogen?.rules ?? [], [], metadata.name);
      }
    });
  }

  describe("dev: audit", () => {
    before(async function () {
      this.timeout(400_000);
      await upAndJudge("dev");
    });

    everyPolicyStands();
    demoCases("dev");

    it("reports say pass for what is signed, and name the rule", () => {
      const { rows } = outcomes.find(({ demoCase }) => demoCase.id === "signed")!;
      const row = rows.find(({ rule }) => rule === "signed-by-modulo");
      assert.equal(row?.result, "pass");
      assert.match(row.message, /verified/);
      assert.ok(rows.every(({ result }) => result === "pass" || result === "skip"));
    });

    it("nginx in production is also in the cluster-wide report of images without a signer", () => {
      const { rows } = outcomes.find(({ demoCase }) => demoCase.id === "nginx-production")!;
      const row = rows.find(({ policy }) => policy === "audit-unsigned-images");
      assert.equal(row?.result, "fail");
      assert.match(row.message, /^no signer is configured for docker\.io\/nginx:1\.27$/);
    });

    it("a tag is left as it was written", async () => {
      const stored = await create(cluster.plane.client, production, pod("tag", images.signed), "?dryRun=All");
      assert.equal(stored.spec.containers[0]?.image, images.signed);
    });
  });

  describe("prod: enforce", () => {
    let oncall: KubeConfig;
    let developer: KubeConfig;

    before(async function () {
      this.timeout(400_000);
      await upAndJudge("prod");
      for (const group of ["platform-oncall", "developers"]) await grant(cluster.plane, group, "admin");
      oncall = await cluster.plane.asUser("olga", ["platform-oncall"]);
      developer = await cluster.plane.asUser("dave", ["developers"]);
    });

    everyPolicyStands();
    demoCases("prod");

    const admin = () => cluster.plane.client;
    const pathOf = (kind: string, namespace: string, name: string) => `${collectionOf(kind, namespace)}/${name}`;

    it("Kyverno 1.10: a refusal names the expected signer and where to read on", async function () {
      if (!showsAdvice()) {
        this.skipReason = `needs Kyverno 1.10: ${cluster.node.kyverno.version} lists no skipped rules in a refusal`;
        this.skip();
      }
      await refusedWith(
        create(developer, production, pod("advice", images.unsigned)),
        /require-signed-images: signed-by-modulo: /,
        /images ghcr\.io\/ikey168\/modulo-\* must be signed by https:\/\/github\.com\/Ikey168\/Modulo\/\.github\/workflows\/docker-build\.yml@refs\/heads\/main/,
        /In an emergency: \S+/,
      );
    });

    it("the tag of a signed image is pinned to the digest that was verified", async () => {
      const stored = await create(admin(), production, pod("pinned", images.signed));
      assert.equal(stored.spec.containers[0]?.image, `${images.signed}@${images.signedByDigest.split("@")[1]}`);
    });

    for (const [title, registry] of [
      ["upper case", "GHCR.IO"],
      ["a default port", "ghcr.io:443"],
    ] as const) {
      it(`${title} in the registry's name does not get around verification`, async () => {
        const image = images.unsigned.replace("ghcr.io", registry);
        await refusedWith(
          create(developer, application, pod("spelling", image)),
          /verify-image-signatures: images-are-spelled-plainly: /,
          new RegExp(`${registry}/ikey168/modulo-backend:unsigned is another spelling of an image that must be signed`),
        );
      });
    }

    it("a verdict that the request brings along does not count", async () => {
      for (const image of [images.unsigned, images.unsignedByDigest]) {
        const verdicts = JSON.stringify({ [images.unsigned]: true, [images.unsignedByDigest]: true });
        await refusedWith(
          create(developer, production, annotated("forged", image, { "kyverno.io/verify-images": verdicts })),
          /require-signed-images: signed-by-modulo: failed to verify image/,
          unsigned,
        );
      }
    });

    describe("what is older than the guard", () => {
      const old = (namespace = application) => pathOf("Deployment", namespace, "old");

      for (const namespace of [application, production]) {
        it(`an unsigned Deployment in ${namespace} can be labelled, scaled and rolled out`, async () => {
          const labelled = await patch(developer, old(namespace), { metadata: { labels: { team: "shop" } } });
          assert.equal(labelled.metadata.labels?.team, "shop");
          const scaled = await patch(developer, `${old(namespace)}/scale`, { spec: { replicas: 2 } }, "merge");
          assert.equal(scaled.spec.replicas, 2);
          const restartedAt = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
          const rolled = await patch(developer, old(namespace), {
            spec: { template: { metadata: { annotations: restartedAt } } },
          });
          assert.equal(rolled.metadata.name, "old");
        });
      }

      it("its new pods are refused all the same, and the Deployment tells why", async () => {
        const text = await waitFor("a condition of the Deployment", 30_000, async () => {
          const { body } = await request(developer, "GET", old());
          const { status } = JSON.parse(body) as { status?: { conditions?: { message?: string }[] } };
          return status?.conditions?.find(({ message }) => message?.includes("verify-image-signatures"))?.message;
        });
        assert.match(text, /admission webhook ".*" denied the request/);
        assert.match(text, unsigned);
      });

      it("it takes no other unsigned image", async () => {
        const containers = [{ name: "app", image: images.otherWorkflow }];
        await refusedWith(
          patch(developer, old(), { spec: { template: { spec: { containers } } } }),
          /verify-image-signatures-templates: signed-by-modulo: /,
          /nightly\.yml@refs\/heads\/main/,
        );
      });

      it("it takes a signed image", async () => {
        const containers = [{ name: "app", image: images.signed }];
        const changed = await patch(developer, old(), { spec: { template: { spec: { containers } } } });
        const template = (changed.spec as unknown as { template: { spec: { containers: { image: string }[] } } })
          .template;
        assert.match(template.spec.containers[0]!.image, /@sha256:[0-9a-f]{64}$/);
      });

      it("a pod that would be refused now can be labelled, looked into with a signed image, and deleted", async () => {
        const path = pathOf("Pod", production, "old-unsigned");
        const labelled = await patch(developer, path, { metadata: { labels: { team: "shop" } } });
        assert.equal(labelled.metadata.labels?.team, "shop");
        const debug = (image: string) =>
          patch(cluster.plane.client, `${path}/ephemeralcontainers`, {
            spec: { ephemeralContainers: [{ name: "debug", image, targetContainerName: "app" }] },
          });
        await refusedWith(debug(images.unsigned), /require-signed-images-debug: signed-by-modulo: /, unsigned);
        const stored = await debug(images.signed);
        assert.equal(stored.spec.ephemeralContainers?.length, 1);
        assert.equal((await request(developer, "DELETE", path)).status, 200);
      });

      it("a pod whose image nobody signs can be labelled and deleted", async () => {
        const change = { metadata: { labels: { team: "shop" } } };
        const labelled = await patch(developer, pathOf("Pod", production, "old-labelled"), change);
        assert.equal(labelled.metadata.labels?.team, "shop");
        const { status, body } = await request(developer, "DELETE", pathOf("Pod", production, "old-deleted"));
        assert.equal(status, 200, body);
      });
    });

    describe("debug containers", () => {
      const debug = (name: string, image: string) =>
        patch(admin(), `${pathOf("Pod", production, name)}/ephemeralcontainers`, {
          spec: { ephemeralContainers: [{ name: "debug", image, targetContainerName: "app" }] },
        });

      before(async () => {
        for (const name of ["debugged", "debugged-too", "debugged-unsigned"]) {
          await create(admin(), production, pod(name, images.signed));
        }
      });

      it("the pod's own image is admitted", async () => {
        const stored = await debug("debugged", images.signed);
        assert.match(stored.spec.ephemeralContainers![0]!.image, /modulo-backend:1\.0\.0@sha256:[0-9a-f]{64}$/);
      });

      it("another signed image is admitted", async () => {
        const stored = await debug("debugged-too", images.debug);
        assert.match(stored.spec.ephemeralContainers![0]!.image, /modulo-debug:1\.0\.0(@sha256:[0-9a-f]{64})?$/);
      });

      it("an unsigned image is refused", async () => {
        await refusedWith(
          debug("debugged-unsigned", images.unsigned),
          /require-signed-images-debug: signed-by-modulo: /,
          unsigned,
        );
      });

      it("an image that nobody signs is refused", async () => {
        await refusedWith(
          debug("debugged-unsigned", images.nginx),
          /every-image-has-a-signer: no signer is configured/,
        );
      });
    });

    describe("bypass", () => {
      const inMinutes = (minutes: number) =>
        new Date(Date.now() + minutes * 60_000).toISOString().replace(/\.\d+Z/, "Z");
      const terms = (change: Record<string, string | undefined> = {}): Record<string, string> => {
        const all = {
          "policies.kyverno.io/skip": "require-signed-images",
          "policies.kyverno.io/skip-reason": "registry outage, ticket 4711",
          "policies.kyverno.io/skip-until": inMinutes(60),
          ...change,
        };
        return Object.fromEntries(
          Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
        );
      };
      const attempt = (who: KubeConfig, name: string, change?: Record<string, string | undefined>) =>
        create(who, production, annotated(name, images.unsigned, terms(change)));

      it("a member of platform-oncall gets an unsigned image in", async () => {
        const stored = await attempt(oncall, "bypass");
        assert.equal(stored.spec.containers[0]?.image, images.unsigned);
        assert.match(stored.metadata.annotations?.["policies.kyverno.io/skip-reason"] ?? "", /ticket 4711/);
      });

      it("nobody else does", async () => {
        await refusedWith(
          attempt(developer, "bypass-dave"),
          /guard-image-bypass: bypass-is-allowed: dave may not set policies\.kyverno\.io\/skip .*Ask group platform-oncall\./,
        );
      });

      for (const [title, change, says] of [
        [
          "without a reason",
          { "policies.kyverno.io/skip-reason": undefined },
          /bypass-is-allowed: a bypass needs policies\.kyverno\.io\/skip-reason/,
        ],
        [
          "for a day",
          { "policies.kyverno.io/skip-until": inMinutes(24 * 60) },
          /bypass-is-allowed: .* must lie ahead, at most 4 hours from now/,
        ],
      ] as const) {
        it(`a bypass ${title} is refused`, async () => {
          await refusedWith(attempt(oncall, "bypass-terms", change), /guard-image-bypass: /, says);
        });
      }

      // These do not run at all, so the image is verified, and only advice can tell why.
      for (const [title, until] of [
        ["without an end", undefined],
        ["whose end is no time", "tomorrow"],
        ["that has ended", inMinutes(-5)],
      ] as const) {
        it(`a bypass ${title} is refused`, async () => {
          await refusedWith(
            attempt(oncall, "bypass-until", { "policies.kyverno.io/skip-until": until }),
            /require-signed-images: or-bypassed-modulo: failed to verify image/,
            unsigned,
            ...advice(/bypass-ended: .*skip-until must be a time with zone that lies ahead, at most 4 hours from now/),
          );
        });
      }

      it("a bypass of another policy does not help", async () => {
        await refusedWith(
          attempt(oncall, "bypass-other", { "policies.kyverno.io/skip": "verify-image-signatures" }),
          /require-signed-images: or-bypassed-modulo: /,
          unsigned,
        );
      });
    });
  });

  describe("other signers: any of several, all of several, a key pair", () => {
    const signers = [expectedSigner, otherWorkflow] as const;
    const other: Identity = { repository: "mallory/Modulo" };
    const references = new Map<string, string>();
    const repositories = { any: "ikey168/any-app", all: "ikey168/all-app", key: "ikey168/key-app" } as const;

    before(async function () {
      this.timeout(180_000);
      const { plane, cosign, sigstore, node } = cluster;
      const push = async (repository: string, tag: string, identities: readonly Identity[]) => {
        const digest = await plane.registry.pushImage(repository, tag);
        const image = `${publicName(repository)}@${digest}`;
        for (const identity of identities) await cosign.sign(image, await createSigner(sigstore, identity));
        references.set(`${repository}:${tag}`, `${publicName(repository)}:${tag}`);
        return image;
      };
      for (const repository of [repositories.any, repositories.all]) {
        await push(repository, "first", [signers[0]]);
        await push(repository, "second", [signers[1]]);
        await push(repository, "both", signers);
        await push(repository, "neither", [other]);
      }
      const key = await cosign.createKey("team");
      const foreign = await cosign.createKey("foreign");
      await cosign.signWithKey(await push(repositories.key, "signed", []), key);
      await cosign.signWithKey(await push(repositories.key, "foreign", []), foreign);
      await push(repositories.key, "unsigned", []);

      const keyless = signers.map((identity) => ({
        keyless: { issuer: githubIssuer, subject: workflowSubject(identity) },
      }));
      const { kyverno } = localSettings("prod", sigstore, node.kyverno);
      await switchPolicies(plane, {
        mode: "enforce",
        images: [
          { name: "any", repositories: [publicName("ikey168/any-*")], signers: keyless },
          { name: "all", repositories: [publicName("ikey168/all-*")], signers: keyless, threshold: 2 },
          {
            name: "key",
            repositories: [publicName("ikey168/key-*")],
            signers: [{ key: { publicKey: key.publicKey } }],
          },
        ],
        trust: localTrust(sigstore),
        kyverno,
      });
    });

    const attempt = (repository: string, tag: string) =>
      create(cluster.plane.client, application, pod(`app-${tag}`, `${publicName(repository)}:${tag}`), "?dryRun=All");
    const isAdmitted = async (repository: string, tag: string) => {
      const stored = await attempt(repository, tag);
      assert.match(stored.spec.containers[0]!.image, new RegExp(`:${tag}@sha256:[0-9a-f]{64}$`));
    };

    it("one of two: either signature is enough", async () => {
      for (const tag of ["first", "second", "both"]) await isAdmitted(repositories.any, tag);
    });

    it("one of two: a third signer is none of them", async () => {
      await refusedWith(
        attempt(repositories.any, "neither"),
        /signed-by-any: /,
        /mallory\/Modulo/,
        ...advice(/must be signed by one of /),
      );
    });

    it("two of two: both must have signed", async () => {
      await isAdmitted(repositories.all, "both");
      for (const tag of ["first", "second"]) {
        await refusedWith(attempt(repositories.all, tag), /signed-by-all: /, ...advice(/must be signed by 2 of /));
      }
    });

    it("a key pair: its signature is admitted, another key's and none are refused", async () => {
      await isAdmitted(repositories.key, "signed");
      await refusedWith(
        attempt(repositories.key, "foreign"),
        /signed-by-key: /,
        ...advice(/must be signed by the key sha256:/),
      );
      await refusedWith(attempt(repositories.key, "unsigned"), /signed-by-key: /, unsigned);
    });
  });

  describe("suspend", () => {
    it("a suspended policy is gone, and what it refused is admitted until it is back", async function () {
      this.timeout(120_000);
      const { plane, sigstore, node } = cluster;
      const settings = localSettings("prod", sigstore, node.kyverno);
      const attempt = () => create(plane.client, application, pod("suspended", images.unsigned), "?dryRun=All");
      await switchPolicies(plane, settings);
      await refusedWith(attempt(), /verify-image-signatures: signed-by-modulo: /, unsigned);

      const until = new Date(Date.now() + 3_600_000).toISOString();
      const suspend = [{ policy: "verify-image-signatures", reason: "registry outage, ticket 4711", until }];
      await switchPolicies(plane, { ...settings, suspend });
      const names = (await listPolicies(plane)).map(({ metadata }) => metadata.name);
      assert.ok(!names.some((name) => name.startsWith("verify-image-signatures")), names.join(", "));
      const stored = await waitFor("the unsigned image is admitted", 30_000, attempt);
      assert.equal(stored.spec.containers[0]?.image, images.unsigned);
      await refusedWith(
        create(plane.client, production, pod("suspended", images.unsigned), "?dryRun=All"),
        /require-signed-images: /,
      );

      await switchPolicies(plane, settings);
      await refusedWith(attempt(), /verify-image-signatures: signed-by-modulo: /, unsigned);
    });
  });
});
