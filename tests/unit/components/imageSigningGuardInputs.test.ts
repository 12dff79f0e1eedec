import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "../../../components/args";
import { ImageSigningGuard } from "../../../components/imageSigningGuard";
import { type MockStack, promiseOf, type Registered, runStack, unknownOutput } from "../../support/mockStack";
import { newKeyPair } from "../../support/pems";
import { MODULO, settings } from "../../support/settings";

const { publicKey, privateKey } = newKeyPair();
const withKey = (key: unknown, changes: Record<string, unknown> = {}) =>
  settings({
    images: [{ ...MODULO, signers: [{ key: { publicKey: key } }] }],
    readiness: { canary: false },
    ...changes,
  }) as unknown as ImageSigningGuardArgs;

const run = (args: ImageSigningGuardArgs, preview = false) =>
  runStack(() => new ImageSigningGuard("guard", args), { preview });
const namesOf = ({ resources }: MockStack) => resources.map(({ name }) => name).sort();
const specOf = ({ resources }: MockStack) =>
  resources.find(({ name }: Registered) => name === "guard-verify-image-signatures")!.inputs.spec;

/** What a program with these arguments throws, and what it has registered before. */
async function failure(args: unknown): Promise<{ error: Error; stack: MockStack }> {
  let error: Error | undefined;
  const stack = await runStack(() => {
    try {
      new ImageSigningGuard("guard", args as ImageSigningGuardArgs);
    } catch (thrown) {
      error = thrown as Error;
    }
  });
  assert.ok(error, "expected an error");
  return { error, stack };
}

describe("the inputs of ImageSigningGuard", () => {
  it("may hold a key that another resource makes, with the same result", async () => {
    const plain = await run(withKey(publicKey));
    for (const preview of [true, false]) {
      const later = await run(withKey(pulumi.output(publicKey)), preview);
      assert.deepEqual(namesOf(later), namesOf(plain));
      assert.deepEqual(specOf(later), specOf(plain));
    }
  });

  it("may hold a key that only up knows: the preview shows all resources", async () => {
    const plain = await run(withKey(publicKey));
    const preview = await run(withKey(unknownOutput<string>()), true);
    assert.deepEqual(namesOf(preview), namesOf(plain));
    assert.ok(!JSON.stringify(specOf(preview) ?? "").includes("BEGIN"));
  });

  it("are refused at once where the provider would render YAML, since it can't render a Helm release", async () => {
    pulumi.runtime.setAllConfig({ "kubernetes:renderYamlToDirectory": "rendered" });
    try {
      const { error, stack } = await failure(withKey(publicKey));
      assert.match(error.message, /kubernetes:renderYamlToDirectory[\s\S]*image-signing-guard render --stack/);
      assert.deepEqual(namesOf(stack), ["guard"]);
    } finally {
      pulumi.runtime.setAllConfig({});
    }
    await run(withKey(publicKey));
  });

  it("may hold chart values as an Output", async () => {
    const values = { features: { logging: { format: "json" } } };
    const stack = await run(withKey(publicKey, { kyverno: { values: pulumi.output(values) } }));
    const release = stack.resources.find(({ name }) => name === "guard-kyverno")!;
    assert.deepEqual((release.inputs.values as { features: { logging: unknown } }).features.logging, {
      format: "json",
    });
  });

  it("may hold chart values with an Output inside", async () => {
    const values = { admissionController: { nodeSelector: { pool: pulumi.output("trusted") } } };
    const stack = await run(withKey(publicKey, { kyverno: { values } }));
    const release = stack.resources.find(({ name }) => name === "guard-kyverno")!;
    const { admissionController } = release.inputs.values as { admissionController: { nodeSelector: unknown } };
    assert.deepEqual(admissionController.nodeSelector, { pool: "trusted" });
  });

  it("keep policies and posture readable when the kubeconfig is secret", async () => {
    const stack = await run(withKey(publicKey, { readiness: { canary: false, kubeconfig: pulumi.secret("a: b\n") } }));
    for (const { name, secretInputs } of stack.resources) assert.deepEqual(secretInputs, [], name);
    assert.ok(!JSON.stringify(stack.resources.map(({ inputs }) => inputs)).includes("a: b"));
  });

  it("keep the posture known when the kubeconfig is not known yet", async () => {
    let guard!: ImageSigningGuard;
    await runStack(
      () => {
        guard = new ImageSigningGuard(
          "guard",
          withKey(publicKey, { readiness: { canary: false, kubeconfig: unknownOutput() } }),
        );
        return guard;
      },
      { preview: true },
    );
    assert.ok((await promiseOf(guard.posture)) !== undefined);
  });

  it("that are wrong give one resource error with every problem and make no resource", async () => {
    const { error, stack } = await failure({ images: [], mode: "strict", ...{ readiness: { canary: false } } });
    assert.ok(pulumi.ResourceError.isInstance(error));
    assert.equal(error.hideStack, true);
    assert.match(error.message, /2 problems/);
    assert.deepEqual(
      (error as unknown as { errors: { propertyPath: string }[] }).errors
        .map(({ propertyPath }) => propertyPath)
        .sort(),
      ["images", "mode"],
    );
    assert.deepEqual(namesOf(stack), ["guard"]);
  });

  it("that are missing altogether are told the same way", async () => {
    for (const nothing of [undefined, null, {}]) {
      const { error } = await failure(nothing);
      assert.ok(pulumi.ResourceError.isInstance(error), `${nothing}: ${error}`);
    }
  });

  it("never show a private key in an error", async () => {
    const { error } = await failure(withKey(privateKey));
    assert.ok(!error.message.includes(privateKey.split("\n")[1]!.slice(0, 20)));
  });

  it("that decide which resources exist must be plain, and the error says so", async () => {
    const { error } = await failure({ ...withKey(publicKey), mode: pulumi.output("enforce") });
    assert.match(error.message, /\n {2}mode\n/);
    assert.ok(!error.message.includes("04da6b54"), `shows Pulumi's own marker: ${error.message}`);
  });

  it("that turn out wrong only when they are known fail without a stack trace", async () => {
    await assert.rejects(run(withKey(pulumi.output("not a key"))), (error: Error) => {
      assert.match(error.message, /publicKey/);
      assert.ok(pulumi.ResourceError.isInstance(error) || pulumi.RunError.isInstance(error), error.constructor.name);
      return true;
    });
  });
});
