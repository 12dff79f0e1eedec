import * as assert from "node:assert/strict";
import type { Json, Manifest } from "../../../../components/kubernetes/manifest";
import { UNTIL_FORMAT } from "../../../../components/policies/bypassTerms";
import { WORKLOAD_CONTROLLERS } from "../../../../components/policies/guardImageBypass";
import { RULE, roleOf } from "../../../../components/policies/names";
import { fullSettings } from "../../../support/fullSettings";
import { compile, policyOf, ruleOf, rulesOf, settings, specOf } from "../../../support/settings";

const BYPASS = {
  groups: ["platform-oncall"],
  users: ["alice@example.com"],
  serviceAccounts: ["ops:robot"],
  maxHours: 2,
};
const stack = (changes: Record<string, unknown> = {}) =>
  compile(settings({ mode: "enforce", bypass: BYPASS, ...changes }));
const namesOf = (changes: Record<string, unknown> = {}) => stack(changes).policies.map(({ metadata }) => metadata.name);
/** Kyverno's own idea of a variable (pkg/engine/variables/regex). */
const VARIABLE = /\{\{(?:\{[^{}]*\}|[^{}])*\}\}/g;

interface Reason {
  readonly key: string;
  readonly message: string;
}
/** Why a bypass is refused, in the order in which it is told. */
const reasons = (policy: Manifest): Reason[] =>
  (ruleOf(policy, RULE.bypassIsAllowed).validate as { deny: { conditions: { any: Reason[] } } }).deny.conditions.any;

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(textsOf) : [];
}

describe("guard-image-verdicts", () => {
  it("stands where something is enforced by a Kyverno that believes forged verdicts", () => {
    assert.ok(namesOf().includes("guard-image-verdicts"));
    assert.ok(!namesOf({ kyverno: { target: "1.19" } }).includes("guard-image-verdicts"));
    assert.ok(!namesOf({ mode: "audit" }).includes("guard-image-verdicts"));
    assert.ok(
      namesOf({ mode: "audit", namespaces: { overrides: [{ namespace: "a", mode: "enforce" }] } }).includes(
        "guard-image-verdicts",
      ),
    );
  });

  it("fails like the policies that it protects, in the same webhook call", () => {
    for (const enforce of ["Fail", "Ignore"]) {
      const compiled = stack({ failure: { enforce } });
      for (const name of ["guard-image-verdicts", "guard-image-bypass", "require-signed-images"])
        assert.equal(specOf(policyOf(compiled, name)).failurePolicy, enforce, name);
    }
  });

  it("forgets a brought-along verdict on creation and on update", () => {
    const policy = policyOf(stack(), "guard-image-verdicts");
    const removal = { op: "remove", path: "/metadata/annotations/kyverno.io~1verify-images" };
    for (const [name, operation] of [
      [RULE.forgetOnCreate, "CREATE"],
      [RULE.forgetOnUpdate, "UPDATE"],
    ]) {
      const rule = ruleOf(policy, name!);
      assert.deepEqual(JSON.parse((rule.mutate as { patchesJson6902: string }).patchesJson6902), [removal]);
      assert.deepEqual((rule.match as { any: { resources: Json }[] }).any[0]!.resources.operations, [operation]);
    }
    const restored = JSON.parse(
      (ruleOf(policy, RULE.restoreOnUpdate).mutate as { patchesJson6902: string }).patchesJson6902,
    );
    assert.deepEqual(restored, [
      { op: "add", path: "/metadata/annotations", value: { "kyverno.io/verify-images": "{}" } },
    ]);
    const reset = JSON.parse(
      (ruleOf(policy, RULE.resetOnUpdate).mutate as { patchesJson6902: string }).patchesJson6902,
    );
    assert.deepEqual(reset, [{ op: "add", path: removal.path, value: "{}" }]);
  });

  it("looks at every kind that carries pods", () => {
    const { kinds } = (
      ruleOf(policyOf(stack(), "guard-image-verdicts"), RULE.forgetOnCreate).match as {
        any: { resources: { kinds: string[] } }[];
      }
    ).any[0]!.resources;
    for (const kind of [
      "Pod",
      "Deployment",
      "StatefulSet",
      "DaemonSet",
      "ReplicaSet",
      "ReplicationController",
      "Job",
      "CronJob",
    ])
      assert.ok(kinds.includes(kind), kind);
  });
});

describe("guard-image-bypass", () => {
  it("stands only where a bypass is configured", () => {
    assert.ok(namesOf().includes("guard-image-bypass"));
    assert.ok(!namesOf({ bypass: undefined }).includes("guard-image-bypass"));
  });

  it("knows the caller, so it leaves out background scans", () => {
    assert.equal(specOf(policyOf(stack(), "guard-image-bypass")).background, false);
  });

  it("lets the configured people and Kubernetes' controllers through, by exact name", () => {
    const text = reasons(policyOf(stack(), "guard-image-bypass"))[0]!.key;
    const lists = [...text.matchAll(/contains\(`(\[[^`]*\])`/g)].map(([, list]) => JSON.parse(list!) as string[]);
    assert.deepEqual(lists, [
      ["alice@example.com", "system:serviceaccount:ops:robot", ...WORKLOAD_CONTROLLERS],
      ["platform-oncall"],
    ]);
  });

  it("says whom to ask, how long a bypass may last and where to read more", () => {
    const [byWhom, why, until, current] = reasons(
      policyOf(stack({ runbookUrl: "https://wiki.example.com/b" }), "guard-image-bypass"),
    ).map(({ message }) => message) as [string, string, string, string];
    assert.match(byWhom, /group platform-oncall, alice@example\.com/);
    assert.match(why, /https:\/\/wiki\.example\.com\/b$/);
    assert.match(until, /skip-until on the pod template/);
    assert.match(current, /at most 2 hours/);
  });

  it("takes real times with zone and nothing else", () => {
    const format = new RegExp(UNTIL_FORMAT);
    for (const good of ["2026-12-01T18:00:00Z", "2028-02-29T00:00:00+02:00", "2026-04-30T23:59:59-11:30"])
      assert.ok(format.test(good), good);
    for (const bad of [
      "",
      "2026-12-01",
      "2026-12-01T18:00:00",
      "2026-12-01T18:00Z",
      "2026-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-12-01T24:00:00Z",
      " 2026-12-01T18:00:00Z",
      "2026-12-01T18:00:00Z\n",
    ])
      assert.ok(!format.test(bad), JSON.stringify(bad));
  });
});

describe("every policy", () => {
  it("is written so that Kyverno finds the end of every variable", async () => {
    for (const policy of compile(await fullSettings()).policies)
      for (const rule of rulesOf(policy))
        for (const text of textsOf(rule))
          assert.ok(!/\{\{|\}\}/.test(text.replace(VARIABLE, "")), `${policy.metadata.name}: ${text}`);
  });

  it("has no variable in match, exclude or image references", async () => {
    for (const policy of compile(await fullSettings()).policies)
      for (const { match, exclude, verifyImages } of rulesOf(policy))
        for (const text of textsOf([
          match,
          exclude,
          ((verifyImages ?? []) as Json[]).map((entry) => entry.imageReferences),
        ]))
          assert.ok(!text.includes("{{"), text);
  });

  it("shows text of a request only without braces, which Kyverno would evaluate, and cut", async () => {
    for (const policy of compile(await fullSettings()).policies)
      for (const text of textsOf(policy.spec)) {
        const variables = text.match(VARIABLE) ?? [];
        const isMessage = variables.join("") !== text;
        for (const variable of isMessage ? variables : [])
          assert.match(variable, /^\{\{ truncate\(regex_replace_all\('\[\{\}\]', .*, ''\), `\d+`\) \}\}$/);
      }
  });

  it("never keeps anything from being deleted", async () => {
    for (const policy of compile(await fullSettings()).policies.filter(roleOf))
      for (const { name, match } of rulesOf(policy))
        for (const { resources } of (match as { any: { resources: { operations?: string[] } }[] }).any)
          assert.ok(
            resources.operations?.every((operation) => operation === "CREATE" || operation === "UPDATE"),
            `${policy.metadata.name}: ${name}`,
          );
  });

  it("never compares a user's annotation by NotEquals, which a number dodges", async () => {
    for (const policy of compile(await fullSettings()).policies)
      assert.ok(
        !/annotations[^{}]*\}\}","operator":"NotEquals"/.test(JSON.stringify(policy.spec)),
        policy.metadata.name,
      );
  });

  it("says that this package manages it", () => {
    for (const { metadata } of stack().policies) {
      assert.equal(metadata.labels?.["app.kubernetes.io/managed-by"], "image-signing-guard");
      assert.ok(
        ["low", "medium", "high"].includes(metadata.annotations?.["policies.kyverno.io/severity"] ?? ""),
        metadata.name,
      );
    }
  });
});
