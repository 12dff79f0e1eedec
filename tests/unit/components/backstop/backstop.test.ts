import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { backstopDrift } from "../../../../components/backstop/drift";
import type { Json, Manifest } from "../../../../components/kubernetes/manifest";
import { isGuard } from "../../../../components/policies/names";
import { inScopes, text } from "../../../../components/posture/cel";
import { enforcedScopes, scopeHas } from "../../../../components/posture/namespaces";
import { GuardInputError } from "../../../../components/problems";
import { NAMESPACES, randomSettings } from "../../../support/arbitraries";
import { compile, postureOf, settings, warningsOf } from "../../../support/settings";

const ENFORCE = { mode: "enforce" };
const backstopOf = (changes: Record<string, unknown> = ENFORCE) => compile(settings(changes)).backstop;
const named = (manifests: readonly Manifest[], name: string) => {
  const found = manifests.find(({ metadata }) => metadata.name === name);
  assert.ok(found, `no ${name} among ${manifests.map(({ metadata }) => metadata.name).join(", ")}`);
  return found;
};
const specOf = (manifest: Manifest) => manifest.spec as Record<string, Json & Json[]>;
const NAMES = {
  policies: "image-signing-guard-namespaced-policies",
  size: "image-signing-guard-pod-size",
  ready: "image-signing-guard-ready-policies",
  webhooks: ["image-signing-guard-mutating-webhook", "image-signing-guard-validating-webhook"],
};
const namesOf = (manifests: readonly Manifest[]) =>
  [...new Set(manifests.filter(({ kind }) => !kind.endsWith("Binding")).map(({ metadata }) => metadata.name))].sort();

/** What little of CEL the scopes use, as JavaScript. */
const evaluate = (expression: string, namespace: string) =>
  new Function("request", `return ${expression}`)({
    namespace: { matches: (regex: string) => new RegExp(regex).test(namespace) },
  }) as boolean;

describe("backstop", () => {
  it("is all there where something enforces", () => {
    assert.deepEqual(namesOf(backstopOf()), [...NAMES.webhooks, NAMES.policies, NAMES.size].sort());
    const one = { mode: "audit", namespaces: { overrides: [{ namespace: "shop", mode: "enforce" }] } };
    assert.deepEqual(namesOf(backstopOf(one)), namesOf(backstopOf()));
  });

  it("waits for ready policies on the line that judges by no other, and only there", () => {
    const { ready } = NAMES;
    const later = { ...ENFORCE, kyverno: { target: "1.19" } };
    assert.ok(!namesOf(backstopOf()).includes(ready));
    assert.ok(namesOf(backstopOf(later)).includes(ready));
    assert.ok(!namesOf(backstopOf({ ...later, failure: { enforce: "Ignore" } })).includes(ready));
    const [start, update] = backstopOf(later)
      .filter(({ kind, metadata }) => kind.endsWith("Binding") && metadata.name.includes("ready"))
      .map(({ spec }) => spec as Record<string, Json>);
    const paramRef = start!.paramRef as Record<string, Json>;
    assert.equal(paramRef.parameterNotFoundAction, "Deny");
    assert.equal((update!.paramRef as Record<string, Json>).parameterNotFoundAction, "Allow");
    const roles = JSON.stringify(paramRef.selector);
    for (const role of ["require-signed-images", "verify-image-signatures", "guard-image-bypass"])
      assert.ok(roles.includes(role), roles);
  });

  it("knows every kind of a namespace that runs with Kyverno's rights, for each line", () => {
    const kinds = (target: string) => {
      const policy = backstopOf({ ...ENFORCE, kyverno: { target } }).find(
        ({ metadata }) => metadata.name === NAMES.policies,
      )!;
      const { resourceRules } = (
        policy.spec as { matchConstraints: { resourceRules: { apiGroups: string[]; resources: string[] }[] } }
      ).matchConstraints;
      return resourceRules.flatMap(({ apiGroups, resources }) => resources.map((one) => `${one}.${apiGroups[0]}`));
    };
    assert.deepEqual(kinds("1.10"), ["policies.kyverno.io"]);
    const later = kinds("1.19");
    assert.equal(later.length, 7);
    for (const one of ["cleanuppolicies.kyverno.io", "namespacedmutatingpolicies.policies.kyverno.io"])
      assert.ok(later.includes(one), one);
  });

  it("refuses nothing where everything is audited, unless the stack names who may write policies", () => {
    for (const mode of ["audit", undefined])
      assert.deepEqual(backstopOf({ ...(mode ? { mode } : {}), backstop: { maxContainers: 5 } }), []);
    const asked = backstopOf({ mode: "audit", backstop: { policyAuthors: { groups: ["platform"] } } });
    assert.deepEqual(namesOf(asked), [NAMES.policies]);
  });

  it("is off when the stack says so, in the posture too", () => {
    const off = { ...ENFORCE, backstop: { enabled: false } };
    assert.deepEqual(backstopOf(off), []);
    assert.equal(postureOf(settings(off)).backstop, undefined);
  });

  it("does not ask for webhooks where the stack lets everything in while Kyverno is down", () => {
    const open = backstopOf({ ...ENFORCE, failure: { enforce: "Ignore" } });
    assert.deepEqual(namesOf(open), [NAMES.policies, NAMES.size].sort());
  });

  it("does not ask for webhooks that chart values of the stack's own change, and warns", () => {
    for (const values of [
      { features: { forceFailurePolicyIgnore: { enabled: true } } },
      { config: { webhooks: [] } },
      { admissionController: { container: { extraArgs: { autoUpdateWebhooks: false } } } },
    ]) {
      const changed = { ...ENFORCE, kyverno: { values, allowUnsafeValues: true } };
      assert.deepEqual(namesOf(backstopOf(changed)), [NAMES.policies, NAMES.size].sort());
      assert.match(warningsOf(settings(changed)).join(), /pods get in unverified/);
    }
  });

  it("holds in exactly the namespaces that are enforced, whatever the settings", () => {
    let compared = 0;
    fc.assert(
      fc.property(randomSettings(), (raw) => {
        let posture: ReturnType<typeof postureOf>;
        try {
          posture = postureOf(raw);
        } catch (error) {
          if (error instanceof GuardInputError) return;
          throw error;
        }
        const scopes = posture.backstop?.scopes ?? [];
        const enforced = enforcedScopes(posture);
        for (const namespace of NAMESPACES) {
          const wanted = enforced.some((scope) => scopeHas(scope, namespace));
          assert.equal(scopes.length > 0 && evaluate(inScopes(scopes), namespace), wanted, namespace);
          compared++;
        }
      }),
      { numRuns: 300 },
    );
    assert.ok(compared > 100, `only ${compared} compared`);
  });

  it("holds in an enforced namespace that a wildcard of another class matches too", () => {
    const namespaces = {
      production: [],
      development: ["prod-a", "prod-a*"],
      overrides: [{ namespace: "prod-a", mode: "enforce" }],
    };
    const posture = postureOf(settings({ ...ENFORCE, namespaces }));
    for (const scopes of [posture.backstop!.scopes, posture.policies.find(({ role }) => isGuard(role))!.scopes]) {
      const holds = (namespace: string) => scopes.some((scope) => scopeHas(scope, namespace));
      assert.ok(holds("prod-a"));
      assert.ok(holds("shop"));
      assert.ok(!holds("prod-ab"));
    }
  });

  it("never selects a namespace of the system or of a development class by name", () => {
    for (const kind of ["mutating", "validating"]) {
      const [excluded] = (
        specOf(named(backstopOf(), `run-image-signing-guard-doctor-${kind}`)).matchResources as unknown as {
          namespaceSelector: { matchExpressions: { operator: string; values: string[] }[] };
        }
      ).namespaceSelector.matchExpressions;
      assert.equal(excluded!.operator, "NotIn");
      for (const name of ["kube-system", "kube-public", "kube-node-lease", "kyverno", "dev", "development"])
        assert.ok(excluded!.values.includes(name), name);
      for (const name of ["production", "prod", "shop"]) assert.ok(!excluded!.values.includes(name), name);
    }
  });

  it("names a development namespace that is enforced after all", () => {
    const gate = { ...ENFORCE, namespaces: { overrides: [{ namespace: "development", mode: "enforce" }] } };
    const text = JSON.stringify(named(backstopOf(gate), "run-image-signing-guard-doctor-mutating"));
    assert.ok(!text.includes('"development"'), text);
    assert.ok(text.includes('"dev"'), text);
  });

  it("refuses where a configuration is absent, but no update of what is there", () => {
    for (const kind of ["mutating", "validating"]) {
      const paramRef = (name: string) => specOf(named(backstopOf(), name)).paramRef as Json;
      const name = `kyverno-resource-${kind}-webhook-cfg`;
      assert.deepEqual(paramRef(`run-image-signing-guard-doctor-${kind}`), { name, parameterNotFoundAction: "Deny" });
      assert.deepEqual(paramRef(`run-image-signing-guard-doctor-${kind}-update`), {
        name,
        parameterNotFoundAction: "Allow",
      });
    }
  });

  it("never has a say in a deletion", () => {
    assert.ok(!JSON.stringify(backstopOf()).includes("DELETE"));
  });

  it("tells what to do in every refusal that can carry a text", () => {
    const messages = backstopOf()
      .filter(({ kind }) => kind === "ValidatingAdmissionPolicy")
      .flatMap((manifest) => (specOf(manifest).validations as Json[]).map(({ message }) => String(message)));
    assert.equal(messages.length, 3);
    for (const message of messages) {
      assert.match(message, /image-signing-guard doctor|Ask the platform team/);
      // The API server takes no message with line breaks.
      assert.ok(!message.includes("\n"), message);
    }
  });

  it("lets the configured people write namespaced policies, and nobody without them", () => {
    const expressionOf = (backstop: Json) =>
      String(
        (specOf(named(backstopOf({ ...ENFORCE, backstop }), NAMES.policies)).validations as Json[])[0]!.expression,
      );
    const people = expressionOf({ policyAuthors: { groups: ["it's"], serviceAccounts: ["flux:flux"] } });
    assert.match(people, /username in \['system:serviceaccount:flux:flux'\]/);
    assert.match(people, /g in \['it\\'s'\]/);
    assert.match(expressionOf({}), /username in \[\] .* g in \[\]/);
  });

  it("comes before Kyverno's own configurations, which are asked by name", () => {
    const size = named(backstopOf(), NAMES.size);
    assert.ok(size.metadata.name < "kyverno-resource-mutating-webhook-cfg");
    for (const hook of size.webhooks as Json[]) {
      assert.ok((hook.matchConditions as Json[]).length > 0, "without a condition it would refuse every pod");
      assert.match(String(hook.name), /^at-most-50-containers\.[a-z]+\.image-signing-guard$/);
      assert.match(
        JSON.stringify(hook.namespaceSelector),
        /"NotIn","values":\["kube-node-lease","kube-public","kube-system","kyverno"\]/,
      );
    }
  });

  it("takes the stack's own largest number of containers", () => {
    const own = { ...ENFORCE, backstop: { maxContainers: 7 } };
    assert.match(JSON.stringify(named(backstopOf(own), NAMES.size)), /at-most-7-containers.* > 7"/);
  });

  it("quotes what could end a text", () => {
    assert.equal(text("a'b\\c"), "'a\\'b\\\\c'");
  });

  describe("as it is in the cluster", () => {
    const wanted = named(backstopOf(), NAMES.webhooks[0]!);
    const live = (change: (spec: Json) => Json = () => ({})): Manifest => {
      const copy = structuredClone(wanted) as Manifest & { spec: Json };
      // What the API server adds.
      Object.assign(copy.spec.matchConstraints as Json, { namespaceSelector: {}, objectSelector: {} });
      for (const rule of (copy.spec.matchConstraints as { resourceRules: Json[] }).resourceRules) rule.scope = "*";
      return { ...copy, spec: { ...copy.spec, ...change(copy.spec) } };
    };

    it("is unchanged with what the API server adds", () => {
      for (const manifest of backstopOf()) assert.equal(backstopDrift(manifest, manifest), undefined);
      assert.equal(backstopDrift(wanted, live()), undefined);
    });

    const constraints = (more: Json) => (spec: Json) => ({
      matchConstraints: { ...(spec.matchConstraints as Json), ...more },
    });
    for (const [what, change, where] of [
      ["ignores failures", () => ({ failurePolicy: "Ignore" }), /failurePolicy/],
      ["has no validation", () => ({ validations: [] }), /validations/],
      [
        "has one more condition",
        (spec: Json) => ({
          matchConditions: [...(spec.matchConditions as Json[]), { name: "x", expression: "false" }],
        }),
        /matchConditions/,
      ],
      ["has a selector", constraints({ namespaceSelector: { matchLabels: { a: "b" } } }), /namespaceSelector/],
      ["excludes resources", constraints({ excludeResourceRules: [{ resources: ["pods"] }] }), /excludeResourceRules/],
    ] as const) {
      it(`is noticed when it ${what}`, () => {
        assert.match(backstopDrift(wanted, live(change)) ?? "nothing", where);
      });
    }

    it("is noticed when a binding only warns", () => {
      const binding = named(backstopOf(), NAMES.policies);
      const one = backstopOf().find(
        ({ kind, metadata }) => kind.endsWith("Binding") && metadata.name === binding.metadata.name,
      )!;
      const changed = { ...one, spec: { ...(one.spec as Json), validationActions: ["Warn"] } };
      assert.match(backstopDrift(one, changed) ?? "", /validationActions/);
      const narrowed = { ...one, spec: { ...(one.spec as Json), matchResources: { namespaceSelector: { a: 1 } } } };
      assert.match(backstopDrift(one, narrowed) ?? "", /matchResources/);
    });
  });
});

describe("network policy of the admission controller", () => {
  it("is there only where the API servers' addresses are known", () => {
    assert.equal(compile(settings(ENFORCE)).networkPolicy, undefined);
    const { networkPolicy } = compile(settings({ kyverno: { apiServerAddresses: ["10.0.0.0/28"] } }));
    const { ingress, podSelector } = networkPolicy!.spec as { ingress: Json[]; podSelector: Json };
    assert.deepEqual(ingress[0], {
      from: [
        { ipBlock: { cidr: "10.0.0.0/28" } },
        { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } },
      ],
      ports: [{ protocol: "TCP", port: 9443 }],
    });
    assert.deepEqual(ingress[1], { ports: [{ protocol: "TCP", port: 8000 }] });
    assert.match(JSON.stringify(podSelector), /admission-controller/);
  });
});
