import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Manifest } from "../../../../components/kubernetes/manifest";
import { AUTOGEN_ANNOTATION, roleOf } from "../../../../components/policies/names";
import { GuardInputError } from "../../../../components/problems";
import { randomSettings } from "../../../support/arbitraries";
import { complaintsOf } from "../../../support/crd110";
import { CHART_VARIABLE, clusterPolicySchema, departures } from "../../../support/crdSchema";
import { fullSettings } from "../../../support/fullSettings";
import { compile, settings, stackSettings } from "../../../support/settings";

/** The policies of configurations that together use everything. */
async function manyPolicies(): Promise<Manifest[]> {
  const full = await fullSettings();
  const variants: Record<string, unknown>[] = [
    settings(),
    stackSettings("dev"),
    stackSettings("prod"),
    full,
    { ...full, mode: "audit" },
    { ...full, tags: "keep", uncovered: { production: "report", applications: "refuse" } },
    { ...full, bypass: undefined, failure: { enforce: "Ignore", audit: "Fail", enforceTimeoutSeconds: 10 } },
    { ...full, trust: undefined },
  ];
  return variants.flatMap((raw) => compile(raw).policies);
}

describe("policies and Kyverno 1.10.7", () => {
  let policies: Manifest[] = [];
  before(async () => {
    policies = await manyPolicies();
  });

  it("agree on every field, enumeration and rule name", () => {
    assert.deepEqual(policies.flatMap(complaintsOf), []);
  });

  it("agree whatever is configured", () => {
    fc.assert(
      fc.property(randomSettings(), (given) => {
        try {
          const target = { ...(given.kyverno as object | undefined), target: "1.10" };
          const compiled = compile({ ...given, kyverno: target });
          assert.deepEqual(compiled.policies.flatMap(complaintsOf), []);
        } catch (error) {
          if (error instanceof GuardInputError) return fc.pre(false);
          throw error;
        }
      }),
      { numRuns: 50 },
    );
  });

  it("agree by the schema of the chart's own definitions", function () {
    const found = clusterPolicySchema(process.env[CHART_VARIABLE]);
    if ("reason" in found) {
      (this as unknown as { skipReason: string }).skipReason = found.reason;
      return this.skip();
    }
    for (const policy of policies) assert.deepEqual(departures(policy, found.schema), [], policy.metadata.name);
    const spoilt = { ...policies[0]!, spec: { ...(policies[0]!.spec as object), admission: true } };
    assert.deepEqual(departures(spoilt, found.schema), [".spec.admission: is unknown"]);
  });

  it("have names that are unique within a stack", () => {
    for (const raw of [settings(), stackSettings("prod")]) {
      const names = compile(raw).policies.map(({ metadata }) => metadata.name);
      assert.deepEqual(names, [...new Set(names)]);
    }
  });

  it("leave no rule to Kyverno to make, whose status would then repeat it", () => {
    for (const policy of policies.filter(roleOf)) {
      assert.equal(policy.metadata.annotations?.[AUTOGEN_ANNOTATION], "none", policy.metadata.name);
      for (const { name } of (policy.spec as { rules: { name: string }[] }).rules)
        assert.ok(!name.startsWith("autogen-"), name);
    }
  });
});
