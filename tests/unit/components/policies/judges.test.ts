import * as assert from "node:assert/strict";
import type { Json, Manifest } from "../../../../components/kubernetes/manifest";
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
  const { required, verifyDigest, mutateDigest } = verificationOf(ruleOf(policy, "signed-by-modulo"));
  return { required, verifyDigest, mutateDigest };
};
const preconditions = (rule: Json) => ((rule.preconditions as Json | undefined)?.all ?? []) as Json[];

describe("judging policies", () => {
  it("that enforce demand a verdict, pin digests and fail closed", () => {
    const policy = enforced();
    assert.deepEqual(flags(policy), { required: true, verifyDigest: false, mutateDigest: true });
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
    assert.deepEqual(verificationOf(ruleOf(policy, "signed-by-modulo")).imageReferences, [
      ...["ghcr.io/a/x-*:*", "ghcr.io/a/x-*@*"],
      ...["ghcr.io/b/x:*", "ghcr.io/b/x@*"],
    ]);
  });

  it("match by namespace and kind alone, so that rules for controllers are generated", () => {
    for (const policy of compile(settings({ mode: "enforce" })).policies.filter(
      (p) => !p.metadata.name.endsWith("-debug"),
    ))
      for (const rule of rulesOf(policy).filter((candidate) => candidate.verifyImages))
        assert.deepEqual(
          (rule.match as { any: { resources: Json }[] }).any[0]!.resources.kinds,
          ["Pod"],
          String(rule.name),
        );
  });

  it("tell a refused person who must sign and where to turn", () => {
    const rule = ruleOf(enforced({ runbookUrl: "https://wiki.example.com/bypass" }), "what-to-do-modulo");
    const [{ message, key, value }] = preconditions(rule) as [{ message: string; key: string; value: string }];
    assert.ok(
      key !== value && !key.includes("{{"),
      "Kyverno prints the message of a precondition that is not fulfilled",
    );
    assert.match(message, /ghcr\.io\/ikey168\/modulo-\*/);
    assert.match(message, /Ikey168\/Modulo\/\.github\/workflows\/docker-build\.yml@refs\/heads\/main/);
    assert.match(message, /https:\/\/wiki\.example\.com\/bypass/);
    assert.ok(
      !rulesOf(audited()).some(({ name }) => name === "what-to-do-modulo"),
      "no advice where nothing is refused",
    );
  });

  it("honour a bypass only where they enforce and one is configured", () => {
    const bypass = { groups: ["platform-oncall"] };
    const asks = (rule: Json) =>
      preconditions(rule).some(({ key }) => String(key).includes("policies.kyverno.io/skip"));
    assert.ok(asks(ruleOf(enforced({ bypass }), "signed-by-modulo")));
    assert.ok(asks(ruleOf(enforced({ bypass }), "every-image-has-a-signer")));
    assert.ok(!rulesOf(enforced()).some(asks));
    assert.ok(!rulesOf(audited({ bypass })).some(asks));
  });

  it("name themselves in the bypass, also in the sibling of the other mode", () => {
    const overrides = [{ namespace: "team-a", mode: "enforce" }];
    const compiled = compile(settings({ mode: "audit", namespaces: { overrides }, bypass: { groups: ["a"] } }));
    const [{ key }] = preconditions(
      ruleOf(policyOf(compiled, "verify-image-signatures-enforce"), "signed-by-modulo"),
    ) as [{ key: string }];
    assert.match(key, /'verify-image-signatures'/);
  });

  it("judge debug containers in a policy of their own that demands no recorded verdict", () => {
    const compiled = compile(settings({ mode: "enforce" }));
    const debug = policyOf(compiled, "require-signed-images-debug");
    const rule = ruleOf(debug, "debug-by-modulo");
    assert.deepEqual((rule.match as { any: { resources: Json }[] }).any[0]!.resources.kinds, [
      "Pod/ephemeralcontainers",
    ]);
    assert.equal(verificationOf(rule).required, false);
    assert.equal(debug.metadata.annotations?.["pod-policies.kyverno.io/autogen-controllers"], "none");
    const scope = (policy: Manifest) => [
      rulesOf(policy)[0]!.exclude,
      (rulesOf(policy)[0]!.match as { any: { resources: Json }[] }).any[0]!.resources.namespaces,
    ];
    assert.deepEqual(scope(debug), scope(policyOf(compiled, "require-signed-images")));
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
