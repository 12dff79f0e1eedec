import * as assert from "node:assert/strict";
import type { Json, Manifest } from "../../../../components/kubernetes/manifest";
import type { ClusterPolicy, ImageVerification, Rule } from "../../../../components/policies/clusterPolicy";
import { RULE } from "../../../../components/policies/names";
import { inParts, LARGEST_POLICY } from "../../../../components/policies/parts";
import { GuardInputError } from "../../../../components/problems";
import { compile, rulesOf, settings } from "../../../support/settings";

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const entries = (count: number, ref: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => ({
    name: `app-${index}`,
    repositories: [`ghcr.io/example/app-${index}`],
    signers: [{ github: { repository: `example/app-${index}`, workflow: "build.yml", ref: ref(index) } }],
  }));
const policiesFor = (images: object[]): Manifest[] =>
  compile(settings({ images, mode: "enforce", bypass: { groups: ["platform-oncall"] } })).policies;
/** Made once: so many entries take seconds. */
const many = { different: [] as Manifest[], alike: [] as Manifest[] };
const sameSigner = (count: number) =>
  entries(count, () => "refs/heads/main").map((entry) => ({
    ...entry,
    signers: [{ github: { repository: "example/mono", workflow: "build.yml", ref: "refs/heads/main" } }],
  }));

describe("the size of policies", () => {
  before(() => {
    many.different = policiesFor(entries(500, () => "refs/heads/main"));
    many.alike = policiesFor(sameSigner(500));
  });

  for (const count of [1, 5, 20, 100, 500]) {
    it(`stays below what Kyverno can store with ${count} entries`, () => {
      const different = count === 500 ? many.different : policiesFor(entries(count, () => "refs/heads/main"));
      const alike = count === 500 ? many.alike : policiesFor(sameSigner(count));
      for (const policy of [...different, ...alike]) assert.ok(bytes(policy) <= LARGEST_POLICY, policy.metadata.name);
      const total = (policies: Manifest[]) => `${policies.length} policies, ${Math.ceil(bytes(policies) / 1000)} kB`;
      console.log(`      signers differ: ${total(different)}; the same signer: ${total(alike)}`);
    });
  }

  it("never loses a rule or puts two under one name", () => {
    const parts = many.different.filter(({ metadata }) => /^require-signed-images(-part-\d+)?$/.test(metadata.name));
    assert.ok(parts.length > 1);
    const rules = parts.flatMap(rulesOf).map(({ name }) => String(name));
    assert.equal(new Set(rules).size, rules.length);
    assert.equal(rules.filter((name) => name.startsWith("signed-by-")).length, 500);
    assert.equal(rules.filter((name) => name.startsWith(RULE.everyImageHasASigner)).length, 2);
    assert.ok(parts.every(({ metadata }) => metadata.labels?.["image-signing-guard/role"] === "require-signed-images"));
  });

  it("has one rule for a signer of many entries", () => {
    const [policy] = many.alike.filter(({ metadata }) => metadata.name === "require-signed-images");
    const verifying = rulesOf(policy!).filter(({ name }) => String(name).startsWith("signed-by-"));
    assert.equal(verifying.length, 1);
    assert.equal(((verifying[0]!.verifyImages as Json[])[0]!.imageReferences as string[]).length, 1000);
  });

  it("is refused in words where one rule alone is too large", () => {
    const [policy] = policiesFor(sameSigner(1)).filter(({ metadata }) => metadata.name === "require-signed-images");
    const { spec } = policy as ClusterPolicy;
    const [first] = spec.rules as [Rule & { verifyImages: ImageVerification[] }];
    const verifyImages = first.verifyImages.map((entry) => ({
      ...entry,
      imageReferences: ["x".repeat(LARGEST_POLICY)],
    }));
    const large = { ...(policy as ClusterPolicy), spec: { ...spec, rules: [{ ...first, verifyImages }] } };
    assert.throws(
      () => inParts(large),
      (error: unknown) =>
        error instanceof GuardInputError &&
        /rule signed-by-app-0 of .* alone takes \d+ bytes/.test(error.message) &&
        /join repositories by wildcards/.test(error.message),
    );
  });
});
