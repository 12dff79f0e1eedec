import * as assert from "node:assert/strict";
import { imageReferences, repositoryCovered } from "../../../../components/posture/images";
import { kyvernoWildcard } from "../../../support/kyvernoMatch";
import { problemsOf } from "../../../support/problems";
import { imageSettings, MODULO, postureOf, settings } from "../../../support/settings";

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
