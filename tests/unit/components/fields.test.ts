import * as assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { newAuthority, newKeyPair, type TestAuthority } from "../../support/pems";
import { problemsOf } from "../../support/problems";
import { GITHUB, imageSettings, MODULO, postureOf, settings, signerSettings } from "../../support/settings";

type Settings = (value: unknown) => Record<string, unknown>;

const kyverno =
  (key: string): Settings =>
  (value) =>
    settings({ kyverno: { [key]: value } });
const chart =
  (key: string): Settings =>
  (value) =>
    settings({ kyverno: { chart: { [key]: value } } });
const list =
  (at: Settings): Settings =>
  (value) =>
    at([value]);
const key =
  (name: string): Settings =>
  (value) =>
    signerSettings({ key: { [name]: value } });
const github =
  (name: string): Settings =>
  (value) =>
    signerSettings({ github: { ...GITHUB, [name]: value } });
const claim =
  (name: string): Settings =>
  (value) =>
    signerSettings({ keyless: { issuer: "https://i.example.com", subject: "a@b.c", claims: { [name]: value } } });
const monitoring =
  (name: string): Settings =>
  (value) =>
    settings({ monitoring: { [name]: value } });
const bypass =
  (name: string): Settings =>
  (value) =>
    settings({ bypass: { [name]: [value] } });
const predicate: Settings = (predicateType) => imageSettings({ attestations: [{ predicateType }] });
const signatureRepository: Settings = (value) => imageSettings({ signatureRepository: value });

/** A field, what it takes, and what it refuses with a word of the fix. One line extends it. */
const TABLE: [field: string, at: Settings, good: unknown[], bad: [unknown, RegExp][]][] = [
  [
    "images[0].signers[0].key.kms",
    key("kms"),
    [
      "awskms:///alias/cosign",
      "awskms:///1234abcd-12ab-34cd-56ef-1234567890ab",
      "awskms:///mrk-1234abcd12ab34cd56ef1234567890ab",
      "awskms://localhost:4566/alias/team/cosign",
      "awskms:///arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
      "awskms:///arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/cosign",
      "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k",
      "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
      "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/versions/1",
      "azurekms://shop.vault.azure.net/cosign",
      "hashivault://cosign",
      "hashivault://team.cosign-1",
    ],
    [
      ["awskms:///cosign", /e\.g\. awskms:\/\/\/alias\/cosign/],
      ["awskms:///alias/", /alias\/cosign/],
      ["awskms://alias/cosign", /awskms:\/\/\/alias/],
      ["awskms:///arn:aws-cn:kms:cn-north-1:111122223333:alias/cosign", /alias/],
      ["gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/1", /cryptoKeyVersions\/1/],
      ["azurekms://shop/cosign", /vault\.azure\.net/],
      ["azurekms://shop.vault.azure.net/cosign/0123", /vault\.azure\.net\/cosign$/],
      ["hashivault://transit/keys/cosign", /hashivault:\/\/cosign/],
      ["k8s://kyverno/cosign", /secretName/],
      ["https://example.com/cosign.pub", /awskms/],
      ["-----BEGIN PUBLIC KEY-----", /publicKey/],
      ["awskms://arn:aws:kms:eu-west-1:111122223333:alias/a", /three slashes/],
      ["arn:aws:kms:eu-west-1:111122223333:alias/a", /awskms:\/\/\/ before it/],
      ["awskms:///key/1234abcd-12ab-34cd-56ef-1234567890ab", /leave out key/],
      ["awskms:///arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", /no ARN of aws-cn/],
      ["projects/p/locations/l/keyRings/r/cryptoKeys/k", /gcpkms:\/\/ before it/],
      ["gcpkms:///projects/p/locations/l/keyRings/r/cryptoKeys/k", /two slashes/],
      ["https://shop.vault.azure.net/keys/cosign/0123", /azurekms:\/\/VAULT/],
      ["azurekms://shop.vault.azure.net/keys/cosign", /without https:\/\/, keys\//],
      ["AWSKMS:///alias/a", /lower case/],
      [" awskms:///alias/a", /spaces around it/],
    ],
  ],
  [
    "images[0].signers[0].key.secretName",
    key("secretName"),
    ["cosign", "cosign.pub", "team.cosign-1"],
    [
      ["kyverno/cosign", /name alone/],
      ["k8s://kyverno/cosign", /name alone/],
      ["Cosign", /e\.g\./],
      ["cosign.", /e\.g\./],
      ["a..b", /e\.g\./],
    ],
  ],
  [
    "namespaces.system[0]",
    (value) => settings({ namespaces: { system: [value] } }),
    ["istio-system", "openshift-etcd", "1password"],
    [
      ["openshift-*", /label selector, which knows no wildcards.*namespaces\.overrides/],
      ["kube-syste?", /name each one/],
      ["Istio-System", /e\.g\. istio-system/],
      ["istio-system-", /e\.g\. istio-system/],
      ["x".repeat(64), /e\.g\. istio-system/],
    ],
  ],
  [
    "kyverno.registrySecrets[0]",
    list(kyverno("registrySecrets")),
    ["ghcr.io", "registry-credentials"],
    [["kyverno/registry", /name alone/]],
  ],
  ["kyverno.imagePullSecrets[0]", list(kyverno("imagePullSecrets")), ["ghcr.io"], [["ops/ghcr", /name alone/]]],
  [
    "kyverno.releaseName",
    kyverno("releaseName"),
    ["kyverno", "x".repeat(47)],
    [
      ["x".repeat(54), /e\.g\. kyverno/],
      ["x".repeat(48), /e\.g\. kyverno/],
      ["Kyverno", /e\.g\./],
    ],
  ],
  [
    "kyverno.imageRegistry",
    kyverno("imageRegistry"),
    [
      "mirror.example.com",
      "mirror.example.com:5000/hub/all",
      "mirror.example.com:50000",
      "123456789012.dkr.ecr.eu-west-1.amazonaws.com/hub",
    ],
    [
      ["https://mirror.example.com", /scheme/],
      ["oci://mirror.example.com", /scheme/],
      ["mirror.example.com/", /at the end/],
      ["Mirror.example.com", /lower case/],
      ["mirror.example.com/hub:v1", /e\.g\./],
      ["mirror.example.com:65536", /1 to 65535/],
      ["mirror.example.com:0", /1 to 65535/],
    ],
  ],
  [
    "kyverno.chart.path",
    chart("path"),
    [
      "./charts/kyverno",
      "../kyverno-3.0.9.tgz",
      "/srv/kyverno",
      "kyverno-3.0.9.tgz",
      "oci://r.example.com/charts/kyverno",
      "https://r.example.com/kyverno-3.0.9.tgz",
    ],
    [
      ["oci://r.example.com/charts/kyverno:3.0.9", /tag/],
      ["https://kyverno.github.io/kyverno/", /chart\.repository/],
      ["charts/kyverno", /\.\/ or \//],
      ["oci://r.example.com", /e\.g\. oci:/],
      ["https://user:hunter2@r.example.com/kyverno.tgz", /without user and password/],
      [`oci://r.example.com/charts/kyverno@sha256:${"a".repeat(64)}`, /digest/],
      ["oci://r.example.com/charts/kyverno/", /\/ at the end/],
      ["OCI://r.example.com/charts/kyverno", /scheme in lower case/],
      ["https://r.example.com/kyverno-3.0.9.tgz?a=b", /end it with \.tgz/],
      ["file:///srv/kyverno", /leave out file/],
      ["s3://bucket/kyverno", /a folder or an OCI registry/],
    ],
  ],
  [
    "kyverno.chart.repository",
    chart("repository"),
    ["https://charts.example.com", "http://10.0.0.1:8080/kyverno/"],
    [
      ["oci://r.example.com/charts", /chart\.path/],
      ["charts.example.com", /e\.g\. https/],
      ["https://charts.example.com/kyverno-3.0.9.tgz", /chart\.path/],
      ["https://charts.example.com/index.yaml", /folder/],
      ["https://user:hunter2@charts.example.com", /without user and password/],
    ],
  ],
  [
    "kyverno.priorityClassName",
    kyverno("priorityClassName"),
    ["system-cluster-critical"],
    [["System Critical", /e\.g\./]],
  ],
  [
    "kyverno.memoryLimit",
    kyverno("memoryLimit"),
    ["512Mi", "1Gi"],
    [
      ["0Mi", /512Mi/],
      ["64Mi", /512Mi/],
      ["1G", /512Mi/],
    ],
  ],
  [
    "runbookUrl",
    (value) => settings({ runbookUrl: value }),
    ["https://wiki.example.com/a?b=c#d", "http://[::1]/x"],
    [
      ["wiki.example.com", /e\.g\. https/],
      ["https://", /e\.g\. https/],
      ["https://wiki.example.com/{{ x }}", /e\.g\. https/],
      ["https://me:hunter2@wiki.example.com", /without user and password/],
    ],
  ],
  [
    "monitoring.window",
    monitoring("window"),
    ["10m", "1h30m"],
    [
      ["10 minutes", /10m/],
      ["0s", /10m/],
      ["1m1h", /10m/],
      ["1.5h", /1h30m/],
      ["PT1H", /1h30m/],
      ["10", /the unit/],
      ["5 m", /spaces/],
    ],
  ],
  [
    "bypass.groups[0]",
    bypass("groups"),
    ["oidc:platform-oncall", "CN=Platform Team,OU=x", "system:masters"],
    [
      ["platform-*", /exactly/],
      [" platform", /spaces/],
      ["{{ x }}", /e\.g\./],
      ["a\nb", /e\.g\./],
    ],
  ],
  [
    "bypass.users[0]",
    bypass("users"),
    ["alice@example.com", "https://issuer.example.com#42", "Doe, Jane"],
    [
      ["*", /exactly/],
      ["a@b.example.com,c@b.example.com", /one line for each/],
    ],
  ],
  [
    "bypass.serviceAccounts[0]",
    bypass("serviceAccounts"),
    ["ops:break-glass", "ops:a.b"],
    [
      ["system:serviceaccount:ops:bg", /leave out system/],
      ["ops/bg", /: in place of \//],
      ["bg", /namespace and : before/],
      ["ops:*", /exactly/],
    ],
  ],
  [
    "suspend[0].until",
    (until) => settings({ suspend: [{ policy: "all", reason: "the registry moves", until }] }),
    ["2026-12-01T18:00:00Z", "2099-12-01T18:00:00+02:00"].slice(1),
    [
      ["2099-12-01", /time and the zone/],
      ["2099-12-01T18:00:00", /zone at its end/],
      ["24h", /e\.g\./],
    ],
  ],
  [
    "kyverno.proxy.https",
    (https) => settings({ kyverno: { proxy: { https } } }),
    ["http://proxy:3128"],
    [
      ["proxy:3128", /http:\/\/ before/],
      ["socks5://proxy:1080", /HTTP proxy/],
      ["http://me:hunter2@proxy:3128", /without user/],
      ["proxy", /e\.g\. http:\/\/proxy/],
    ],
  ],
  [
    "kyverno.apiServerAddresses[0]",
    (value) => settings({ kyverno: { apiServerAddresses: [value] } }),
    ["10.0.0.0/28", "fd00::/8"],
    [
      ["10.0.0.1", /\/32/],
      ["fd00::1", /\/128/],
      ["10.0.0.0/33", /e\.g\./],
      ["0.0.0.0/0", /leave the key out/],
      ["::/0", /leave the key out/],
    ],
  ],
  [
    "mode",
    (mode) => settings({ mode }),
    ["audit", "enforce"],
    [
      ["block", /write audit or enforce/],
      ["on", /write audit or enforce/],
      [true, /write audit or enforce/],
      ["Enforced", /did you mean enforce/],
    ],
  ],
  [
    "images[0].repositories[0]",
    (value) => imageSettings({ repositories: [value] }),
    [
      "ghcr.io/a/b",
      "localhost:5000/a",
      "localhost:38369/a",
      "localhost:65535/a",
      "docker.io/a_b/c__d",
      "ghcr.io/a/**",
      "ghcr.io/a/b-*",
    ],
    [
      ["ghcr.io/a/b:1", /leave out the tag/],
      [`ghcr.io/a/b@sha256:${"a".repeat(64)}`, /leave out the digest/],
      ["https://ghcr.io/a/b", /leave out the scheme/],
      ["ghcr.io:70000/a/b", /1 to 65535/],
      ["ghcr.io/A/b", /lower case/],
      ["ghcr.io/a/b/", /\/\* at its end/],
      ["ghcr.io", /which of its repositories/],
      ["localhost:5000", /which of its repositories/],
      ["nginx", /docker\.io\/library\/ before/],
      [" ghcr.io/a/b", /spaces/],
      ["ghcr.io/a/b-", /begin and end each part/],
      ["ghcr.io/a//b", /begin and end each part/],
      ["ghcr.io/a/?", /\* in place of \?/],
      ["ghcr.io/${ORG}/b", /nothing is filled in/],
    ],
  ],
  [
    "images[0].signers[0].github.repository",
    github("repository"),
    ["Ikey168/Modulo", "a/b.c_d-e", "octo_acme/b"],
    [
      ["https://github.com/Ikey168/Modulo", /owner\/name alone/],
      ["git@github.com:Ikey168/Modulo", /owner\/name alone/],
      ["Ikey168/Modulo.git", /\.git/],
      ["Ikey168/Modulo/", /\/ at the end/],
      ["*/Modulo", /name the owner/],
      ["Ikey168/Modulo/x", /e\.g\./],
      ["Modulo", /e\.g\./],
    ],
  ],
  [
    "images[0].signers[0].github.ref",
    github("ref"),
    ["refs/heads/main", "refs/tags/v*", "refs/pull/7/merge", "refs/*", "*", "0123456789abcdef0123456789abcdef01234567"],
    [
      ["main", /refs\/heads\/ before a branch/],
      ["v1.2.3", /refs\/tags\/ before it/],
      ["heads/main", /begin it with refs/],
      ["0123abc", /all 40 digits/],
      ["refs/remotes/origin/main", /no run has another ref/],
      ["refs/heads/a b", /e\.g\. refs\/heads\/main/],
      ["refs/heads/", /e\.g\. refs\/heads\/main/],
      ["refs/heads/main,refs/heads/dev", /signer of its own/],
      ["main|dev", /signer of its own/],
      ["refs/heads/main ", /spaces/],
    ],
  ],
  [
    "images[0].signers[0].github.workflow",
    github("workflow"),
    ["docker-build.yml", "a.yaml"],
    [
      [".github/workflows/a.yml", /name alone/],
      ["a.yml@refs/heads/main", /belongs to ref/],
      ["Docker build", /not the name that the workflow shows/],
    ],
  ],
  [
    "images[0].signers[0].github.callerRepository",
    github("callerRepository"),
    ["a/b", "a/*", "*"],
    [
      ["https://github.com/a/b", /owner\/name alone/],
      ["a", /e\.g\./],
    ],
  ],
  [
    "images[0].signers[0].github.issuer",
    github("issuer"),
    ["https://github.example.com/_services/token"],
    [
      ["https://github.example.com", /_services\/token at its end/],
      ["https://acme.ghe.com", /token\.actions\.TENANT/],
      ["token.actions.githubusercontent.com", /begin it with https/],
    ],
  ],
  [
    "images[0].signers[0].keyless.claims.githubWorkflowRepository",
    claim("githubWorkflowRepository"),
    ["a/b"],
    [["https://github.com/a/b", /owner\/name alone/]],
  ],
  [
    "images[0].signers[0].github.callerRef",
    github("callerRef"),
    ["refs/heads/main", "refs/heads/release-*"],
    [["0123456789abcdef0123456789abcdef01234567", /called workflow/]],
  ],
  [
    "images[0].signers[0].github.trigger",
    github("trigger"),
    ["push", "workflow_dispatch"],
    [
      ["Push", /push/],
      ["on: push", /push/],
    ],
  ],
  [
    "images[0].signers[0].keyless.claims.githubWorkflowSha",
    claim("githubWorkflowSha"),
    ["0123456789abcdef0123456789abcdef01234567", "0123abc*"],
    [
      ["0123abc", /all 40 digits/],
      ["main", /e\.g\./],
    ],
  ],
  [
    "images[0].attestations[0].predicateType",
    predicate,
    ["https://slsa.dev/provenance/v1", "cosign.sigstore.dev/attestation/v1"],
    [
      ["slsaprovenance", /provenance\/v0\.2/],
      ["spdxjson", /spdx\.dev\/Document/],
      ["cyclonedx", /cyclonedx\.org\/bom/],
      ["sbom", /e\.g\./],
    ],
  ],
  [
    "images[0].signatureRepository",
    signatureRepository,
    ["ghcr.io/a/signatures"],
    [["ghcr.io/a/signatures:v1", /leave out the tag/]],
  ],
];

describe("fields", () => {
  for (const [field, at, good, bad] of TABLE) {
    it(`${field} takes what it is`, () => {
      for (const value of good) postureOf(at(value));
    });
    for (const [value, fix] of bad)
      it(`${field} refuses ${JSON.stringify(value).slice(0, 60)}`, () => {
        const [problem, ...others] = problemsOf(() => postureOf(at(value)));
        assert.deepEqual([problem!.key, others.length], [field, 0]);
        assert.match(problem!.fix, fix);
        assert.doesNotMatch(JSON.stringify(problem), /hunter2/);
      });
  }
});

describe("fields of any length", () => {
  const LONG: [field: string, at: Settings, text: string][] = [
    ["images[0].repositories[0]", (value) => imageSettings({ repositories: [value] }), `${":".repeat(1 << 17)}/`],
    ["images[0].attestations[0].predicateType", predicate, `${"/".repeat(1 << 17)} `],
    [
      "images[0].signers[0].keyless.subject",
      (subject) => signerSettings({ keyless: { issuer: "https://i.example.com", subject } }),
      `${"@".repeat(1 << 17)}/`,
    ],
  ];
  for (const [field, at, text] of LONG)
    it(`are refused at once: ${field}`, () => {
      const begin = performance.now();
      const [problem, ...others] = problemsOf(() => postureOf(at(text)));
      assert.deepEqual([problem!.key, others.length], [field, 0]);
      const took = performance.now() - begin;
      assert.ok(took < 3000, `${Math.round(took)} ms`);
    });
});

describe("settings that Kyverno 1.10 ignores where they are put", () => {
  const CASES: [where: string, raw: Record<string, unknown>, key: string, fix: RegExp][] = [
    [
      "an algorithm beside a KMS",
      { key: { kms: "awskms:///alias/a", signatureAlgorithm: "sha512" } },
      "key.signatureAlgorithm",
      /KMS decides/,
    ],
    [
      "an algorithm beside a Secret",
      { key: { secretName: "a", signatureAlgorithm: "sha512" } },
      "key.signatureAlgorithm",
      /publicKey/,
    ],
    ["a log for a key", { key: { secretName: "a", rekor: { url: "https://r" } } }, "key.rekor", /without a log/],
    [
      "a log for one signer",
      { keyless: { issuer: "https://i", subject: "a@b", rekor: {} } },
      "keyless.rekor",
      /at trust/,
    ],
    [
      "roots of one signer",
      { keyless: { issuer: "https://i", subject: "a@b", roots: "" } },
      "keyless.roots",
      /fulcioCertificates/,
    ],
    [
      "a regular expression",
      { keyless: { issuer: "https://i", subjectRegExp: ".*" } },
      "keyless.subjectRegExp",
      /anybody could sign/,
    ],
    ["a place of one signer", { github: GITHUB, repository: "ghcr.io/a/b" }, "repository", /signatureRepository/],
  ];
  for (const [where, signer, field, fix] of CASES)
    it(`are refused with the reason: ${where}`, () => {
      const wanted = `images[0].signers[0].${field}`;
      const problem = problemsOf(() => postureOf(signerSettings(signer))).find(({ key }) => key === wanted);
      assert.match(problem!.fix, fix);
    });

  it("are refused with the reason: all but one repository, and the place of one attestation's signatures", () => {
    const except = imageSettings({ except: ["ghcr.io/ikey168/modulo-x"] });
    assert.match(problemsOf(() => postureOf(except))[0]!.fix, /no "all but"/);
    const attestations = [{ predicateType: "https://slsa.dev/provenance/v1", repository: "ghcr.io/a/b" }];
    assert.match(problemsOf(() => postureOf(imageSettings({ attestations })))[0]!.fix, /signatureRepository/);
  });

  it("are taken where they count", () => {
    const { publicKey } = newKeyPair();
    postureOf(signerSettings({ key: { publicKey, signatureAlgorithm: "sha512" } }));
    postureOf(
      signerSettings(
        { key: { kms: "awskms:///alias/a", signatureAlgorithm: "sha512" } },
        { kyverno: { target: "1.19" } },
      ),
    );
  });
});

describe("PEM texts", () => {
  const S = "images[0].signers[0]";
  const spki = { type: "spki", format: "pem" } as const;
  const rsa = (bits: number) => generateKeyPairSync("rsa", { modulusLength: bits });
  const pair = newKeyPair();
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });
  const keyOf = (publicKey: string) => () => postureOf(signerSettings({ key: { publicKey } }));

  it("of a public key may have any line ends, and RSA of 2048 bits or Ed25519", () => {
    keyOf(pair.publicKey.replaceAll("\n", "\r\n"))();
    keyOf(rsa(2048).publicKey.export(spki).toString())();
    keyOf(generateKeyPairSync("ed25519").publicKey.export(spki).toString())();
  });

  const KEYS: [what: string, pem: () => string, found: RegExp, fix: RegExp][] = [
    ["a private key", () => pair.privateKey, /private key/, /public part/],
    ["the base64 of a private key", () => base64(pair.privateKey), /private key/, /public part/],
    ["a public and a private key", () => pair.publicKey + pair.privateKey, /private key/, /make a new key/],
    ["the base64 of a public key", () => base64(pair.publicKey), /base64 of a PEM/, /base64 -d/],
    ["two keys in one text", () => pair.publicKey + newKeyPair().publicKey, /2 PEM blocks/, /signer of its own/],
    ["a certificate", () => authority.leaf.pem, /a certificate/, /openssl x509/],
    [
      "PKCS #1",
      () => rsa(2048).publicKey.export({ type: "pkcs1", format: "pem" }).toString(),
      /PKCS #1/,
      /openssl rsa/,
    ],
    ["RSA under 2048 bits", () => rsa(1024).publicKey.export(spki).toString(), /1024 bits/, /at least 2048/],
    [
      "a curve that Go does not know",
      () => generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey.export(spki).toString(),
      /secp256k1/,
      /P-256/,
    ],
    ["X25519", () => generateKeyPairSync("x25519").publicKey.export(spki).toString(), /x25519/, /ECDSA/],
    ["a text cut off", () => pair.publicKey.slice(0, 90), /without its end/, /copy all of it/],
    ["a text with lines missing", () => pair.publicKey.replace(/\n.{20}/, "\n"), /holds no key/, /copy it again/],
    ["a text on one line", () => pair.publicKey.replaceAll("\n", "\\n"), /\\n/, /block of YAML/],
    ["a text folded into one line", () => pair.publicKey.trim().replaceAll("\n", " "), /on one line/, /not with >/],
    ["an indented text", () => pair.publicKey.replace(/^/gm, "  "), /spaces before its lines/, /remove them/],
    ["a key of SSH", () => `ssh-ed25519 ${"A".repeat(64)} a@b`, /form of SSH/, /cosign\.pub/],
    [
      "a key of PGP",
      () => "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----",
      /PGP/,
      /cosign\.pub/,
    ],
    ["a path", () => "/etc/cosign.pub", /no PEM text/, /PEM text itself/],
  ];
  for (const [what, pem, found, fix] of KEYS)
    it(`are refused where a public key belongs: ${what}, which is never shown`, () => {
      const text = pem();
      const [problem, ...others] = problemsOf(keyOf(text));
      assert.deepEqual([problem!.key, others.length], [`${S}.key.publicKey`, 0]);
      assert.match(problem!.found, found);
      assert.match(problem!.fix, fix);
      for (const line of text.split(/\r?\n|\\n/).filter((part) => part.length > 20 && !part.startsWith("-")))
        assert.ok(!JSON.stringify(problem).includes(line.slice(0, 20)), line);
    });

  const CERTIFICATES: [what: string, certificate: () => Record<string, string>, key: string, found: RegExp][] = [
    [
      "a leaf among the authorities",
      () => ({ chain: authority.leaf.pem + authority.root.pem }),
      "chain",
      /no authority/,
    ],
    ["a leaf alone as an authority", () => ({ chain: authority.leaf.pem }), "chain", /no authority/],
    [
      "an authority as the signer",
      () => ({ certificate: authority.root.pem }),
      "certificate",
      /a certificate authority/,
    ],
    [
      "two certificates as the signer",
      () => ({ certificate: authority.leaf.pem + authority.root.pem }),
      "certificate",
      /2 certificates/,
    ],
    [
      "a signer and the authority of another",
      () => ({ certificate: authority.leaf.pem, chain: authority.root.pem }),
      "chain",
      /none of which issued/,
    ],
    ["a public key", () => ({ chain: pair.publicKey }), "chain", /PEM block PUBLIC KEY/],
    ["a private key", () => ({ chain: authority.root.pem + pair.privateKey }), "chain", /private key/],
    ["base64 of certificates", () => ({ chain: base64(authority.root.pem) }), "chain", /base64/],
    [
      "a chain cut off",
      () => ({ chain: authority.root.pem + authority.intermediate.pem.slice(0, 200) }),
      "chain",
      /without its end/,
    ],
  ];
  for (const [what, certificate, field, found] of CERTIFICATES)
    it(`are refused where certificates belong: ${what}`, () => {
      const [problem, ...others] = problemsOf(() => postureOf(signerSettings({ certificate: certificate() })));
      assert.deepEqual([problem!.key, others.length], [`${S}.certificate.${field}`, 0]);
      assert.match(problem!.found, found);
    });

  it("of certificates may have any line ends and text between them", () => {
    const chain = `# ours\r\n${(authority.intermediate.pem + authority.root.pem).replaceAll("\n", "\r\n")}`;
    postureOf(signerSettings({ certificate: { certificate: authority.leaf.pem, chain } }));
  });

  it("of a private key are not shown by any message, wherever they are given", () => {
    const secret = newKeyPair().privateKey;
    for (const text of [secret, base64(secret)])
      for (const raw of [
        settings({ runbookUrl: text }),
        settings({ kyverno: { registrySecrets: [text] } }),
        signerSettings({ key: { kms: text } }),
        settings({ images: [{ ...MODULO, name: text }] }),
        settings({ trust: { root: "custom", fulcioCertificates: text, acceptNoTransparencyLog: true } }),
        settings({ trust: { root: "custom", rekor: { url: "https://r.example.com", publicKey: text } } }),
      ]) {
        const told = JSON.stringify(problemsOf(() => postureOf(raw)));
        for (const line of secret.split("\n").filter((part) => part.length > 20 && !part.startsWith("-")))
          assert.ok(!told.includes(line.slice(0, 20)));
        assert.ok(!told.includes(base64(secret).slice(40, 60)));
      }
  });
});
