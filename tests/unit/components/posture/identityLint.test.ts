import * as assert from "node:assert/strict";
import { type IdentityRank, identityRank } from "../../../../components/posture/identityLint";
import { problemsOf } from "../../../support/problems";
import { GITHUB, MODULO, postureOf, settings, signerSettings, warningsOf } from "../../../support/settings";

const workflow = "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml";
const issuer = "https://token.actions.githubusercontent.com";
const keyless = (subject: string, more: object = {}) => ({ keyless: { issuer, subject, ...more } });

describe("identity lint", () => {
  const ranks: [string, IdentityRank][] = [
    [`${workflow}@refs/heads/main`, "exact"],
    ["release@example.com", "exact"],
    [`${workflow}@refs/tags/v*`, "tags"],
    [`${workflow}@*`, "openRef"],
    [`${workflow}@refs/heads/release-*`, "openRef"],
    [`${workflow}@refs/tags/*`, "openRef"],
    ["https://gitlab.com/group/app//.gitlab-ci.yml@refs/heads/*", "openRef"],
    ["https://github.com/Ikey168/Modulo/.github/workflows/*@refs/heads/main", "openWorkflow"],
    ["https://github.com/Ikey168/*", "openRepository"],
    ["https://github.com/Ikey168*/.github/workflows/x.yml@refs/heads/main", "openRepository"],
    ["*@example.com", "openRepository"],
    ["release@example.*", "openRepository"],
    ["*", "anyone"],
    ["https://*", "anyone"],
    ["*@*", "anyone"],
  ];
  for (const [subject, rank] of ranks) {
    it(`ranks ${subject} as ${rank}`, () => assert.equal(identityRank(subject), rank));
  }

  it("refuses open repositories and workflows, and takes them with a reason", () => {
    for (const subject of [
      "https://github.com/Ikey168/*",
      "https://github.com/Ikey168/Modulo/.github/workflows/*@refs/heads/main",
    ]) {
      const [problem] = problemsOf(() => postureOf(signerSettings(keyless(subject))));
      assert.equal(problem?.key, "images[0].signers[0].keyless.subject");
      const accepted = { ...keyless(subject), acceptWildcardReason: "only we can push there" };
      assert.match(warningsOf(signerSettings(accepted)).join(), /admits/);
    }
  });

  it("refuses everybody with a reason too, and empty identities", () => {
    const everybody = { ...keyless("*"), acceptWildcardReason: "why not" };
    assert.match(problemsOf(() => postureOf(signerSettings(everybody)))[0]?.fix ?? "", /no reason makes that safe/);
    const blank = problemsOf(() => postureOf(signerSettings({ keyless: { issuer: " ", subject: " " } })));
    assert.deepEqual(
      blank.map(({ key }) => key),
      ["images[0].signers[0].keyless.issuer", "images[0].signers[0].keyless.subject"],
    );
    assert.match(blank[1]?.fix ?? "", /for everybody/);
  });

  it("warns of open refs and of subjects that GitHub never issues, with the line to write", () => {
    const warned = (subject: string) => warningsOf(signerSettings(keyless(subject))).join();
    assert.match(warned(`${workflow}@*`), /@refs\/heads\/main or @refs\/tags\/v\*/);
    assert.match(warned(`${workflow}@main`), /write \S+docker-build\.yml@refs\/heads\/main/);
    assert.match(warned("repo:Ikey168/Modulo:ref:refs/heads/main"), /GitHub issues no subject like/);
    assert.equal(warned(`${workflow}@refs/heads/main`), "");
  });

  it("asks for the caller where the workflow belongs to another owner than the images", () => {
    const shared = { ...GITHUB, repository: "platform/workflows" };
    assert.match(warningsOf(signerSettings({ github: shared })).join(), /Add callerRepository: ikey168\/REPO/);
    const bound = { github: { ...shared, callerRepository: "Ikey168/Modulo" } };
    assert.deepEqual(warningsOf(signerSettings(bound)), []);
    const loose = { github: { ...shared, callerRepository: "*" } };
    assert.match(warningsOf(signerSettings(loose)).join(), /binds no caller/);
  });

  it("sees one repository in two spellings", () => {
    const lower = { github: { ...GITHUB, repository: "ikey168/modulo", ref: "refs/heads/next" } };
    const images = [{ ...MODULO, signers: [{ github: GITHUB }, lower] }];
    assert.match(warningsOf(settings({ images })).join(), /so write Ikey168\/Modulo in both/);
  });
});
