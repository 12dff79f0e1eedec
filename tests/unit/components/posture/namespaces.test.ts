import * as assert from "node:assert/strict";
import type { NamespaceGroup } from "../../../../components/posture/types";
import { problemsOf } from "../../../support/problems";
import { postureOf, settings } from "../../../support/settings";

function groupsOf(namespaces: unknown, more: Record<string, unknown> = {}): Record<string, NamespaceGroup> {
  const posture = postureOf(settings({ namespaces, ...more }));
  return Object.fromEntries(posture.namespaces.map((group) => [group.name, group]));
}

const keysOf = (namespaces: unknown) => problemsOf(() => postureOf(settings({ namespaces }))).map(({ key }) => key);

describe("namespaces", () => {
  it("are classed by the documented defaults", () => {
    const groups = groupsOf(undefined, { mode: "enforce" });
    assert.deepEqual(groups.production!.patterns, ["prod", "prod-*", "production"]);
    assert.deepEqual(groups.development!.patterns, ["dev", "dev-*", "development"]);
    assert.deepEqual(groups.system!.patterns, ["kube-node-lease", "kube-public", "kube-system", "kyverno"]);
  });

  it("have the stack's mode, except that development is audited and system is left alone", () => {
    for (const mode of ["audit", "enforce"]) {
      const groups = groupsOf(undefined, { mode });
      assert.equal(groups.production!.mode, mode);
      assert.equal(groups.applications!.mode, mode);
      assert.equal(groups.development!.mode, "audit");
      assert.equal(groups.system!.mode, "excluded");
    }
  });

  it("are audited when the stack names no mode", () => {
    assert.equal(postureOf(settings()).mode, "audit");
    assert.equal(groupsOf(undefined).production!.mode, "audit");
  });

  it("count Kyverno's own namespace as a system one, whatever its name", () => {
    const { patterns } = groupsOf(undefined, { kyverno: { namespace: "policy" } }).system!;
    assert.ok(patterns.includes("policy") && !patterns.includes("kyverno"), patterns.join());
  });

  it("are listed in one order, however the configuration lists them", () => {
    const forth = postureOf(
      settings({ namespaces: { system: ["b", "a"], production: ["p2", "p1"], development: [] } }),
    );
    const back = postureOf(settings({ namespaces: { system: ["a", "b"], production: ["p1", "p2"], development: [] } }));
    assert.deepEqual(forth, back);
  });

  it("with overrides are listed in one order too", () => {
    const overrides = [
      { namespace: "team-b", mode: "enforce" },
      { namespace: "team-a", mode: "enforce" },
    ];
    const forth = postureOf(settings({ namespaces: { overrides } }));
    assert.deepEqual(postureOf(settings({ namespaces: { overrides: [...overrides].reverse() } })), forth);
  });

  it("may have no production or development class at all", () => {
    const posture = postureOf(settings({ mode: "enforce", namespaces: { production: [], development: [] } }));
    assert.ok(!posture.policies.some(({ role }) => role === "require-signed-images"));
    assert.deepEqual(
      posture.policies.filter(({ role }) => role === "verify-image-signatures").map(({ mode }) => mode),
      ["enforce"],
    );
  });

  describe("with overrides", () => {
    it("take an override out of its class and into a policy of the other mode", () => {
      const posture = postureOf(
        settings({ mode: "enforce", namespaces: { overrides: [{ namespace: "prod-new", mode: "audit" }] } }),
      );
      const plan = (name: string) => posture.policies.find((policy) => policy.name === name)!;
      assert.deepEqual(plan("require-signed-images").scopes[0]!.exclude, ["prod-new"]);
      assert.deepEqual(plan("require-signed-images-audit").scopes[0]!.include, ["prod-new"]);
      assert.equal(plan("require-signed-images-audit").failurePolicy, "Ignore");
    });

    it("may enforce a development namespace", () => {
      const posture = postureOf(
        settings({ mode: "audit", namespaces: { overrides: [{ namespace: "dev-gate", mode: "enforce" }] } }),
      );
      const plan = posture.policies.find(({ name }) => name === "verify-image-signatures-enforce")!;
      assert.deepEqual(
        plan.scopes.map(({ include }) => include),
        [["dev-gate"]],
      );
      assert.equal(plan.failurePolicy, "Fail");
    });

    it("change nothing where they repeat the class's mode", () => {
      const posture = postureOf(
        settings({ mode: "enforce", namespaces: { overrides: [{ namespace: "team-a", mode: "enforce" }] } }),
      );
      assert.deepEqual(posture.policies, postureOf(settings({ mode: "enforce" })).policies);
    });
  });

  describe("that two entries claim", () => {
    it("are refused with both keys", () => {
      assert.deepEqual(keysOf({ production: ["x-*"], development: ["*-y"] }), [
        "namespaces.production[0] and namespaces.development[0]",
      ]);
    });

    it("are refused also against a default list, which the key says", () => {
      const keys = keysOf({ production: ["d*"] });
      assert.equal(keys.length, 3);
      for (const key of keys)
        assert.match(key, /^namespaces\.production\[0\] and namespaces\.development \(default\)$/);
    });

    it("are refused for overrides that lie across a class", () => {
      assert.deepEqual(keysOf({ overrides: [{ namespace: "*-a", mode: "audit" }], development: [] }), [
        "namespaces.overrides[0].namespace and namespaces.production (default)",
      ]);
    });

    it("are fine where they mean the same", () => {
      const once = postureOf(settings({ namespaces: { production: ["live-*"], development: [] } }));
      const twice = postureOf(settings({ namespaces: { production: ["live-*", "live-*"], development: [] } }));
      assert.deepEqual(twice, once);
      postureOf(settings({ namespaces: { production: ["live-*", "live-a"], development: [] } }));
      const overrides = ["team-*", "team-a", "team-a"].map((namespace) => ({ namespace, mode: "audit" }));
      const { namespaces } = postureOf(settings({ mode: "enforce", namespaces: { overrides } }));
      assert.deepEqual(
        namespaces.filter(({ name }) => name.startsWith("override")).map(({ name }) => name),
        ["override team-*", "override team-a"],
      );
    });

    it("are refused where a name could keep Kyverno's matcher busy", () => {
      assert.deepEqual(keysOf({ production: ["*a*a*a*a*ab"], development: [] }), ["namespaces.production[0]"]);
    });

    it("are refused for two overrides", () => {
      const overrides = [
        { namespace: "team-*", mode: "audit" },
        { namespace: "team-a", mode: "enforce" },
      ];
      assert.deepEqual(keysOf({ overrides }), [
        "namespaces.overrides[0].namespace and namespaces.overrides[1].namespace",
      ]);
    });

    it("are refused where a system namespace is named again", () => {
      assert.deepEqual(keysOf({ production: ["kube-system"], overrides: [{ namespace: "kyverno", mode: "audit" }] }), [
        "namespaces.production[0]",
        "namespaces.overrides[0].namespace",
      ]);
    });
  });
});
