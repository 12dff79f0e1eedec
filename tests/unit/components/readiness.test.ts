import * as assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { ImageSigningGuardArgs } from "../../../components/args";
import { policiesOf } from "../../../components/compile";
import { ImageSigningGuard } from "../../../components/imageSigningGuard";
import type { Manifest } from "../../../components/kubernetes/manifest";
import { askCanary, awaitPolicyWebhooks } from "../../../components/kyverno/canary";
import { type FakeCluster, REFUSED, startFakeCluster } from "../../support/fakeCluster";
import { promiseOf, runStack } from "../../support/mockStack";
import { problemsOf } from "../../support/problems";
import { compile, postureOf, settings } from "../../support/settings";

const ENFORCED = postureOf(settings({ mode: "enforce" }));
const AUDITED = postureOf(settings({ mode: "audit" }));
const COMPILED = compile(settings({ mode: "enforce" }));
const BACKSTOP = COMPILED.backstop;
const POLICIES = policiesOf(COMPILED);
const POD = "POST /api/v1/namespaces/shop/pods";

describe("readiness", () => {
  let cluster: FakeCluster;
  beforeEach(async () => {
    cluster = await startFakeCluster(["kube-system", "dev", "shop"]);
    cluster.backstop = BACKSTOP;
    cluster.policies = POLICIES;
  });
  afterEach(() => cluster.stop());
  /** Asks once: there is no time left to ask again. */
  const target = () => ({ kubeconfig: cluster.kubeconfig, timeoutSeconds: -1 });

  it("offers an unsigned pod to a namespace that is enforced, and is content when it is refused", async () => {
    await askCanary(target(), ENFORCED);
    assert.ok(cluster.requests.includes(POD), cluster.requests.join());
  });

  it("fails when the unsigned pod would be admitted, and says so", async () => {
    cluster.podAnswer = { code: 201, message: "" };
    await assert.rejects(
      askCanary(target(), ENFORCED),
      /refusal of the unsigned canary ghcr\.io\/ikey168\/modulo-.*would admit it/,
    );
  });

  it("fails when an unsigned pod is refused, but not by the policy that is to refuse it", async () => {
    cluster.podAnswer = { ...REFUSED, message: `${REFUSED.message.split(":")[0]}: other-team: labels` };
    await assert.rejects(askCanary(target(), ENFORCED), /refused by another policy: .*other-team/);
  });

  it("offers a pod to a namespace of each policy that refuses", async () => {
    await cluster.stop();
    cluster = await startFakeCluster(["kube-system", "production", "shop"]);
    await askCanary(target(), ENFORCED);
    for (const namespace of ["production", "shop"])
      assert.ok(cluster.requests.includes(`POST /api/v1/namespaces/${namespace}/pods`), cluster.requests.join());
  });

  it("offers the signed image that the stack names, too, and fails when it would be refused", async () => {
    const signedImage = "ghcr.io/ikey168/modulo-backend:1.0.0";
    cluster.signed = { image: signedImage, answer: { code: 201, message: "" } };
    await askCanary(target(), ENFORCED, { signedImage });
    cluster.signed = { image: signedImage, answer: REFUSED };
    await assert.rejects(
      askCanary(target(), ENFORCED, { signedImage }),
      /admission of the signed canary ghcr\.io\/ikey168\/modulo-backend:1\.0\.0 in namespace shop/,
    );
    await askCanary(target(), AUDITED, { signedImage });
  });

  it("does not end while the backstop would still let nothing start, as on the line that ignores unready policies", async () => {
    const later = settings({ mode: "enforce", kyverno: { target: "1.19" } });
    const { backstop, ...compiled } = compile(later);
    cluster.backstop = backstop;
    const since = (seconds: number) => {
      const lastTransitionTime = new Date(Date.now() - seconds * 1000).toISOString();
      const status = { conditions: [{ type: "Ready", status: "True", lastTransitionTime }] };
      return policiesOf(compiled).map((policy) => ({ ...policy, status }));
    };
    cluster.policies = since(1);
    const ask = () => askCanary(target(), postureOf(later), { backstop });
    await assert.rejects(ask, /been Ready for 5 s did not come .*require-signed-images/);
    cluster.policies = since(20);
    await ask();
    cluster.policies = policiesOf(compiled);
    await assert.rejects(ask, /been Ready for 5 s/);
  });

  for (const [what, signedImage, allowed] of [
    ["without tag or digest", "ghcr.io/ikey168/modulo-backend", /tag or digest/],
    ["that no entry covers", "ghcr.io/other/app:1", /that an entry of images covers/],
  ] as const)
    it(`a signed image ${what} is an error`, () => {
      const [problem] = problemsOf(() => postureOf(settings({ readiness: { signedImage } })));
      assert.equal(problem!.key, "readiness.signedImage");
      assert.match(problem!.allowed, allowed);
    });

  it("fails when somebody changed or removed a policy behind the state's back, and says how to put it back", async () => {
    await askCanary(target(), ENFORCED, { policies: POLICIES });
    const judge = POLICIES.find(({ metadata }) => metadata.name === "require-signed-images")!;
    const audited = { ...judge, spec: { ...(judge.spec as object), validationFailureAction: "Audit" } };
    cluster.policies = POLICIES.map((policy) => (policy === judge ? audited : policy));
    await assert.rejects(
      askCanary(target(), ENFORCED, { policies: POLICIES }),
      /require-signed-images was changed .*validationFailureAction: "Enforce" → "Audit".*pulumi up --refresh/,
    );
    cluster.policies = POLICIES.filter((policy) => policy !== judge);
    await assert.rejects(
      askCanary(target(), ENFORCED, { policies: POLICIES }),
      /require-signed-images is gone.*pulumi up --refresh/,
    );
  });

  it("does not take another refusal for Kyverno's", async () => {
    for (const message of ["failed calling webhook mutate.kyverno.svc-fail", "pods is forbidden: exceeded quota"]) {
      cluster.podAnswer = { code: 403, message };
      await assert.rejects(askCanary(target(), ENFORCED), new RegExp(message));
    }
  });

  it("offers no pod where nothing is enforced", async () => {
    cluster.podAnswer = { code: 201, message: "" };
    await askCanary(target(), AUDITED);
    assert.ok(!cluster.requests.some((request) => request.startsWith("POST")), cluster.requests.join());
  });

  it("fails when no namespace is there to ask, and names those that are", async () => {
    await cluster.stop();
    cluster = await startFakeCluster(["dev", "kube-system"]);
    await assert.rejects(askCanary(target(), ENFORCED), /dev, kube-system/);
  });

  it("waits for the CA of the webhooks", async () => {
    cluster.webhooksHaveCa = false;
    await assert.rejects(askCanary(target(), ENFORCED), /kyverno-resource-mutating-webhook-cfg/);
    await assert.rejects(awaitPolicyWebhooks(target()), /policy webhooks/);
    cluster.webhooksHaveCa = true;
    await awaitPolicyWebhooks(target());
  });

  it("fails while a part of the backstop is missing or changed, and says which", async () => {
    cluster.backstop = BACKSTOP.slice(1);
    const first = BACKSTOP[0]!.metadata.name;
    await assert.rejects(askCanary(target(), ENFORCED, { backstop: BACKSTOP }), new RegExp(`${first}.*not found`));
    const warns = (one: Manifest) => ({ ...one, spec: { ...(one.spec as object), validationActions: ["Warn"] } });
    cluster.backstop = BACKSTOP.map((one) => (one.kind.endsWith("Binding") ? warns(one) : one));
    await assert.rejects(
      askCanary(target(), ENFORCED, { backstop: BACKSTOP }),
      /somebody changed its spec\.validationActions/,
    );
    cluster.backstop = BACKSTOP;
    await askCanary(target(), ENFORCED, { backstop: BACKSTOP });
  });

  it("waits until the API server acts on the backstop, where those who ask are not let through by it", async () => {
    cluster.backstopInForce = false;
    const backstop = { backstop: BACKSTOP };
    await assert.rejects(askCanary(target(), ENFORCED, backstop), /refusal of a namespaced Policy .*would admit it/);
    cluster.groups = ["platform"];
    await assert.rejects(askCanary(target(), ENFORCED, backstop), /would admit it/);
    const authored = settings({ mode: "enforce", backstop: { policyAuthors: { groups: ["platform"] } } });
    const authors = { backstop: compile(authored).backstop };
    cluster.backstop = authors.backstop;
    await askCanary(target(), postureOf(authored), authors);
    cluster.groups = ["sales"];
    await assert.rejects(askCanary(target(), postureOf(authored), authors), /would admit it/);
  });

  it("fails on a cluster that has no ValidatingAdmissionPolicy, and names the way out", async () => {
    cluster.servesAdmissionPolicies = false;
    await assert.rejects(
      up({ readiness: { kubeconfig: cluster.kubeconfig, timeoutSeconds: 5 } }),
      /1\.30 and newer.*backstop\.enabled: false/,
    );
    await up({ backstop: { enabled: false }, readiness: { kubeconfig: cluster.kubeconfig, timeoutSeconds: 5 } });
  }).timeout(20_000);

  async function up(changes: Record<string, unknown>, opts: { preview?: boolean; provider?: boolean } = {}) {
    let guard!: ImageSigningGuard;
    const stack = await runStack(
      () => {
        const provider = opts.provider ? new k8s.Provider("elsewhere", { kubeconfig: "{}" }) : undefined;
        const args = settings({ mode: "enforce", ...changes }) as unknown as ImageSigningGuardArgs;
        guard = new ImageSigningGuard("guard", args, provider ? { providers: [provider] } : {});
      },
      { preview: opts.preview ?? false },
    );
    return { guard, stack };
  }

  it("is proved in up with the kubeconfig given, and the cluster's secrets stay out of the stack", async () => {
    const { guard, stack } = await up({
      readiness: { kubeconfig: pulumi.secret(cluster.kubeconfig), timeoutSeconds: 5 },
    });
    assert.equal(
      await promiseOf(guard.readiness),
      "release deployed, policies Ready, webhooks registered, unsigned canary refused",
    );
    assert.ok(cluster.requests.includes(POD));
    assert.ok(!(await pulumi.isSecret(guard.readiness)), "what was proved is no secret");
    for (const { name, secretInputs } of stack.resources) assert.deepEqual(secretInputs, [], name);
  });

  it("offers nothing in a preview, and promises there what up will say", async () => {
    const { guard } = await up({ readiness: { kubeconfig: cluster.kubeconfig } }, { preview: true });
    assert.match((await promiseOf(guard.readiness)) ?? "", /unsigned canary refused$/);
    assert.ok(
      cluster.requests.every((request) => request.startsWith("GET ")),
      cluster.requests.join(),
    );
  });

  it("tells in a preview what would stop up, and makes nothing in up where it does", async () => {
    cluster.foreignKyverno = true;
    const readiness = { kubeconfig: cluster.kubeconfig };
    const { guard, stack } = await up({ readiness }, { preview: true });
    await promiseOf(guard.readiness);
    const told = stack.warnings.filter((text) => text.includes("up would stop here"));
    assert.equal(told.length, 1, stack.warnings.join());
    assert.match(told[0]!, /Kyverno is installed here already/);
    await assert.rejects(up({ readiness }), /Kyverno is installed here already.*not by this guard/);
  });

  it("does not keep a preview from ending where the cluster can't be asked", async () => {
    const { guard } = await up({ readiness: { kubeconfig: "/no/such/kubeconfig" } }, { preview: true });
    assert.match((await promiseOf(guard.readiness)) ?? "", /unsigned canary refused$/);
  });

  for (const [form, make] of [
    ["YAML", (text) => text],
    ["JSON on one line", (text) => JSON.stringify(parse(text))],
    ["a block", (text) => parse(text)],
    ["an Output of JSON", (text) => pulumi.output(JSON.stringify(parse(text)))],
    ["an Output of a block", (text) => pulumi.output(parse(text))],
    ["a block with a secret in it", (text) => ({ ...parse(text), users: pulumi.secret(parse(text).users) })],
  ] satisfies [string, (text: string) => unknown][])
    it(`takes the kubeconfig as ${form}`, async () => {
      const { guard } = await up({ readiness: { kubeconfig: make(cluster.kubeconfig), timeoutSeconds: 5 } });
      assert.match((await promiseOf(guard.readiness))!, /unsigned canary refused$/);
    }).timeout(20_000);

  it("asks nothing behind an explicit provider whose kubeconfig it does not have", async () => {
    const { guard } = await up({}, { provider: true });
    assert.equal(await promiseOf(guard.readiness), "release deployed, policies Ready");
  });

  it("fails up by a resource error that names the step", async () => {
    cluster.podAnswer = { ...REFUSED, message: "exceeded quota" };
    const { guard } = await up({ readiness: { canary: false } });
    assert.equal(await promiseOf(guard.readiness), "release deployed, policies Ready");
    await assert.rejects(up({ readiness: { kubeconfig: "/no/such/kubeconfig" } }), (error: Error) => {
      assert.ok(pulumi.ResourceError.isInstance(error), error.constructor.name);
      assert.match(error.message, /the guard is not ready/);
      return true;
    });
  });
});
