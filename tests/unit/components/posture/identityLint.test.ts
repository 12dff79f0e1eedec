import * as assert from "node:assert/strict";
import { type IdentityRank, identityRank } from "../../../../components/posture/identityLint";
import { newAuthority, type TestAuthority } from "../../../support/pems";
import { problemsOf } from "../../../support/problems";
import { GITHUB, MODULO, postureOf, settings, signerSettings, warningsOf } from "../../../support/settings";

const workflow = "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml";
const issuer = "https://token.actions.githubusercontent.com";
const keyless = (subject: string, more: object = {}) => ({ keyless: { issuer, subject, ...more } });

describe("identity lint", () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });

  const ranks: [string, IdentityRank][] = [
    [`${workflow}@refs/heads/main`, "exact"],
    ["release@example.com", "exact"],
    [`${workflow}@refs/tags/v*`, "tags"],
    [`${workflow}@*`, "openRef"],
    [`${workflow}@refs/heads/release-*`, "openRef"],
    [`${workflow}@refs/tags/*`, "everyTag"],
    [`${workflow}@refs/tags/v*-rc*`, "tags"],
    [`${workflow}@refs/tags*`, "openRef"],
    [`${workflow}@0123456789abcdef0123456789abcdef01234567`, "exact"],
    [`${workflow}@refs/pull/*/merge`, "openRef"],
    [`${workflow}@refs/heads/gh-readonly-queue/main/*`, "openRef"],
    ["https://ghe.example.com/Ikey168/Modulo/.github/workflows/*@refs/heads/main", "openWorkflow"],
    ["release@refs/tags/v*", "openRepository"],
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

  /** What a wildcard in the ref lets in, as the warning says it. */
  const REFS: [ref: string, who: RegExp][] = [
    ["refs/tags/*", /every tag, so whoever may push one/],
    ["refs/heads/*", /every branch, so whoever may push one/],
    ["refs/heads/release-*", /every branch that this pattern matches/],
    ["refs/heads/gh-readonly-queue/main/*", /merge queue/],
    ["refs/pull/*/merge", /nobody has merged/],
    ["refs/*", /every branch, tag and pull request/],
    ["*", /every branch, tag and pull request/],
  ];
  for (const [ref, who] of REFS)
    it(`says whom ${ref} lets in, and asks for no reason`, () =>
      assert.match(warningsOf(signerSettings({ github: { ...GITHUB, ref } })).join(), who));

  it("is silent about what a certificate can hold: commits of called workflows, queues, pull requests", () => {
    for (const ref of [
      "0123456789abcdef0123456789abcdef01234567",
      "refs/heads/gh-readonly-queue/main/pr-7-0123456789abcdef0123456789abcdef01234567",
      "refs/pull/7/merge",
      "refs/tags/release/1.0",
      "refs/heads/feature/a_b-c.d#7",
    ]) {
      assert.deepEqual(warningsOf(signerSettings({ github: { ...GITHUB, ref } })), [], ref);
      assert.deepEqual(warningsOf(signerSettings(keyless(`${workflow}@${ref}`))), [], ref);
    }
  });

  it("advises only what can exist", () => {
    const warned = (subject: string, from = issuer) =>
      warningsOf(signerSettings({ keyless: { issuer: from, subject }, acceptWildcardReason: "ours" })).join();
    assert.match(warned(`${workflow}@v1.2.3`), /@refs\/tags\/v1\.2\.3$/);
    assert.match(warned(`${workflow}@tags/v1`), /@refs\/tags\/v1$/);
    assert.match(warned(`${workflow}@0123abc`), /all its 40 digits/);
    assert.match(warned("repo:Ikey168/Modulo:environment:production"), /the environment stands in no field/);
    assert.match(
      warned("*@example.com", "https://accounts.google.com"),
      /name each address, e\.g\. release@example\.com/,
    );
    const gitlab = "https://gitlab.example.com/a/*";
    assert.match(
      warned(gitlab, "https://gitlab.example.com"),
      /https:\/\/gitlab\.example\.com\/GROUP\/PROJECT\/\/\.gitlab-ci\.yml/,
    );
    assert.doesNotMatch(warned(gitlab, "https://gitlab.example.com"), /github/);
  });

  const NEVER: [issuer: string, subject: string, warning: RegExp][] = [
    [issuer, `${workflow.replace(".yml", "")}@refs/heads/main`, /GitHub issues no subject/],
    [issuer, `${workflow}@refs/head/main`, /no run has the ref "refs\/head\/main"/],
    ["https://accounts.google.com", "a@example.com,b@example.com", /signer of its own for each/],
    ["https://accounts.google.com", "https://accounts.google.com/a", /by their address/],
    ["https://github.com/login/oauth", `${workflow}@refs/heads/main`, /by their address/],
    ["https://gitlab.com", "https://gitlab.com/g/p/.gitlab-ci.yml@refs/heads/main", /GROUP\/PROJECT\/\/\.gitlab-ci/],
    ["https://gitlab.com", "project_path:g/p:ref_type:branch:ref:main", /GitLab issues no subject/],
  ];
  for (const [from, subject, warning] of NEVER)
    it(`says that ${from} issues no ${subject}`, () =>
      assert.match(warningsOf(signerSettings({ keyless: { issuer: from, subject } })).join(), warning));

  const SILENT: [issuer: string, subject: string][] = [
    ["https://gitlab.com", "https://gitlab.com/g/h/p//ci/build.yml@refs/tags/v1"],
    ["https://accounts.google.com", "ci@p.iam.gserviceaccount.com"],
    ["https://github.com/login/oauth", "Ana <ana@example.com>, ltd"],
    ["https://tenant.auth0.com/", "auth0|42"],
  ];
  for (const [from, subject] of SILENT)
    it(`is silent about ${subject} of ${from}`, () =>
      assert.deepEqual(warningsOf(signerSettings({ keyless: { issuer: from, subject } })), []));

  const MISSPELT: [issuer: string, fix: RegExp][] = [
    [`${issuer}/`, /write https:\/\/token\.actions\.githubusercontent\.com: /],
    ["https://Accounts.Google.com", /write https:\/\/accounts\.google\.com: /],
    ["https://gitlab.com/", /write https:\/\/gitlab\.com: /],
    ["https://github.com", /for workflows, .*login\/oauth for people/],
  ];
  for (const [from, fix] of MISSPELT)
    it(`refuses the issuer ${from}, which no certificate holds`, () => {
      const [problem, ...more] = problemsOf(() =>
        postureOf(signerSettings({ keyless: { issuer: from, subject: "a@b.c" } })),
      );
      assert.deepEqual([problem!.key, more.length], ["images[0].signers[0].keyless.issuer", 0]);
      assert.match(problem!.fix, fix);
    });

  it("takes the issuer of a GitHub Enterprise, and then its host", () => {
    const ISSUERS: [issuer: string, host: string][] = [
      ["https://token.actions.githubusercontent.com", "github.com"],
      ["https://token.actions.githubusercontent.com/octo-corp", "github.com"],
      ["https://ghe.example.com/_services/token", "ghe.example.com"],
      ["https://ghe.example.com:8443/_services/token", "ghe.example.com:8443"],
      ["https://token.actions.octocorp.ghe.com", "octocorp.ghe.com"],
    ];
    for (const [from, host] of ISSUERS) {
      const raw = signerSettings({ github: { ...GITHUB, issuer: from } });
      const signer = postureOf(raw).images[0]!.signers[0]!;
      assert.ok(signer.kind === "keyless");
      assert.equal(signer.issuer, from);
      assert.equal(signer.subject, `https://${host}/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main`);
      const own = { trust: { root: "custom", fulcioCertificates: authority.root.pem, acceptNoTransparencyLog: true } };
      assert.doesNotMatch(warningsOf({ ...raw, ...own }).join(), /public Sigstore|GitHub issues/, from);
    }
    const enterprise = (from: string) => signerSettings({ github: { ...GITHUB, issuer: from } });
    assert.match(warningsOf(enterprise("https://ghe.example.com/_services/token")).join(), /trust\.root to custom/);
    for (const from of ["https://ghe.example.com", "http://ghe.example.com/_services/token", `${issuer}/`]) {
      const [problem] = problemsOf(() => postureOf(enterprise(from)));
      assert.equal(problem!.key, "images[0].signers[0].github.issuer", from);
    }
    const other = { issuer: "https://ghe.example.com/_services/token", subject: `${workflow}@refs/heads/main` };
    assert.match(
      warningsOf(signerSettings({ keyless: other })).join(),
      /looks like https:\/\/ghe\.example\.com\/OWNER/,
    );
  });

  it("binds the ref of a caller", () => {
    const called = { ...GITHUB, callerRepository: "Ikey168/Shop", callerRef: "refs/heads/main" };
    const signer = postureOf(signerSettings({ github: called })).images[0]!.signers[0]!;
    assert.deepEqual(signer.kind === "keyless" && signer.claims, {
      githubWorkflowRepository: "Ikey168/Shop",
      githubWorkflowRef: "refs/heads/main",
    });
  });

  it("refuses what would keep Kyverno's matcher busy", () => {
    const slow = { github: { ...GITHUB, ref: "refs/heads/*a*a*a*a*ab" } };
    assert.equal(problemsOf(() => postureOf(signerSettings(slow)))[0]!.key, "images[0].signers[0].github");
    const claim = keyless(`${workflow}@refs/heads/main`, { claims: { githubWorkflowName: "*a*a*a*a*ab" } });
    assert.match(problemsOf(() => postureOf(signerSettings(claim)))[0]!.key, /claims\.githubWorkflowName$/);
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
