import * as assert from "node:assert/strict";
import { apiLocation, ImageNameError, parseReference, policyText } from "../../../../cli/images/reference";
import { judgeFor, usualNamespaces } from "../../../../cli/judging/rules";
import { MODULO, postureOf, settings } from "../../../support/settings";

const digest = `sha256:${"a".repeat(64)}`;

describe("check: image names as Kyverno 1.10 reads them", () => {
  const names: [string, string][] = [
    ["nginx", "docker.io/nginx:latest"],
    ["library/nginx", "docker.io/library/nginx:latest"],
    ["ghcr.io/a/b:1.0", "ghcr.io/a/b:1.0"],
    [`ghcr.io/a/b:1.0@${digest}`, `ghcr.io/a/b@${digest}`],
    ["localhost:5000/a", "localhost:5000/a:latest"],
    ["localhost/a", "localhost/a:latest"],
    ["GHCR.io/a/b", "GHCR.io/a/b:latest"],
  ];
  for (const [given, text] of names) {
    it(`${given} is ${text}`, () => assert.equal(policyText(parseReference(given)), text));
  }

  it("what is no image is said to be none", () => {
    for (const name of ["", "ghcr.io/A/b", "a:b:c", "a@sha256:12", "a b", "ghcr.io/", "a@", "https://ghcr.io/a"]) {
      assert.throws(() => parseReference(name), ImageNameError, name);
    }
  });

  it("Docker Hub's API has its own names", () => {
    assert.deepEqual(apiLocation("docker.io", "nginx"), { host: "registry-1.docker.io", repository: "library/nginx" });
    assert.deepEqual(apiLocation("quay.io", "nginx"), { host: "quay.io", repository: "nginx" });
  });
});

describe("check: which rule judges", () => {
  const posture = postureOf(
    settings({
      mode: "enforce",
      namespaces: { overrides: [{ namespace: "team-a", mode: "audit" }] },
      suspend: [],
      uncovered: { exempt: [{ repositories: ["quay.io/tools/*"], reason: "scanned" }] },
    }),
  );
  const judge = (image: string, namespace: string) => judgeFor(posture, parseReference(image), namespace);

  it("by namespace and image", () => {
    const signed = judge("ghcr.io/ikey168/modulo-x:1", "prod-eu");
    assert.deepEqual(
      [signed.policy, signed.rule, signed.mode],
      ["require-signed-images", "signed-by-modulo", "enforce"],
    );
    assert.equal(judge("ghcr.io/ikey168/modulo-x:1", "team-a").policy, "verify-image-signatures-audit");
    assert.equal(judge("quay.io/tools/x", "prod").settled?.reason, "exempt");
    assert.equal(judge("quay.io/other/x", "prod").settled?.passes, false);
    assert.equal(judge("quay.io/other/x", "default").settled?.passes, true);
    assert.equal(judge("ghcr.io:443/ikey168/modulo-x", "default").rule, "images-are-spelled-plainly");
    assert.equal(judge("nginx", "kube-system").settled?.reason, "notJudged");
  });

  it("where a wildcard of Kyverno's takes an image for another registry's", () => {
    const posture = postureOf(
      settings({ images: [{ ...MODULO, repositories: ["*.corp.internal/*"], acceptWildcardReason: "ours" }] }),
    );
    const ruleFor = (image: string, namespace: string) => judgeFor(posture, parseReference(image), namespace).rule;
    assert.equal(ruleFor("hub.corp.internal/app:1", "prod"), "signed-by-modulo");
    assert.equal(ruleFor("evil.tld/x.corp.internal/app:1", "prod"), "every-image-has-a-signer");
    assert.equal(ruleFor("evil.tld/x.corp.internal/app:1", "default"), "signed-by-modulo");
  });

  it("production and another namespace are looked at when none is named", () => {
    assert.deepEqual(usualNamespaces(posture), ["production", "default"]);
  });
});
