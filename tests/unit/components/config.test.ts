import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { GuardConfigError, guardArgsFromConfig } from "../../../components/config";
import { argsFromSettings, CONFIG_NAMESPACE } from "../../../components/settings";
import { newKeyPair } from "../../support/pems";
import { problemsOf } from "../../support/problems";
import { MODULO, settings, stackSettings } from "../../support/settings";

/** Hands settings over as the engine does: texts as they are, everything else as JSON. */
function setConfig(given: Record<string, unknown>, namespace = CONFIG_NAMESPACE): void {
  const entries = Object.entries(given).map(([key, value]): [string, string] => [
    `${namespace}:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(entries));
}

function configError(): GuardConfigError {
  try {
    guardArgsFromConfig();
  } catch (error) {
    assert.ok(error instanceof GuardConfigError, String(error));
    return error;
  }
  assert.fail("expected an error");
}

describe("stack config", () => {
  afterEach(() => pulumi.runtime.setAllConfig({}));

  for (const stack of ["dev", "prod"] as const) {
    it(`of Pulumi.${stack}.yaml gives the same arguments through the engine as from the file`, () => {
      const fromFile = stackSettings(stack);
      setConfig(fromFile);
      assert.deepEqual(guardArgsFromConfig(), argsFromSettings(fromFile));
      assert.deepEqual(guardArgsFromConfig(), fromFile);
    });
  }

  it("of other projects and providers is not read", () => {
    pulumi.runtime.setAllConfig({
      [`${CONFIG_NAMESPACE}:images`]: JSON.stringify([MODULO]),
      "kubernetes:context": "kind",
      "other:mode": "strict",
      [`${CONFIG_NAMESPACE}-two:mode`]: "strict",
    });
    assert.deepEqual(guardArgsFromConfig(), { images: [MODULO] });
  });

  it("may stand in another namespace, whose name the errors use", () => {
    setConfig(settings({ mode: "enforce" }), "gate");
    assert.equal(guardArgsFromConfig(new pulumi.Config("gate")).mode, "enforce");
    setConfig({ images: [] }, "gate");
    assert.throws(() => guardArgsFromConfig(new pulumi.Config("gate")), /\n {2}gate:images\n/);
  });

  it("with a mistake is a Pulumi error whose whole text is the list of problems", () => {
    setConfig(settings({ mode: "strict", tags: "maybe" }));
    const error = configError();
    assert.ok(pulumi.RunError.isInstance(error), "Pulumi prints other errors with their stack");
    assert.deepEqual(
      error.problems.map(({ key }) => key),
      [`${CONFIG_NAMESPACE}:mode`, `${CONFIG_NAMESPACE}:tags`],
    );
    assert.match(error.message, /found: {3}"strict"\n {4}allowed: one of audit, enforce\n/);
  });

  it("names a mistyped setting and guesses the right one", () => {
    setConfig(settings({ namespace: { production: [] } }));
    const [problem] = configError().problems;
    assert.deepEqual([problem!.key, problem!.fix], [`${CONFIG_NAMESPACE}:namespace`, "did you mean namespaces?"]);
  });

  it("guesses the right name also where the mistyped setting is a plain word", () => {
    setConfig(settings({ mdoe: "enforce" }));
    const [problem] = configError().problems;
    assert.deepEqual([problem!.key, problem!.fix], [`${CONFIG_NAMESPACE}:mdoe`, "did you mean mode?"]);
  });

  it("that is text where a block belongs is refused without being shown", () => {
    const { privateKey } = newKeyPair();
    setConfig(settings({ trust: privateKey, bypass: "token: s3cret" }));
    const { problems, message } = configError();
    assert.deepEqual(
      problems.map(({ key }) => key),
      [`${CONFIG_NAMESPACE}:trust`, `${CONFIG_NAMESPACE}:bypass`],
    );
    assert.ok(!message.includes(privateKey.slice(30, 50)) && !message.includes("s3cret"), message);
  });

  it("keeps a kubeconfig secret and everything else plain", async () => {
    setConfig(settings({ readiness: { kubeconfig: "apiVersion: v1\n", timeoutSeconds: 60 } }));
    const args = guardArgsFromConfig();
    const kubeconfig = args.readiness!.kubeconfig as pulumi.Output<string>;
    assert.ok(pulumi.Output.isInstance(kubeconfig));
    assert.ok(await pulumi.isSecret(kubeconfig));
    assert.equal(args.readiness!.timeoutSeconds, 60);
    assert.ok(!pulumi.Output.isInstance(args.images));
  });

  it("without an engine has its keys named in the same way", () => {
    const keys = problemsOf(() => argsFromSettings({ images: [{ ...MODULO, nam: "x" }] })).map(({ key }) => key);
    assert.deepEqual(keys, [`${CONFIG_NAMESPACE}:images[0].nam`]);
  });
});
