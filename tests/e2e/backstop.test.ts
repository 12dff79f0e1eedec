import * as assert from "node:assert/strict";
import type { KubeConfig } from "@kubernetes/client-node";
import { lockOutState, removeWebhooks } from "../../cli/recover/run";
import { HEALTH_LEASE, HEARTBEAT } from "../../components/backstop/webhooks";
import type { Json } from "../../components/kubernetes/manifest";
import { deployment, pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyBackstop, applyRendered, backstopOf } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { isCelForm } from "../../local/policyForm";
import { request, requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { create, grant, log, patch, refusal, registerWebhooks, webhookConfiguration, withBuilds } from "./support";

const DRY_RUN = "?dryRun=All";
const KINDS = ["mutating", "validating"] as const;
const LIMIT = 50;
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kyverno/leases";

/** Ways to keep Kyverno from being asked, each as a change of a registered webhook. */
const NARROWED: Record<string, (hook: Json) => Json> = {
  "lets through what it can't ask about": () => ({ failurePolicy: "Ignore" }),
  "is not called on creation": ({ rules }) => ({
    rules: (rules as Json[]).map((rule) => ({ ...rule, operations: ["DELETE"] })),
  }),
  "is not called for pods": ({ rules }) => ({
    rules: (rules as Json[]).map((rule) => ({ ...rule, resources: ["configmaps"] })),
  }),
  "is called for another group's pods": ({ rules }) => ({
    rules: (rules as Json[]).map((rule) => ({ ...rule, apiGroups: ["example.com"] })),
  }),
  "leaves out a namespace": () => ({
    namespaceSelector: {
      matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["production"] }],
    },
  }),
  "asks for a label of the namespace": () => ({ namespaceSelector: { matchLabels: { guarded: "yes" } } }),
  "asks for a label of the pod": () => ({ objectSelector: { matchLabels: { guarded: "yes" } } }),
  "asks for no label of the pod": () => ({
    objectSelector: { matchExpressions: [{ key: "app", operator: "Exists" }] },
  }),
  "has a condition": () => ({ matchConditions: [{ name: "never", expression: "false" }] }),
};

describe("backstop: what the API server refuses by itself", function () {
  this.timeout(180_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let settings: Record<string, unknown>;
  let admin: KubeConfig;
  let owner: KubeConfig;
  let author: KubeConfig;
  let count = 0;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    admin = plane.client;
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop", "dev", "dev-anna"]);
    settings = {
      ...localSettings("prod", sigstore, node.kyverno),
      backstop: { policyAuthors: { groups: ["platform"] } },
    };
    await applyRendered(plane, node.kyverno, settings);
    owner = await plane.asUser("olga", ["owners"]);
    author = await plane.asUser("paula", ["platform"]);
    for (const group of ["owners", "platform"]) await grant(plane, group, "admin");
    // The chart of 1.10 does this whatever it is told, that of 1.19 is told not to; somebody else may.
    await requestObject(plane.client, "POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "policies-of-admins", labels: { "rbac.authorization.k8s.io/aggregate-to-admin": "true" } },
      rules: [{ apiGroups: ["kyverno.io"], resources: ["policies"], verbs: ["*"] }],
    });
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const offer = (namespace: string, image: string) =>
    create(admin, namespace, pod(`offered-${count++}`, image), DRY_RUN);
  const read = (kind: (typeof KINDS)[number]) =>
    requestObject<{ webhooks?: Json[] }>(admin, "GET", webhookConfiguration(kind)).then(
      ({ webhooks = [] }) => webhooks,
    );
  const scale = (replicas: number) =>
    patch(admin, "/apis/apps/v1/namespaces/kyverno/deployments/kyverno-admission-controller", { spec: { replicas } });
  const running = () => cluster.node.processes().some(({ binary }) => binary === "kyverno");
  const judges = () =>
    waitFor("Kyverno judges", 120_000, async () => {
      await offer("production", images.signed);
      return /blocked due to|no signature that counts/.test(await refusal(offer("production", images.unsigned)));
    });
  /** Refused by the backstop and nobody else. */
  const held = async (attempt: Promise<unknown>, kind: string) => {
    const text = await refusal(attempt);
    assert.match(text, new RegExp(`ValidatingAdmissionPolicy 'image-signing-guard-${kind}-webhook'`));
    return text;
  };

  it("is silent while Kyverno is well", async () => {
    await judges();
    await offer("shop", images.nginx);
    await offer("dev-anna", images.unsigned);
  });

  it("lets nothing in while the policy that judges is said not to be ready", async () => {
    const [kind, type] = isCelForm
      ? ["policies.kyverno.io/v1/imagevalidatingpolicies", "WebhookConfigured"]
      : ["kyverno.io/v1/clusterpolicies", "Ready"];
    const status = `/apis/${kind}/require-signed-images/status`;
    const unready = { type, status: "False", reason: "Failed", message: "Not Ready" };
    let ended = false;
    // Kyverno writes it anew each time, as it does after its webhooks were withdrawn.
    const spoiling = (async () => {
      for (; !ended; await sleep(50)) {
        const condition = { ...unready, lastTransitionTime: new Date().toISOString().replace(/\.\d+/, "") };
        const said = { ready: false, conditions: [condition] };
        await patch(admin, status, { status: isCelForm ? { conditionStatus: said } : said }, "merge");
      }
    })();
    // The API server and Kyverno hear of the first writing within milliseconds of each other, in either order.
    await sleep(2000);
    const until = performance.now() + 8000;
    let [offered, admitted] = [0, 0];
    for (; performance.now() < until; offered++) {
      const path = `/api/v1/namespaces/production/pods${DRY_RUN}`;
      const answer = await request(admin, "POST", path, pod(`offered-${count++}`, images.unsigned));
      if (answer.status < 300) admitted++;
    }
    ended = true;
    await spoiling;
    assert.equal(admitted, 0, `${admitted} of ${offered} got in`);
    await judges();
  });

  it("lets nothing in once Kyverno has taken its lease away, as it does before its webhooks", async function () {
    if (!isCelForm) {
      this.skipReason = "needs the newer form: ClusterPolicies judge before the API server looks at the webhooks";
      return this.skip();
    }
    await requestObject(admin, "DELETE", `${LEASES}/${HEALTH_LEASE}`);
    await waitFor(
      "the backstop refuses for want of the lease",
      9000,
      async () => (await refusal(offer("production", images.signed))).includes(`'${HEARTBEAT}'`),
      50,
    );
    await judges();
  });

  const policy = (name: string, more: object = {}) => ({
    apiVersion: "kyverno.io/v1",
    kind: "Policy",
    metadata: { name, ...more },
    spec: {
      validationFailureAction: "Enforce",
      background: false,
      rules: [
        {
          name: "reads-secrets",
          match: { any: [{ resources: { kinds: ["ConfigMap"] } }] },
          context: [{ name: "all", apiCall: { urlPath: "/api/v1/namespaces/kube-system/secrets" } }],
          validate: { message: "x", deny: { conditions: { any: [{ key: "a", operator: "Equals", value: "b" }] } } },
        },
      ],
    },
  });
  const policies = (namespace: string, version = "v1") =>
    `/apis/kyverno.io/${version}/namespaces/${namespace}/policies`;
  const writePolicy = (client: KubeConfig, namespace: string, body: { metadata: { name: string } }, version = "v1") =>
    requestObject(client, "POST", policies(namespace, version), { ...body, apiVersion: `kyverno.io/${version}` });

  const nobodyWritesPolicies = async () => {
    for (const namespace of ["production", "dev-anna"])
      for (const version of ["v1", "v2beta1"])
        for (const client of [owner, admin])
          assert.match(
            await refusal(writePolicy(client, namespace, policy("spy"), version)),
            /only group platform may write/,
          );
  };

  it("lets nobody but the platform write namespaced policies, and lets everybody delete them", async () => {
    await nobodyWritesPolicies();
    await writePolicy(author, "dev-anna", policy("kept", { finalizers: ["example.com/kept"] }));
    const kept = `${policies("dev-anna")}/kept`;
    assert.match(await refusal(patch(owner, kept, { spec: { background: true } }, "merge")), /only group platform/);
    assert.match(await refusal(patch(owner, kept, { metadata: { annotations: { a: "b" } } }, "merge")), /platform/);
    await requestObject(owner, "DELETE", kept);
    await patch(owner, kept, { metadata: { finalizers: null } }, "merge");
    await waitFor("the policy is gone", 20_000, async () => {
      const { items } = await requestObject<{ items: unknown[] }>(owner, "GET", policies("dev-anna"));
      return items.length === 0;
    });
  });

  const large = (containers: number) => {
    const made = pod(`large-${count++}`, images.signed);
    const container = (index: number) => ({ name: `c${index}`, image: images.signed });
    return { ...made, spec: { containers: Array.from({ length: containers }, (_, index) => container(index)) } };
  };
  const workload = (containers: number) => {
    const made = deployment(`large-${count++}`, images.signed);
    return { ...made, spec: { ...made.spec, template: { ...made.spec.template, spec: large(containers).spec } } };
  };
  const tooLarge = new RegExp(`at-most-${LIMIT}-containers`);

  it("refuses pods and templates with too many containers, in audited namespaces too", async () => {
    for (const namespace of ["production", "dev-anna"]) {
      assert.match(await refusal(create(admin, namespace, large(LIMIT + 1), DRY_RUN)), tooLarge);
      assert.match(await refusal(create(admin, namespace, workload(LIMIT + 1), DRY_RUN)), tooLarge);
    }
    await create(admin, "dev-anna", large(LIMIT), DRY_RUN);
    await create(admin, "dev-anna", workload(LIMIT), DRY_RUN);
    await create(admin, "kube-system", large(LIMIT + 1), DRY_RUN);
  });

  describe("while Kyverno is away", () => {
    const registered: Record<string, Json[]> = {};
    before(async () => {
      for (const name of ["kept", "old"]) await create(admin, "production", pod(name, images.signed));
      for (const kind of KINDS) registered[kind] = await read(kind);
      await scale(0);
      await waitFor("Kyverno has stopped", 60_000, async () => !running());
      await waitFor("Kyverno has deleted its webhooks", 30_000, async () => {
        const found = await Promise.all(KINDS.map((kind) => request(admin, "GET", webhookConfiguration(kind))));
        return found.every(({ status }) => status === 404);
      });
      // It went with them; with it, the webhooks alone are what is looked at.
      if (isCelForm)
        await requestObject(admin, "POST", LEASES, {
          apiVersion: "coordination.k8s.io/v1",
          kind: "Lease",
          metadata: { name: HEALTH_LEASE },
        });
    });
    const hooks = (kind: string) =>
      registered[kind]!.map((hook) => ({ ...hook, clientConfig: { ...(hook.clientConfig as Json) } }));

    it("refuses without the configurations, where a selector can tell; other updates and deletions go on", async () => {
      const text = await held(offer("production", images.unsigned), "(mutating|validating)");
      assert.match(text, /run-image-signing-guard-doctor/);
      for (const namespace of ["dev", "kube-system", "kyverno"]) await offer(namespace, images.unsigned);
      // The API server knows wildcards in conditions only, and asks those later.
      await held(offer("dev-anna", images.unsigned), "(mutating|validating)");
      const kept = "/api/v1/namespaces/production/pods/kept";
      await patch(admin, kept, { metadata: { labels: { still: "changed" } } });
      await requestObject(admin, "DELETE", kept.replace(/kept$/, "old"), { gracePeriodSeconds: 0 });
    });

    it("refuses large pods before Kyverno would hear of them", async () => {
      for (const kind of KINDS) await registerWebhooks(admin, kind, hooks(kind));
      assert.match(await refusal(create(admin, "shop", large(LIMIT + 1), DRY_RUN)), tooLarge);
      assert.match(
        await refusal(create(admin, "shop", large(LIMIT), DRY_RUN)),
        /(?:mutate|mpol\.validate)\.kyverno\.svc-fail/,
      );
    });

    it("refuses what would start in enforced namespaces once the webhooks are empty, and nothing else", async () => {
      for (const kind of KINDS) await registerWebhooks(admin, kind, []);
      for (const namespace of ["production", "shop"]) {
        const text = await held(offer(namespace, images.unsigned), "(mutating|validating)");
        assert.match(text, /image-signing-guard doctor.*kubectl -n kyverno rollout restart/);
      }
      for (const namespace of ["dev", "dev-anna", "kube-system", "kyverno"]) await offer(namespace, images.unsigned);
      const kept = "/api/v1/namespaces/production/pods/kept";
      await held(
        patch(admin, kept, { spec: { containers: [{ name: "app", image: images.unsigned }] } }),
        "(mutating|validating)",
      );
      const debug = { spec: { ephemeralContainers: [{ name: "debug", image: images.unsigned }] } };
      await held(patch(admin, `${kept}/ephemeralcontainers`, debug), "(mutating|validating)");
      await patch(admin, kept, { metadata: { labels: { still: "labelled" } } });
      await nobodyWritesPolicies();
    });

    it("wants the mutating webhook even where the validating one is registered", async () => {
      await registerWebhooks(admin, "mutating", []);
      await registerWebhooks(admin, "validating", hooks("validating"));
      await held(offer("production", images.unsigned), "mutating");
      await registerWebhooks(admin, "validating", []);
    });

    for (const [what, change] of Object.entries(NARROWED)) {
      it(`refuses while a webhook ${what}`, async () => {
        for (const kind of KINDS)
          await registerWebhooks(
            admin,
            kind,
            hooks(kind).map((hook) => ({ ...hook, ...change(hook) })),
          );
        await held(offer("production", images.unsigned), "(mutating|validating)");
        for (const kind of KINDS) await registerWebhooks(admin, kind, []);
      });
    }

    it("makes way once Kyverno has registered its webhooks again", async () => {
      await scale(1);
      await waitFor("Kyverno runs", 60_000, async () => running());
      await judges();
    });

    it("is taken away by recover, and only then does something unverified start", async () => {
      await scale(0);
      await waitFor("Kyverno has stopped", 60_000, async () => !running());
      const target = { kubeconfig: cluster.plane.kubeconfig };
      await removeWebhooks(target);
      await waitFor("the API server has forgotten the backstop", 30_000, async () => {
        await offer("production", images.unsigned);
        return true;
      });
      assert.deepEqual((await lockOutState(target, "kyverno")).webhooks, []);
      await applyBackstop(cluster.plane, backstopOf(settings));
      await waitFor("the backstop holds again", 10_000, async () => {
        await held(offer("production", images.unsigned), "(mutating|validating)");
        return true;
      });
      const { body } = await request(admin, "GET", "/metrics");
      const counted = body
        .split("\n")
        .filter((line) => /^apiserver_validating_admission_policy_check_total/.test(line));
      for (const line of counted) log(line);
      for (const kind of KINDS)
        assert.ok(
          counted.some(
            (line) => line.includes(`policy="image-signing-guard-${kind}-webhook"`) && line.includes('="deny"'),
          ),
          kind,
        );
    });
  });
});
