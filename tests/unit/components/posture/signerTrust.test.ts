import * as assert from "node:assert/strict";
import type { Json } from "../../../../components/kubernetes/manifest";
import { describeTrust } from "../../../../components/posture/describeTrust";
import { compareStrength } from "../../../../components/posture/strength/strength";
import { resolvePosture } from "../../../../components/resolve";
import { newAuthority, newKeyPair, type TestAuthority } from "../../../support/pems";
import { problemsOf } from "../../../support/problems";
import {
  compile,
  GITHUB,
  MODULO,
  NOW,
  policyOf,
  postureOf,
  rulesOf,
  settings,
  verificationOf,
  warningsOf,
} from "../../../support/settings";

const VENDOR = {
  name: "vendor",
  repositories: ["ghcr.io/vendor/*"],
  signers: [{ github: { ...GITHUB, repository: "vendor/app" } }],
};

describe("another Fulcio for one signer", () => {
  let authority: TestAuthority;
  let other: TestAuthority;
  before(async () => {
    [authority, other] = await Promise.all([newAuthority(), newAuthority()]);
  });
  const own = (pem = authority.root.pem, changes: object = {}) => ({
    github: { ...GITHUB, issuer: "https://ghe.example.com/_services/token" },
    trust: { fulcioCertificates: pem, acceptNoTransparencyLog: true, ...changes },
  });
  const mixed = (signer: unknown, changes: object = {}) =>
    settings({ mode: "enforce", images: [{ ...MODULO, signers: [signer] }, VENDOR], ...changes });

  it("stands beside the public Sigstore: own roots without a log, the vendor's with the public log", () => {
    const rules = rulesOf(policyOf(compile(mixed(own())), "require-signed-images"));
    const keyless = (name: string) => {
      const rule = rules.find((candidate) => candidate.name === `signed-by-${name}`)!;
      const [set] = verificationOf(rule).attestors as { entries: { keyless: Json }[] }[];
      return set!.entries[0]!.keyless;
    };
    assert.equal(String(keyless("modulo").roots).trim(), authority.root.pem.trim());
    assert.equal(keyless("modulo").rekor, undefined);
    assert.equal(
      keyless("modulo").subject,
      "https://ghe.example.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main",
    );
    assert.notEqual(keyless("vendor").roots, keyless("modulo").roots);
    assert.deepEqual(keyless("vendor").rekor, { url: "https://rekor.sigstore.dev" });
  });

  it("says what it costs, and shows its certificates as anchors", () => {
    const warnings = warningsOf(mixed(own()));
    assert.match(warnings.join(), /signers\[0\]\.trust: no time check/);
    assert.doesNotMatch(warnings.join(), /public Sigstore instance issues no/);
    const { anchors } = describeTrust(resolvePosture(mixed(own()), { now: NOW }), NOW);
    assert.equal(anchors.filter(({ use }) => use === "fulcio").length, 3);
  });

  it("is another demand than the stack's Fulcio, and than a third", () => {
    const stronger = (a: unknown, b: unknown) => compareStrength(postureOf(a), postureOf(b));
    const plain = { github: own().github };
    assert.equal(stronger(mixed(own()), mixed(own())), "same");
    assert.notEqual(stronger(mixed(own()), mixed(plain)), "same");
    assert.notEqual(stronger(mixed(own()), mixed(plain)), "stronger");
    assert.notEqual(stronger(mixed(plain), mixed(own())), "stronger");
    assert.notEqual(stronger(mixed(own()), mixed(own(other.root.pem))), "stronger");
  });

  it("needs no Fulcio of the stack where every signer has its own", () => {
    postureOf(settings({ images: [{ ...MODULO, signers: [own()] }], trust: { root: "custom" } }));
  });

  const key = "images[0].signers[0]";
  const BAD: [what: string, signer: () => unknown, key: string, fix: RegExp][] = [
    [
      "without saying that there is no log",
      () => own(undefined, { acceptNoTransparencyLog: false }),
      `${key}.trust.acceptNoTransparencyLog`,
      /one log key for all signers/,
    ],
    [
      "with a log of its own",
      () => own(undefined, { rekor: { url: "https://r", publicKey: "" } }),
      `${key}.trust.rekor`,
      /one key of each log/,
    ],
    ["with a leaf", () => own(authority.leaf.pem), `${key}.trust.fulcioCertificates`, /certificate\.certificate/],
    [
      "of a key",
      () => ({ key: { publicKey: newKeyPair().publicKey }, trust: own().trust }),
      `${key}.trust`,
      /a key has no authority/,
    ],
    [
      "of a certificate",
      () => ({ certificate: { chain: authority.root.pem }, trust: own().trust }),
      `${key}.trust`,
      /certificate\.chain/,
    ],
  ];
  for (const [what, signer, at, fix] of BAD)
    it(`is refused with the reason: ${what}`, () => {
      const [problem, ...others] = problemsOf(() => postureOf(mixed(signer())));
      assert.deepEqual([problem!.key, others.length], [at, 0]);
      assert.match(problem!.fix, fix);
    });

  it("is what certificates beside the public ones are told of", () => {
    const raw = settings({ trust: { fulcioCertificates: authority.root.pem } });
    assert.match(problemsOf(() => postureOf(raw))[0]!.fix, /signers\[\]\.trust/);
  });
});
