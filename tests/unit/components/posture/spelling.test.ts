import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { parseReference } from "../../../../cli/images/reference";
import { treatmentOf } from "../../../../cli/judging/rules";
import { RULE } from "../../../../components/policies/names";
import { isSpelledLike, looseRegex, rightSpelling, spellings } from "../../../../components/posture/spelling";
import { problemsOf } from "../../../support/problems";
import { compile, imageSettings, policyOf, postureOf, ruleOf, settings } from "../../../support/settings";

/** The regular expression as admission evaluates it; Go's flag stands before the text there. */
const asGo = (regex: string) => new RegExp(regex.replace(/^\(\?i\)/, ""), "i");
const admissionSays = (patterns: readonly string[], image: string) => asGo(looseRegex(patterns)).test(image);

describe("the same image spelled otherwise", () => {
  const cases: [entry: string, image: string, same: boolean][] = [
    ["ghcr.io/a/b", "GHCR.io/a/b", true],
    ["ghcr.io/a/b", "ghcr.io:443/a/b", true],
    ["ghcr.io/a/b", "ghcr.io:0443/a/b", true],
    ["ghcr.io/a/b", "ghcr.io:80/a/b", true],
    ["ghcr.io/a/b", "ghcr.io/a/c", false],
    ["ghcr.io/a/*", "Ghcr.IO:443/a/c/d", true],
    ["*.dkr.ecr.eu-west-1.amazonaws.com/app", "1.dkr.ecr.eu-west-1.amazonaws.com:443/app", true],
    ["localhost:5000/app", "localhost:05000/app", true],
    ["localhost:5000/app", "LOCALHOST:5000/app", true],
    ["localhost:5000/app", "localhost/app", false],
    ["localhost:5000/app", "localhost:5001/app", false],
    ["registry.local:80/app", "registry.local/app", true],
    ["docker.io/example/app", "index.docker.io/example/app", true],
    ["docker.io/example/app", "registry-1.docker.io:443/example/app", true],
    ["docker.io/example/app", "registry.hub.docker.com/example/app", true],
    ["docker.io/example/app", "hub.docker.com/example/app", true],
    ["docker.io/example/app", "DOCKER.IO/example/app", true],
    ["docker.io/example/app", "docker.io/library/example/app", false],
    ["docker.io/example/app", "notdocker.io/example/app", false],
    ["docker.io/example/app", "docker.io.evil.example/example/app", false],
    ["docker.io/nginx", "docker.io/library/nginx", true],
    ["docker.io/library/nginx", "docker.io/nginx", true],
    ["docker.io/library/nginx", "index.docker.io/nginx", true],
    ["docker.io/library/*", "docker.io/nginx", true],
    ["docker.io/library/*", "docker.io/other/app", false],
    ["docker.io/ng*", "docker.io/library/nginx", true],
    ["docker.io/*brary/x", "docker.io/x", true],
    ["*/library/nginx", "docker.io/nginx", true],
    ["ghcr.io/a/b", "docker.io/sha256", true],
    ["ghcr.io/a/b", `docker.io/${"a".repeat(64)}`, true],
    ["ghcr.io/a/b", "quay.io/sha256", false],
    ["ghcr.io/library/nginx", "ghcr.io/nginx", false],
  ];
  for (const [entry, image, same] of cases) {
    it(`${image.slice(0, 40)} is ${same ? "" : "not "}${entry}`, () => {
      assert.equal(isSpelledLike([entry], image), same, "check");
      assert.equal(admissionSays([entry], image), same, "admission");
    });
  }

  const host = fc.constantFrom(
    ...[
      "docker.io",
      "Docker.IO",
      "index.docker.io",
      "registry-1.docker.io",
      "registry.hub.docker.com",
      "hub.docker.com",
    ],
    ...["ghcr.io", "GHCR.IO", "a.ghcr.io", "docker.com", "xdocker.io", "localhost", "registry.local"],
  );
  const port = fc.constantFrom("", "", ":443", ":80", ":080", ":5000", ":05000");
  const path = fc
    .array(fc.constantFrom("library", "a", "b", "nginx", "ab", "sha256"), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join("/"));
  const image = fc.tuple(host, port, path).map(([at, colon, rest]) => `${at}${colon}/${rest}`);
  const globHost = fc.constantFrom("docker.io", "ghcr.io", "*.io", "*", "docker.*", "*.docker.io", "ghcr.io*", "*y");
  const globPort = fc.constantFrom("", "", "", ":80", ":5000");
  const globPath = fc
    .array(fc.constantFrom("library", "a", "b", "nginx", "*", "a*", "*b", "lib*", "*brary", "n*x"), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => parts.join("/"));
  const pattern = fc
    .tuple(globHost, globPort, globPath)
    .map(([at, colon, rest]) => `${at}${colon}/${rest}`)
    .filter((repository) => rightSpelling(repository) === repository);

  it("the rule that admission evaluates and check's verdict agree", () => {
    const plainHosts = pattern.filter((repository) => !repository.split("/")[0]!.includes("*"));
    let refused = 0;
    fc.assert(
      fc.property(fc.uniqueArray(plainHosts, { minLength: 1, maxLength: 3 }), image, (repositories, name) => {
        const compiled = compile(imageSettings({ repositories }));
        const rule = ruleOf(policyOf(compiled, "verify-image-signatures"), RULE.imagesAreSpelledPlainly);
        const found = [...JSON.stringify(rule).matchAll(/regex_match\('((?:[^'\\]|\\.)*)'/g)].map(
          ([, source]) => JSON.parse(`"${source}"`) as string,
        );
        const alike = found.find((regex) => regex.startsWith("(?i)"));
        const covered = found.find((regex) => regex !== alike);
        const denied = !new RegExp(covered!).test(name) && asGo(alike!).test(name);
        const treatment = treatmentOf(postureOf(imageSettings({ repositories })), parseReference(name), "default");
        if (denied) refused++;
        assert.equal(treatment.settled?.passes === false, denied, `${repositories.join(" ")} and ${name}`);
      }),
      { numRuns: 300 },
    );
    assert.ok(refused > 5, `${refused}`);
  });

  it("admission's expression and check's answer agree", () => {
    let alike = 0;
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), image, (patterns, name) => {
        const said = isSpelledLike(patterns, name);
        if (said) alike++;
        assert.equal(admissionSays(patterns, name), said, `${patterns.join(" ")} and ${name}`);
      }),
      { numRuns: 5000 },
    );
    assert.ok(alike > 100, `${alike}`);
  });
});

describe("spellings in the configuration", () => {
  const entries: [written: string, right: string][] = [
    ["index.docker.io/example/app", "docker.io/example/app"],
    ["registry.hub.docker.com/example/app", "docker.io/example/app"],
    ["registry-1.docker.io/library/nginx", "docker.io/library/nginx"],
    ["docker.io:443/example/app", "docker.io/example/app"],
    ["ghcr.io:443/a/b", "ghcr.io/a/b"],
    ["ghcr.io:0443/a/*", "ghcr.io/a/*"],
    ["localhost:05000/a", "localhost:5000/a"],
  ];
  for (const [written, right] of entries) {
    it(`${written} is refused, with ${right} as the fix`, () => {
      const problems = [
        ...problemsOf(() => postureOf(imageSettings({ repositories: [written] }))),
        ...problemsOf(() =>
          postureOf(settings({ uncovered: { exempt: [{ repositories: [written], reason: "scanned" }] } })),
        ),
      ];
      const key = "repositories[0]";
      assert.deepEqual(
        problems.map((problem) => [problem.key, problem.fix]),
        [
          [`images[0].${key}`, `write ${right}`],
          [`uncovered.exempt[0].${key}`, `write ${right}`],
        ],
      );
    });
  }

  it("one of Docker Hub's own images is judged in both of its spellings", () => {
    for (const written of ["docker.io/nginx", "docker.io/library/nginx"]) {
      const posture = postureOf(imageSettings({ repositories: [written] }));
      assert.deepEqual(posture.images[0]!.repositories, ["docker.io/library/nginx", "docker.io/nginx"]);
      for (const image of ["nginx:1", "library/nginx:1", "docker.io/nginx", "docker.io/library/nginx"])
        assert.equal(treatmentOf(posture, parseReference(image), "default").rule, "signed-by-modulo", image);
    }
    assert.deepEqual(spellings(["docker.io/library/*", "docker.io/a/b", "quay.io/library/x"]), [
      "docker.io/a/b",
      "docker.io/library/*",
      "quay.io/library/x",
    ]);
  });

  it("two entries for one of them are refused", () => {
    const entry = (name: string, repository: string) => ({
      ...(imageSettings({ name, repositories: [repository] }).images as object[])[0],
    });
    const raw = settings({ images: [entry("a", "docker.io/nginx"), entry("b", "docker.io/library/nginx")] });
    assert.deepEqual(
      problemsOf(() => postureOf(raw)).map(({ key }) => key),
      ["images[0].repositories[0] and images[1].repositories[0]"],
    );
    postureOf(imageSettings({ repositories: ["docker.io/nginx", "docker.io/library/nginx"] }));
  });
});
