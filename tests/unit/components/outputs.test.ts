import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { lateValues, withLateValues, withoutOutputs, withSecrets } from "../../../components/outputs";
import { ProblemList } from "../../../components/problems";
import { UNKNOWN_VALUE } from "../../../components/unknownValue";
import { problemsOf } from "../../support/problems";

const strip = (value: unknown) => {
  const problems = new ProblemList();
  const stripped = withoutOutputs(value, problems);
  problems.throwIfAny();
  return stripped;
};

describe("Outputs among the arguments", () => {
  it("are found at any depth, by their place", () => {
    const [a, b] = [pulumi.output(1), Promise.resolve(2)];
    const given = { a: [{ b: a }], c: { d: b }, e: null, f: "x" };
    assert.deepEqual(
      lateValues(given).map(({ path }) => path),
      [
        ["a", 0, "b"],
        ["c", "d"],
      ],
    );
    assert.deepEqual(
      withLateValues(given, (path) => path.join(".")),
      { a: [{ b: "a.0.b" }], c: { d: "c.d" }, e: null, f: "x" },
    );
  });

  it("are replaced by a marker where they may be, and chart values by an empty block", () => {
    const given = {
      images: [{ signers: [{ key: { publicKey: pulumi.output("x") } }] }],
      kyverno: { values: pulumi.output({ c: 1 }) },
      d: null,
    };
    const marked = {
      images: [{ signers: [{ key: { publicKey: UNKNOWN_VALUE } }] }],
      kyverno: { values: {} },
      d: null,
    };
    assert.deepEqual(strip(given), marked);
  });

  it("are refused everywhere else, by their place and not by their name", () => {
    const given = {
      mode: pulumi.output("audit"),
      images: [{ name: "a", signers: Promise.resolve([]) }],
      namespaces: { values: pulumi.output([]), publicKey: pulumi.output("x") },
      extraPolicies: [{ spec: { values: pulumi.output({}) } }],
    };
    assert.deepEqual(
      problemsOf(() => strip(given)).map(({ key }) => key),
      ["mode", "images[0].signers", "namespaces.values", "namespaces.publicKey", "extraPolicies[0].spec.values"],
    );
  });

  it("leave everything else as it is", () => {
    const given = { a: [1, "x", true, null], b: { c: {} } };
    assert.deepEqual(strip(given), given);
  });

  it("are made of what is secret, where one may be", async () => {
    const marked = withSecrets({ replicas: 3, values: { a: ["x"] }, imageRegistry: "m" }, ["kyverno"]);
    assert.equal(marked.replicas, 3);
    assert.ok(await pulumi.isSecret(marked.values.a[0] as unknown as pulumi.Output<string>));
    assert.ok(await pulumi.isSecret(marked.imageRegistry as unknown as pulumi.Output<string>));
  });
});
