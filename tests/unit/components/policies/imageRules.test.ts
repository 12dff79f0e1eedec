import * as assert from "node:assert/strict";
import type { Json } from "../../../../components/kubernetes/manifest";
import { RULE } from "../../../../components/policies/names";
import { compile, policyOf, ruleOf, settings, specOf } from "../../../support/settings";

interface Reason {
  readonly key: string;
  readonly message: string;
}
const denialOf = (rule: Json) =>
  (rule.validate as { deny: { conditions: { any: Reason[]; all?: Reason[] } } }).deny.conditions;
const reasonsOf = (rule: Json) => denialOf(rule).any;

const EXEMPT = { repositories: ["registry.k8s.io/*"], reason: "Kubernetes" };
const compiled = (changes: Record<string, unknown> = {}) =>
  compile(settings({ mode: "enforce", uncovered: { exempt: [EXEMPT] }, ...changes }));

/** The regular expressions of a rule's first reason to deny, as Go would read them. */
function expressions(rule: Json): RegExp[] {
  return [...JSON.stringify(reasonsOf(rule)[0]!.key).matchAll(/regex_match\('((?:[^'\\]|\\.)*)'/g)].map(
    ([, source]) => {
      const text = JSON.parse(`"${source}"`) as string;
      return new RegExp(text.replace(/^\(\?i\)/, ""), text.startsWith("(?i)") ? "i" : "");
    },
  );
}

describe("rules for images without a signer", () => {
  it("refuse in production what is neither signed nor exempt", () => {
    const rule = ruleOf(policyOf(compiled(), "require-signed-images"), RULE.everyImageHasASigner);
    const [covered] = expressions(rule);
    for (const image of ["ghcr.io/ikey168/modulo-web", "registry.k8s.io/pause", "registry.k8s.io/a/b"])
      assert.ok(covered!.test(image), image);
    for (const image of [
      "ghcr.io/ikey168/other",
      "ghcr.io/ikey168/modulo",
      "docker.io/library/nginx",
      "evil.io/ghcr.io/ikey168/modulo-web",
      "ghcrxio/ikey168/modulo-web",
    ])
      assert.ok(!covered!.test(image), image);
  });

  it("say which images may be used", () => {
    const rule = ruleOf(policyOf(compiled(), "require-signed-images"), RULE.everyImageHasASigner);
    assert.match(reasonsOf(rule)[0]!.message, /ghcr\.io\/ikey168\/modulo-\*, registry\.k8s\.io\/\*/);
  });

  it("refuse elsewhere only other spellings of a covered image", () => {
    const [covered, alike] = expressions(
      ruleOf(policyOf(compiled(), "verify-image-signatures"), RULE.imagesAreSpelledPlainly),
    );
    const disguised = (image: string) => !covered!.test(image) && alike!.test(image);
    for (const image of ["GHCR.io/ikey168/modulo-web", "ghcr.io:443/ikey168/modulo-web", "ghcr.io/Ikey168/Modulo-web"])
      assert.ok(disguised(image), image);
    for (const image of [
      "ghcr.io/ikey168/modulo-web",
      "quay.io/a/b",
      "docker.io/library/nginx",
      "ghcr.io/ikey168/modulo",
    ])
      assert.ok(!disguised(image), image);
  });

  it("know Docker Hub by its other names", () => {
    const images = [
      {
        name: "web",
        repositories: ["docker.io/library/web", "docker.io/org/app"],
        signers: [{ key: { kms: "awskms:///alias/a" } }],
      },
    ];
    const [covered, alike] = expressions(
      ruleOf(policyOf(compiled({ images }), "verify-image-signatures"), RULE.imagesAreSpelledPlainly),
    );
    for (const image of [
      "index.docker.io/library/web",
      "registry-1.docker.io/org/app",
      "index.docker.io/web",
      "docker.com/org/app",
    ])
      assert.ok(!covered!.test(image) && alike!.test(image), image);
    for (const image of ["docker.io/library/web", "docker.io/web"]) assert.ok(covered!.test(image), image);
  });

  it("can be turned round for each class", () => {
    const turned = compiled({ uncovered: { production: "report", applications: "refuse" } });
    ruleOf(policyOf(turned, "require-signed-images"), RULE.imagesAreSpelledPlainly);
    ruleOf(policyOf(turned, "verify-image-signatures"), RULE.everyImageHasASigner);
  });

  it("let an update pass that leaves the images alone", () => {
    for (const [policy, rule] of [
      ["require-signed-images", RULE.everyImageHasASigner],
      ["verify-image-signatures", RULE.imagesAreSpelledPlainly],
    ])
      assert.match(
        denialOf(ruleOf(policyOf(compiled(), policy!), rule!)).all![0]!.key,
        /request\.operation != 'UPDATE'/,
      );
  });
});

describe("audit-unsigned-images", () => {
  const policy = () => policyOf(compiled(), "audit-unsigned-images");

  it("reports in every namespace, refuses nothing and asks no registry", () => {
    const { validationFailureAction, failurePolicy, background } = specOf(policy());
    // Kyverno reports after its answer, so it may share the webhook of those that refuse.
    assert.deepEqual([validationFailureAction, failurePolicy, background], ["Audit", "Fail", true]);
    const rule = ruleOf(policy(), RULE.imageHasASigner);
    assert.deepEqual(rule.match, { any: [{ resources: { kinds: ["Pod"], operations: ["CREATE", "UPDATE"] } }] });
    assert.ok(!("verifyImages" in rule));
    const alone = specOf(policyOf(compile(settings({ mode: "audit" })), "audit-unsigned-images"));
    assert.equal(alone.failurePolicy, "Ignore");
  });

  it("leaves out where such images are refused, and nowhere else", () => {
    const rule = ruleOf(policy(), RULE.imageHasASigner);
    assert.deepEqual(rule.exclude, { any: [{ resources: { namespaces: ["prod", "prod-*", "production"] } }] });
    const everywhere = policyOf(compiled({ uncovered: { applications: "refuse" } }), "audit-unsigned-images");
    const { resources } = (ruleOf(everywhere, RULE.imageHasASigner).match as { any: { resources: Json }[] }).any[0]!;
    assert.deepEqual(resources.namespaces, [
      ...["dev", "dev-*", "development"],
      ...["kube-node-lease", "kube-public", "kube-system", "kyverno"],
    ]);
    const nowhere = policyOf(compiled({ uncovered: { production: "report" } }), "audit-unsigned-images");
    assert.ok(!("exclude" in ruleOf(nowhere, RULE.imageHasASigner)));
  });

  it("reports exempt images too, since nobody signs them", () => {
    const [covered] = expressions(ruleOf(policy(), RULE.imageHasASigner));
    assert.ok(covered!.test("ghcr.io/ikey168/modulo-web"));
    assert.ok(!covered!.test("registry.k8s.io/pause"));
  });

  it("stands in a stack of either mode", () => {
    policyOf(compile(settings({ mode: "audit" })), "audit-unsigned-images");
    assert.equal(
      specOf(policyOf(compile(settings({ mode: "enforce" })), "audit-unsigned-images")).validationFailureAction,
      "Audit",
    );
  });
});
