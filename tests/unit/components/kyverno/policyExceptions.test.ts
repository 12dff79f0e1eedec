import { strict as assert } from "node:assert";
import { compilePosture } from "../../../../components/compile";
import { weakenings } from "../../../../components/posture/weakenings";
import { resolvePosture } from "../../../../components/resolve";

const images = [
  {
    name: "app",
    repositories: ["ghcr.io/acme/app"],
    signers: [{ github: { repository: "acme/app", workflow: "build.yml", ref: "refs/heads/main" } }],
  },
];
const features = (settings: object) =>
  compilePosture(resolvePosture({ images, ...settings })).chartValues.features as Record<string, unknown>;

describe("PolicyExceptions", () => {
  it("are off by default", () => {
    assert.deepEqual(features({}).policyExceptions, { enabled: false });
  });

  it("count in one namespace only when turned on, and the posture shows it", () => {
    const kyverno = { policyExceptionsNamespace: "guard-exceptions" };
    assert.deepEqual(features({ kyverno }).policyExceptions, { enabled: true, namespace: "guard-exceptions" });
    const plan = resolvePosture({ images, kyverno }).posture.kyverno;
    assert.equal(plan.exceptionsNamespace, "guard-exceptions");
    assert.deepEqual(weakenings({ kyverno: plan, images: [] }), ["features.policyExceptions in guard-exceptions"]);
  });
});
