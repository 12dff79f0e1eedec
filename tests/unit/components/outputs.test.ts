import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { holdsOutputs, withoutOutputs } from "../../../components/outputs";
import { UNKNOWN_VALUE } from "../../../components/posture/pem";
import { ProblemList } from "../../../components/problems";
import { problemsOf } from "../../support/problems";

const strip = (value: unknown) => {
  const problems = new ProblemList();
  const stripped = withoutOutputs(value, problems);
  problems.throwIfAny();
  return stripped;
};

describe("Outputs among the arguments", () => {
  it("are found at any depth", () => {
    assert.ok(holdsOutputs(pulumi.output(1)));
    assert.ok(holdsOutputs({ a: [{ b: pulumi.output("x") }] }));
    assert.ok(holdsOutputs({ a: Promise.resolve(1) }));
    assert.ok(!holdsOutputs({ a: [{ b: "x" }], c: null, d: undefined, e: 1 }));
  });

  it("are replaced by a marker where a PEM belongs, and chart values by an empty block", () => {
    const given = { a: [{ publicKey: pulumi.output("x") }], kyverno: { values: pulumi.output({ c: 1 }) }, d: null };
    assert.deepEqual(strip(given), { a: [{ publicKey: UNKNOWN_VALUE }], kyverno: { values: {} }, d: null });
  });

  it("are refused everywhere else, by their place", () => {
    const given = { mode: pulumi.output("audit"), images: [{ signers: Promise.resolve([]) }] };
    assert.deepEqual(
      problemsOf(() => strip(given)).map(({ key }) => key),
      ["mode", "images[0].signers"],
    );
  });

  it("leave everything else as it is", () => {
    const given = { a: [1, "x", true, null], b: { c: {} } };
    assert.deepEqual(strip(given), given);
  });
});
