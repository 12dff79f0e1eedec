import * as assert from "node:assert/strict";
import { imageReferences, repositoryCovered } from "../../../../components/posture/images";
import { kyvernoWildcard } from "../../../support/kyvernoMatch";
import { problemsOf } from "../../../support/problems";
import { compile, imageSettings, MODULO, policyOf, postureOf, settings, warningsOf } from "../../../support/settings";

const DIGEST = `sha256:${"a".repeat(64)}`;
const entry = (name: string, ...repositories: string[]) => ({ ...MODULO, name, repositories });
const keysOf = (raw: unknown) => problemsOf(() => postureOf(raw)).map(({ key }) => key);

describe("images", () => {
  it("are covered by tag and by digest alike", () => {
    const matches = (image: string) =>
      imageReferences("ghcr.io/a/app").some((pattern) => kyvernoWildcard(pattern, image));
    assert.ok(matches("ghcr.io/a/app:v1"));
    assert.ok(matches(`ghcr.io/a/app@${DIGEST}`));
    assert.ok(!matches("ghcr.io/a/app-evil:v1"));
    assert.ok(!matches(`ghcr.io/a/app-evil@${DIGEST}`));
    assert.ok(!matches("ghcr.io/a/app/sub:v1"));
  });

  it("with wildcards cover what begins alike", () => {
    assert.ok(repositoryCovered(["ghcr.io/a/app-*"], "ghcr.io/a/app-web:v1"));
    assert.ok(repositoryCovered(["ghcr.io/a/app-*"], `ghcr.io/a/app-web@${DIGEST}`));
    assert.ok(!repositoryCovered(["ghcr.io/a/app-*"], "ghcr.io/a/app:v1"));
    assert.ok(!repositoryCovered([], "ghcr.io/a/app:v1"));
  });

  it("may come from a registry with a port", () => {
    assert.ok(repositoryCovered(["localhost:5000/app"], "localhost:5000/app:v1"));
    postureOf(imageSettings({ repositories: ["localhost:5000/app", "localhost/app"] }));
  });

  it("are refused where two entries could judge one", () => {
    const raw = settings({ images: [entry("a", "ghcr.io/x/*"), entry("b", "quay.io/y/z", "ghcr.io/*/app")] });
    assert.deepEqual(keysOf(raw), ["images[0].repositories[0] and images[1].repositories[1]"]);
  });

  it("may be named twice within one entry, among exemptions, and by an exemption around an entry, which wins", () => {
    postureOf(imageSettings({ repositories: ["ghcr.io/x/*", "ghcr.io/x/y"] }));
    const exempt = (...repositories: string[]) =>
      settings({
        uncovered: { exempt: repositories.map((repository) => ({ repositories: [repository], reason: "x" })) },
      });
    postureOf(exempt("quay.io/a/*", "quay.io/a/b"));
    postureOf(exempt("ghcr.io/ikey168/*"));
    const { repositories } = postureOf(imageSettings({ repositories: ["ghcr.io/x/y", "ghcr.io/x/y"] })).images[0]!;
    assert.deepEqual(repositories, ["ghcr.io/x/y"]);
  });

  it("say why nothing can be taken out of an entry", () => {
    const raw = settings({ images: [entry("a", "ghcr.io/x/*"), entry("b", "ghcr.io/x/y")] });
    assert.match(problemsOf(() => postureOf(raw))[0]!.fix, /no "all but"/);
  });

  it("are refused with a wildcard in the registry's name, unless there is a reason, and then reach registries only", () => {
    const acceptWildcardReason = "our accounts only";
    for (const repository of ["*/*", "*.dkr.ecr.*.amazonaws.com/team/*", "ghcr.io*/x"]) {
      assert.deepEqual(
        keysOf(imageSettings({ repositories: [repository] })),
        ["images[0].repositories[0]"],
        repository,
      );
      const raw = imageSettings({ repositories: [repository], acceptWildcardReason });
      assert.match(warningsOf(raw).join(), /Kyverno ask every host.*our accounts only/);
    }
    const exempt = { repositories: ["*.corp.internal/mirror/*"], reason: "mirrored by us" };
    assert.deepEqual(keysOf(settings({ uncovered: { exempt: [exempt] } })), ["uncovered.exempt[0].repositories[0]"]);
    const raw = settings({ mode: "enforce", uncovered: { exempt: [{ ...exempt, acceptWildcardReason }] } });
    const { repositories } = postureOf(raw).exempt[0]!;
    assert.ok(repositoryCovered(repositories, "hub.corp.internal/mirror/nginx:1"));
    assert.ok(!repositoryCovered(repositories, "evil.tld/x.corp.internal/mirror/nginx:1"));
    const rules = JSON.stringify(policyOf(compile(raw), "require-signed-images"));
    assert.ok(rules.includes("[^/]*[.]corp[.]internal/mirror/.*"), rules);
    assert.ok(!rules.includes("|.*[.]corp"), rules);
  });

  it("are refused where an image's name could keep Kyverno's matcher busy", () => {
    for (const repository of ["ghcr.io/*a*a*a*a*ab", "ghcr.io/a/*-*-*-*-*"])
      assert.deepEqual(
        keysOf(imageSettings({ repositories: [repository] })),
        ["images[0].repositories[0]"],
        repository,
      );
    for (const repository of ["ghcr.io/*/team-*/app-*", "ghcr.io/a-*-b-*"])
      postureOf(imageSettings({ repositories: [repository] }));
  });

  it("are refused where an exemption lies inside an entry", () => {
    const raw = settings({ uncovered: { exempt: [{ repositories: ["ghcr.io/ikey168/modulo-web"], reason: "old" }] } });
    assert.deepEqual(keysOf(raw), ["images[0].repositories[0] and uncovered.exempt[0].repositories[0]"]);
  });

  it("are refused where a digest could be taken for another repository's tag", () => {
    const keys = ["images[0].repositories[0] and images[1].repositories[0]"];
    for (const algorithm of ["256", "512", "384"]) {
      const pair = [`ghcr.io/x/*${algorithm}`, "ghcr.io/x/app"];
      for (const [a, b] of [pair, [...pair].reverse()])
        assert.deepEqual(keysOf(settings({ images: [entry("a", a!), entry("b", b!)] })), keys, algorithm);
    }
  });

  it("are not refused where only a tag with a slash could be in both", () => {
    postureOf(settings({ images: [entry("a", "ghcr.io/y/z"), entry("b", "ghcr.io/*/app")] }));
  });

  it("are refused without a registry, with the full name as the fix", () => {
    const [problem, ...others] = problemsOf(() => postureOf(imageSettings({ repositories: ["library/nginx"] })));
    assert.equal(others.length, 0);
    assert.equal(problem!.key, "images[0].repositories[0]");
    assert.match(problem!.fix, /docker\.io\/library\/nginx/);
  });

  it("are refused with a tag, a digest, upper case or a scheme", () => {
    for (const repository of [
      "ghcr.io/a/b:v1",
      `ghcr.io/a/b@${DIGEST}`,
      "ghcr.io/A/b",
      "https://ghcr.io/a/b",
      "ghcr.io",
      "*",
    ])
      assert.deepEqual(
        keysOf(imageSettings({ repositories: [repository] })),
        ["images[0].repositories[0]"],
        repository,
      );
  });

  it("are listed in one order, however the configuration lists them", () => {
    const forth = postureOf(imageSettings({ repositories: ["ghcr.io/b/x", "ghcr.io/a/x"] }));
    assert.deepEqual(forth, postureOf(imageSettings({ repositories: ["ghcr.io/a/x", "ghcr.io/b/x"] })));
  });
});
