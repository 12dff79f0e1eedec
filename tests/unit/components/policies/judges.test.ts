import * as assert from "node:assert/strict";
import type { Json, Manifest } from "../../../../components/kubernetes/manifest";
import { entryRule, orBypassed, RULE } from "../../../../components/policies/names";
import { fullSettings } from "../../../support/fullSettings";
import {
  compile,
  imageSettings,
  policyOf,
  ruleOf,
  rulesOf,
  settings,
  specOf,
  verificationOf,
} from "../../../support/settings";

const enforced = (changes: Record<string, unknown> = {}) =>
  policyOf(compile(settings({ mode: "enforce", ...changes })), "require-signed-images");
const audited = (changes: Record<string, unknown> = {}) =>
  policyOf(compile(settings({ mode: "audit", ...changes })), "require-signed-images");
const flags = (policy: Manifest) => {
  const { required, verifyDigest, mutateDigest } = verificationOf(ruleOf(policy, entryRule("signedBy", "modulo")));
  return { required, verifyDigest, mutateDigest };
};
const preconditions = (rule: Json) => ((rule.preconditions as Json | undefined)?.all ?? []) as Json[];

describe("judging policies", () => {
  it("that enforce demand Kyverno's record, pin digests and fail closed", () => {
    const policy = enforced();
    assert.deepEqual(flags(policy), { required: false, verifyDigest: false, mutateDigest: true });
    assert.match(JSON.stringify(ruleOf(policy, RULE.everyImageHasASigner)), /unverified image/);
    assert.doesNotMatch(JSON.stringify(ruleOf(audited(), RULE.everyImageHasASigner)), /unverified image/);
    const { validationFailureAction, failurePolicy, webhookTimeoutSeconds, background } = specOf(policy);
    assert.deepEqual(
      [validationFailureAction, failurePolicy, webhookTimeoutSeconds, background],
      ["Enforce", "Fail", 30, true],
    );
  });

  it("that audit change nothing, demand nothing and fail open", () => {
    const policy = audited();
    assert.deepEqual(flags(policy), { required: false, verifyDigest: false, mutateDigest: false });
    const { validationFailureAction, failurePolicy, webhookTimeoutSeconds, background } = specOf(policy);
    assert.deepEqual(
      [validationFailureAction, failurePolicy, webhookTimeoutSeconds, background],
      ["Audit", "Ignore", 10, true],
    );
  });

  it("leave tags alone on request", () => {
    assert.equal(flags(enforced({ tags: "keep" })).mutateDigest, false);
  });

  it("take failure policies and time limits from the stack", () => {
    const failure = { enforce: "Ignore", audit: "Fail", enforceTimeoutSeconds: 20, auditTimeoutSeconds: 15 };
    assert.deepEqual(
      [specOf(enforced({ failure })).failurePolicy, specOf(enforced({ failure })).webhookTimeoutSeconds],
      ["Ignore", 20],
    );
    assert.deepEqual(
      [specOf(audited({ failure })).failurePolicy, specOf(audited({ failure })).webhookTimeoutSeconds],
      ["Fail", 15],
    );
  });

  it("look at tags and digests of every repository", () => {
    const policy = policyOf(
      compile(imageSettings({ repositories: ["ghcr.io/b/x", "ghcr.io/a/x-*"] })),
      "verify-image-signatures",
    );
    assert.deepEqual(verificationOf(ruleOf(policy, entryRule("signedBy", "modulo"))).imageReferences, [
      ...["ghcr.io/a/x-*"],
      ...["ghcr.io/b/x:*", "ghcr.io/b/x@*"],
    ]);
  });

  it("look at pods, their templates and their debug containers in policies of their own", () => {
    const compiled = compile(settings({ mode: "enforce" }));
    const kindsOf = (name: string) =>
      rulesOf(policyOf(compiled, name)).map(
        ({ match }) => (match as { any: { resources: { kinds: string[] } }[] }).any[0]!.resources.kinds,
      );
    for (const role of ["require-signed-images", "verify-image-signatures"]) {
      for (const kinds of kindsOf(role)) assert.deepEqual(kinds, ["Pod"]);
      for (const kinds of kindsOf(`${role}-debug`)) assert.deepEqual(kinds, ["Pod/ephemeralcontainers"]);
      for (const kinds of kindsOf(`${role}-templates`))
        assert.deepEqual(kinds, [
          ...["CronJob", "DaemonSet", "Deployment", "Job"],
          ...["ReplicaSet", "ReplicationController", "StatefulSet"],
        ]);
    }
  });

  it("judge pods that ask for a bypass, and those that don't, by rules of which each meets one", () => {
    const policy = enforced({ bypass: { groups: ["platform-oncall"] } });
    const asking = { "policies.kyverno.io/skip": "*" };
    for (const [plain, bypassing] of [
      [entryRule("signedBy", "modulo"), entryRule("orBypassed", "modulo")],
      [RULE.everyImageHasASigner, orBypassed(RULE.everyImageHasASigner)],
    ] as const) {
      const { match, exclude, preconditions: conditions, name: _, ...does } = ruleOf(policy, plain);
      const {
        match: matchToo,
        exclude: excludeToo,
        preconditions: conditionsToo,
        name: __,
        ...doesToo
      } = ruleOf(policy, bypassing);
      assert.deepEqual(does, doesToo);
      assert.equal(conditions, undefined, "whoever asks for nothing pays for no question");
      assert.ok(conditionsToo);
      const [mine] = (match as { any: { resources: Json }[] }).any;
      assert.deepEqual((matchToo as { any: Json[] }).any, [{ resources: { ...mine!.resources, annotations: asking } }]);
      assert.deepEqual((exclude as { any: Json[] }).any, [
        { resources: { annotations: asking } },
        ...((excludeToo as { any: Json[] } | undefined)?.any ?? []),
      ]);
    }
  });

  it("share a rule among entries that the same people sign", () => {
    const signers = [{ key: { kms: "awskms:///alias/a" } }];
    const images = [
      { name: "a", repositories: ["ghcr.io/o/a"], signers },
      { name: "b", repositories: ["ghcr.io/o/b"], signers: [{ key: { kms: "awskms:///alias/b" } }] },
      { name: "c", repositories: ["ghcr.io/o/c"], signers },
    ];
    const policy = enforced({ images });
    const verifying = rulesOf(policy).filter((rule) => String(rule.name).startsWith("signed-by-"));
    assert.deepEqual(
      verifying.map((rule) => [rule.name, verificationOf(rule).imageReferences]),
      [
        [entryRule("signedBy", "a"), ["ghcr.io/o/a:*", "ghcr.io/o/a@*", "ghcr.io/o/c:*", "ghcr.io/o/c@*"]],
        [entryRule("signedBy", "b"), ["ghcr.io/o/b:*", "ghcr.io/o/b@*"]],
      ],
    );
  });

  it("of a stack that enforces judge development's pods by scans alone, and their workloads at once", () => {
    const preconditionsIn = (changes: Record<string, unknown>, name: string) =>
      preconditions(
        ruleOf(policyOf(compile(settings({ mode: "enforce", ...changes })), name), entryRule("signedBy", "modulo")),
      );
    const scanned = preconditionsIn({}, "verify-image-signatures-audit");
    assert.deepEqual(
      scanned.map(({ key, value }) => [key, value]),
      [["{{ request.uid || '' }}", ""]],
    );
    assert.deepEqual(preconditionsIn({}, "verify-image-signatures-audit-templates"), []);
    // Somebody is migrating: short-lived pods must be seen.
    const overrides = [{ namespace: "team-a", mode: "audit" }];
    assert.deepEqual(preconditionsIn({ namespaces: { overrides } }, "verify-image-signatures-audit"), []);
    assert.deepEqual(preconditionsIn({ mode: "audit" }, "verify-image-signatures"), []);
  });

  it("tell a refused person who must sign and where to turn", () => {
    const rule = ruleOf(enforced({ runbookUrl: "https://wiki.example.com/bypass" }), entryRule("advice", "modulo"));
    const [{ message, key, value }] = preconditions(rule) as [{ message: string; key: number; value: number }];
    assert.ok(key !== value, "Kyverno prints the message of a precondition that is not fulfilled");
    assert.match(message, /ghcr\.io\/ikey168\/modulo-\*/);
    assert.match(message, /Ikey168\/Modulo\/\.github\/workflows\/docker-build\.yml@refs\/heads\/main/);
    assert.match(message, /https:\/\/wiki\.example\.com\/bypass/);
    assert.ok(
      !rulesOf(audited()).some(({ name }) => name === entryRule("advice", "modulo")),
      "no advice where nothing is refused",
    );
  });

  it("honour a bypass only where they enforce and one is configured", () => {
    const bypass = { groups: ["platform-oncall"] };
    const asks = (rule: Json) =>
      preconditions(rule).some(({ key }) => String(key).includes("policies.kyverno.io/skip"));
    assert.ok(asks(ruleOf(enforced({ bypass }), entryRule("orBypassed", "modulo"))));
    assert.ok(asks(ruleOf(enforced({ bypass }), orBypassed(RULE.everyImageHasASigner))));
    assert.ok(!rulesOf(enforced()).some(asks));
    assert.ok(!rulesOf(audited({ bypass })).some(asks));
  });

  it("name themselves in the bypass, also in the sibling of the other mode", () => {
    const overrides = [{ namespace: "team-a", mode: "enforce" }];
    const compiled = compile(settings({ mode: "audit", namespaces: { overrides }, bypass: { groups: ["a"] } }));
    const [{ key }] = preconditions(
      ruleOf(policyOf(compiled, "verify-image-signatures-enforce"), entryRule("orBypassed", "modulo")),
    ) as [{ key: string }];
    assert.match(key, /'verify-image-signatures'/);
  });

  it("judge debug containers in a policy of their own that demands no recorded verdict", () => {
    const compiled = compile(settings({ mode: "enforce", bypass: { groups: ["platform-oncall"] } }));
    const debug = policyOf(compiled, "require-signed-images-debug");
    assert.doesNotMatch(JSON.stringify(debug), /unverified image/);
    // The request may bring annotations along that the API server then drops.
    const asked = JSON.stringify(rulesOf(debug).map((rule) => rule.preconditions));
    assert.match(asked, /request\.oldObject\.metadata\.annotations/);
    assert.doesNotMatch(asked, /request\.object\.metadata\.annotations/);
    const scope = (policy: Manifest) => [
      rulesOf(policy)[0]!.exclude,
      (rulesOf(policy)[0]!.match as { any: { resources: Json }[] }).any[0]!.resources.namespaces,
    ];
    assert.deepEqual(scope(debug), scope(policyOf(compiled, "require-signed-images-templates")));
  });

  it("keep the signature repository and attestations of an entry", async () => {
    const policy = policyOf(compile(await fullSettings()), "require-signed-images");
    const entry = verificationOf(ruleOf(policy, `signed-by-${"x".repeat(29)}`));
    assert.equal(entry.repository, "ghcr.io/ikey168/signatures");
    const [attestation] = entry.attestations as Json[];
    assert.equal(attestation!.predicateType, "https://slsa.dev/provenance/v1");
    assert.deepEqual(attestation!.conditions, [{ all: [{ key: "{{ builder.id }}", operator: "Equals", value: "x" }] }]);
    assert.equal((attestation!.attestors as Json[])[0]!.count, 1);
  });
});
