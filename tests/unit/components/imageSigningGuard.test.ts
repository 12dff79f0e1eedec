import * as assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import type { ImageSigningGuardArgs } from "../../../components/args";
import { ImageSigningGuard } from "../../../components/imageSigningGuard";
import { ROLE, SUFFIX } from "../../../components/policies/names";
import { postureByName } from "../../../components/posture/byName";
import { GUARD_TYPE } from "../../../components/settings";
import { type MockStack, promiseOf, type Registered, runStack } from "../../support/mockStack";
import { compile, postureOf, settings, stackSettings } from "../../support/settings";

const QUIET = { readiness: { canary: false } };
const argsOf = (changes: Record<string, unknown> = {}) =>
  settings({ ...QUIET, ...changes }) as unknown as ImageSigningGuardArgs;
const PROD = { ...stackSettings("prod"), ...QUIET } as unknown as ImageSigningGuardArgs;
const POLICY = "kubernetes:kyverno.io/v1:ClusterPolicy";

async function create(args: ImageSigningGuardArgs, preview = false) {
  let guard!: ImageSigningGuard;
  const stack = await runStack(
    () => {
      guard = new ImageSigningGuard("guard", args);
      return guard;
    },
    { preview },
  );
  return { guard, stack };
}

function find({ resources }: MockStack, name: string): Registered {
  const found = resources.find((resource) => resource.name === name);
  assert.ok(found, `no ${name} among ${resources.map((resource) => resource.name).join(", ")}`);
  return found;
}
const policiesOf = ({ resources }: MockStack) => resources.filter(({ type }) => type === POLICY);

describe("ImageSigningGuard", () => {
  for (const preview of [true, false]) {
    it(`makes the same resources in ${preview ? "a preview" : "up"}`, async () => {
      const { stack } = await create(PROD, preview);
      const made = stack.resources.map(({ type, name }) => `${type} ${name}`);
      for (const expected of [
        `${GUARD_TYPE} guard`,
        "kubernetes:core/v1:Namespace guard-namespace",
        "kubernetes:core/v1:ConfigMap guard-trust",
        "kubernetes:helm.sh/v3:Release guard-kyverno",
        `${POLICY} guard-require-signed-images`,
        `${POLICY} guard-verify-image-signatures`,
        `${POLICY} guard-verify-image-signatures-audit`,
        `${POLICY} guard-audit-unsigned-images`,
        `${POLICY} guard-guard-image-verdicts`,
        `${POLICY} guard-guard-image-bypass`,
      ])
        assert.ok(made.includes(expected), `${expected} among\n${made.join("\n")}`);
      assert.equal(new Set(made).size, made.length);
      assert.equal(policiesOf(stack).length, compile(PROD).policies.length);
    });
  }

  it("is the parent of everything", async () => {
    const { stack } = await create(PROD);
    for (const { name, parent } of stack.resources) if (name !== "guard") assert.equal(parent, "guard", name);
  });

  it("shows the posture as its own inputs, so that previews compare it", async () => {
    const { stack } = await create(PROD);
    const { posture } = find(stack, "guard").inputs as { posture: { mode: string } };
    assert.deepEqual(posture, JSON.parse(JSON.stringify(postureByName(postureOf(PROD)))));
    assert.deepEqual(Object.keys(find(stack, "guard").inputs), ["posture"]);
  });

  it("makes the release after namespace and trust files, guards after the release, judges after the guards", async () => {
    const { stack } = await create(PROD);
    const dependsOn = (name: string) => find(stack, name).dependsOn;
    assert.ok(dependsOn("guard-trust").includes("guard-namespace"));
    for (const name of ["guard-namespace", "guard-trust"]) assert.ok(dependsOn("guard-kyverno").includes(name), name);
    for (const { name } of policiesOf(stack)) assert.ok(dependsOn(name).includes("guard-kyverno"), name);
    const guards = policiesOf(stack)
      .map(({ name }) => name)
      .filter((name) => name.startsWith("guard-guard-"));
    assert.deepEqual(guards.sort(), [
      "guard-guard-image-bypass",
      "guard-guard-image-bypass-templates",
      "guard-guard-image-verdicts",
    ]);
    for (const { name } of policiesOf(stack).filter((policy) => !guards.includes(policy.name)))
      for (const guard of guards) assert.ok(dependsOn(name).includes(guard), `${name} after ${guard}`);
    // Up to 0.1 Kyverno made the rules for templates of those for pods: an upgrade must not lose them for a moment.
    for (const role of Object.values(ROLE).filter((name) => name !== ROLE.verdicts))
      assert.ok(dependsOn(`guard-${role}`).includes(`guard-${role}${SUFFIX.templates}`), role);
  });

  it("waits for each policy to be Ready and never keeps two of one name", async () => {
    const { stack } = await create(PROD);
    for (const { name, inputs, deleteBeforeReplace, timeouts } of policiesOf(stack)) {
      const { annotations } = inputs.metadata as { annotations: Record<string, string> };
      assert.equal(annotations["pulumi.com/waitFor"], "condition=Ready", name);
      assert.ok(deleteBeforeReplace, name);
      assert.ok(timeouts.create && timeouts.update, name);
    }
  });

  it("gives the release the time that the stack allows", async () => {
    const { stack } = await create(argsOf({ kyverno: { timeoutSeconds: 900 } }));
    const release = find(stack, "guard-kyverno");
    assert.equal(release.inputs.timeout, 900);
    assert.deepEqual(release.timeouts, { create: "900s", update: "900s" });
  });

  it("makes no trust files where none are needed", async () => {
    const args = argsOf({
      images: [{ name: "a", repositories: ["ghcr.io/a/b"], signers: [{ key: { secretName: "cosign" } }] }],
      trust: { root: "offline" },
    });
    const { stack } = await create(args);
    assert.ok(!stack.resources.some(({ name }) => name === "guard-trust"));
  });

  it("tells what it has made in its outputs", async () => {
    const { guard } = await create(PROD);
    assert.equal(await promiseOf(guard.mode), "enforce");
    assert.equal(await promiseOf(guard.namespace), "kyverno");
    assert.equal(await promiseOf(guard.chartVersion), "3.0.9");
    assert.equal(await promiseOf(guard.kyvernoVersion), "v1.10.7");
    assert.equal(await promiseOf(guard.releaseStatus), "deployed");
    assert.equal(await promiseOf(guard.readiness), "release deployed, policies Ready");
    assert.deepEqual(
      await promiseOf(guard.policyNames),
      compile(PROD).policies.map(({ metadata }) => metadata.name),
    );
    assert.deepEqual(await promiseOf(guard.posture), postureByName(postureOf(PROD)));
  });

  it("audits or enforces as the stack says", async () => {
    for (const [mode, action] of [
      ["audit", "Audit"],
      ["enforce", "Enforce"],
    ]) {
      const { stack } = await create(argsOf({ mode }));
      const { spec } = find(stack, "guard-verify-image-signatures").inputs as {
        spec: { validationFailureAction: string };
      };
      assert.equal(spec.validationFailureAction, action);
    }
  });

  it("logs its warnings", async () => {
    const { stack } = await create(
      argsOf({ suspend: [{ policy: "all", reason: "outage 7", until: "2999-01-01T00:00:00Z" }] }),
    );
    assert.ok(
      stack.warnings.some((text) => text.includes("outage 7")),
      stack.warnings.join(),
    );
    assert.deepEqual((await create(PROD)).stack.warnings, []);
  });

  it("deploys the stack's own policies with the guard's", async () => {
    const own = {
      apiVersion: "kyverno.io/v1",
      kind: "ClusterPolicy",
      metadata: { name: "labels" },
      spec: { rules: [{ name: "a" }] },
    };
    const { stack } = await create(argsOf({ extraPolicies: [own] }));
    assert.deepEqual(find(stack, "guard-labels").inputs.spec, own.spec);
  });

  it("passes an explicit provider on to everything", async () => {
    const stack = await runStack(() => {
      const provider = new k8s.Provider("elsewhere", { kubeconfig: "{}" });
      return new ImageSigningGuard("guard", argsOf(), { providers: { kubernetes: provider } });
    });
    const custom = stack.resources.filter((resource) => resource.custom);
    assert.ok(custom.length > 5);
    for (const { name, provider } of custom) assert.equal(provider, "elsewhere", name);
  });

  it("may stand twice in a program under two names", async () => {
    const stack = await runStack(() => {
      new ImageSigningGuard("one", argsOf());
      return new ImageSigningGuard("two", argsOf());
    });
    const names = stack.resources.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });
});
