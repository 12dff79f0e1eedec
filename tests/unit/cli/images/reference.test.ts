import * as assert from "node:assert/strict";
import {
  apiLocation,
  ImageNameError,
  parseReference,
  policyText,
  verifierObjection,
} from "../../../../cli/images/reference";
import { checkImage } from "../../../../cli/judging/image";
import { treatmentOf, usualNamespaces } from "../../../../cli/judging/rules";
import { entryRule, RULE } from "../../../../components/policies/names";
import { resolvePosture } from "../../../../components/resolve";
import { MODULO, postureOf, settings } from "../../../support/settings";

const digest = `sha256:${"a".repeat(64)}`;

const a = (count: number) => "a".repeat(count);

describe("check: image names as Kyverno 1.10 reads them", () => {
  /**
   * What a pod names; the text that policies compare; host and repository that the verifier asks. Written by a Go program
   * that calls what Kyverno 1.10.7 calls: pkg/utils/image/infos.go with distribution 2.8.1, then name.ParseReference of
   * go-containerregistry 0.15.2.
   */
  const names: [string, string, string][] = [
    ["nginx", "docker.io/nginx:latest", "registry-1.docker.io library/nginx"],
    ["nginx:LATEST", "docker.io/nginx:LATEST", "registry-1.docker.io library/nginx"],
    ["library/nginx", "docker.io/library/nginx:latest", "registry-1.docker.io library/nginx"],
    ["docker.io/library/nginx", "docker.io/library/nginx:latest", "registry-1.docker.io library/nginx"],
    ["index.docker.io/nginx", "index.docker.io/nginx:latest", "registry-1.docker.io library/nginx"],
    ["registry-1.docker.io/nginx", "registry-1.docker.io/nginx:latest", "registry-1.docker.io nginx"],
    [
      "registry.hub.docker.com/library/nginx",
      "registry.hub.docker.com/library/nginx:latest",
      "registry.hub.docker.com library/nginx",
    ],
    ["foo/bar", "docker.io/foo/bar:latest", "registry-1.docker.io foo/bar"],
    ["ghcr.io/a/b:1.0", "ghcr.io/a/b:1.0", "ghcr.io a/b"],
    [`ghcr.io/a/b:1.0@${digest}`, `ghcr.io/a/b@${digest}`, "ghcr.io a/b"],
    [`ghcr.io/a/b:${a(128)}`, `ghcr.io/a/b:${a(128)}`, "ghcr.io a/b"],
    ["ghcr.io/a/b:_x", "ghcr.io/a/b:_x", "ghcr.io a/b"],
    [`ghcr.io/${a(247)}`, `ghcr.io/${a(247)}:latest`, `ghcr.io ${a(247)}`],
    ["localhost:5000/ab", "localhost:5000/ab:latest", "localhost:5000 ab"],
    ["localhost/ab", "localhost/ab:latest", "registry-1.docker.io localhost/ab"],
    ["localhost:5000", "docker.io/localhost:5000", "registry-1.docker.io library/localhost"],
    ["ghcr.io", "docker.io/ghcr.io:latest", "registry-1.docker.io library/ghcr.io"],
    ["GHCR.io/a/b", "GHCR.io/a/b:latest", "GHCR.io a/b"],
    ["ghcr.io:0443/a/b", "ghcr.io:0443/a/b:latest", "ghcr.io:0443 a/b"],
    ["xn--e1afmkfd.example/a/b", "xn--e1afmkfd.example/a/b:latest", "xn--e1afmkfd.example a/b"],
    ["a__b---c_d.e", "docker.io/a__b---c_d.e:latest", "registry-1.docker.io library/a__b---c_d.e"],
    [`sha256:${a(64)}`, `docker.io/sha256:${a(64)}`, "registry-1.docker.io library/sha256"],
    // The policies can read these, the verifier can't.
    ["a", "docker.io/a:latest", "no"],
    ["localhost:5000/a", "localhost:5000/a:latest", "no"],
    ["Foo/bar", "Foo/bar:latest", "no"],
    [`ab@sha512:${a(128)}`, `docker.io/ab@sha512:${a(128)}`, "no"],
    [`ab@sha384:${a(96)}`, `docker.io/ab@sha384:${a(96)}`, "no"],
  ];
  for (const [given, text, place] of names) {
    it(`${given.slice(0, 60)} is ${text.slice(0, 60)}`, () => {
      const reference = parseReference(given);
      assert.equal(policyText(reference), text);
      const { host, repository } = apiLocation(reference.registry, reference.path);
      assert.equal(verifierObjection(reference) ? "no" : `${host} ${repository}`, place);
    });
  }

  const malformed = [
    ...["", "NGINX", "ghcr.io/A/b", "docker.io/Library/nginx", "a:b:c", "a b", " ab", "ab ", "ab\n", "a@", "/a"],
    ...[
      "ghcr.io/",
      "ghcr.io//a",
      "ghcr.io/a/",
      "https://ghcr.io/a",
      "ghcr.io./a",
      "-ghcr.io/a",
      "b\u00fccher.example/a",
    ],
    ...["ghcr.io:/a/b", "ghcr.io:x/a", "[::1]:5000/app", "ghcr.io/a/b\u00e9", `ghcr.io/${a(248)}`],
    ...["a___b", "a..b", "a.-b", "a._b", "ab_", "_ab"],
    ...["ab:", "ab:.x", "ab:-x", `ab:${a(129)}`, "ab:v1+meta", "ab:1.0 "],
    ...["a@sha256:12", `ab@sha256:${a(63)}`, `ab@sha256:${"A".repeat(64)}`, `ab@md5:${a(32)}`, `ab@${digest}:1`],
    `ab@${digest}@${digest}`,
  ];
  for (const name of malformed)
    it(`${JSON.stringify(name).slice(0, 60)} is none`, () => assert.throws(() => parseReference(name), ImageNameError));

  it("a malformed name is refused wherever Kyverno looks, as admission does", async () => {
    const namespaces = ["production", "default", "kube-system"];
    const { judgements } = await checkImage("ghcr.io/A/b", namespaces, resolvePosture(settings({ mode: "audit" })));
    const said = judgements.map(({ verdict, kyvernoNow, reason }) => [verdict, kyvernoNow, reason]);
    assert.deepEqual(said, [
      ["refused", "refuses", "malformedReference"],
      ["refused", "refuses", "malformedReference"],
      ["admitted", "admits", "malformedReference"],
    ]);
  });

  it("one that only the verifier can't parse is refused where it must be signed", async () => {
    const resolved = resolvePosture(settings({ mode: "enforce" }));
    const { judgements } = await checkImage(`ghcr.io/ikey168/modulo-x@sha512:${a(128)}`, ["production"], resolved);
    assert.deepEqual([judgements[0]!.verdict, judgements[0]!.reason], ["refused", "malformedReference"]);
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
  const treatment = (image: string, namespace: string) => treatmentOf(posture, parseReference(image), namespace);

  it("by namespace and image", () => {
    const signed = treatment("ghcr.io/ikey168/modulo-x:1", "prod-eu");
    assert.deepEqual(
      [signed.policy, signed.rule, signed.mode],
      ["require-signed-images", entryRule("signedBy", "modulo"), "enforce"],
    );
    assert.equal(treatment("ghcr.io/ikey168/modulo-x:1", "team-a").policy, "verify-image-signatures-audit");
    assert.equal(treatment("quay.io/tools/x", "prod").settled?.reason, "exempt");
    assert.equal(treatment("quay.io/other/x", "prod").settled?.passes, false);
    assert.equal(treatment("quay.io/other/x", "default").settled?.passes, true);
    assert.equal(treatment("ghcr.io:443/ikey168/modulo-x", "default").rule, RULE.imagesAreSpelledPlainly);
    assert.equal(treatment("nginx", "kube-system").settled?.reason, "notJudged");
  });

  it("where a wildcard of Kyverno's takes an image for another registry's", () => {
    const posture = postureOf(
      settings({ images: [{ ...MODULO, repositories: ["*.corp.internal/*"], acceptWildcardReason: "ours" }] }),
    );
    const ruleFor = (image: string, namespace: string) => treatmentOf(posture, parseReference(image), namespace).rule;
    assert.equal(ruleFor("hub.corp.internal/app:1", "prod"), "signed-by-modulo");
    assert.equal(ruleFor("evil.tld/x.corp.internal/app:1", "prod"), "every-image-has-a-signer");
    assert.equal(ruleFor("evil.tld/x.corp.internal/app:1", "default"), "signed-by-modulo");
  });

  it("production and another namespace are looked at when none is named", () => {
    assert.deepEqual(usualNamespaces(posture), ["production", "default"]);
  });
});
