import * as assert from "node:assert/strict";
import { newAuthority, newKeyPair, type TestAuthority } from "../../support/pems";
import { problemsOf } from "../../support/problems";
import { GITHUB, imageSettings, MODULO, NOW, postureOf, settings, signerSettings } from "../../support/settings";

const S = "images[0].signers[0]";
const { privateKey, publicKey } = newKeyPair();
const issuer = "https://issuer.example.com";
const policy = (changes: Record<string, unknown>) => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name: "org-labels" },
  spec: { rules: [{ name: "labels", match: {}, validate: {} }] },
  ...changes,
});
const extra = (changes: Record<string, unknown>) => settings({ extraPolicies: [policy(changes)] });
const values = (chart: unknown) => settings({ kyverno: { values: chart } });
const suspend = (changes: Record<string, unknown>) =>
  settings({ suspend: [{ policy: "all", reason: "outage", until: "2026-06-02T00:00:00Z", ...changes }] });
const keyless = (changes: Record<string, unknown>) =>
  signerSettings({ keyless: { issuer, subject: "a@b.c", ...changes } });
const github = (changes: Record<string, unknown>) => signerSettings({ github: { ...GITHUB, ...changes } });
const own = (trust: Record<string, unknown>) => settings({ trust: { root: "custom", ...trust } });

/** What is wrong, the configuration, and the keys that the problems name. */
const TABLE: [what: string, raw: () => unknown, keys: string[]][] = [
  [
    "an address without its range",
    () => settings({ kyverno: { apiServerAddresses: ["10.0.0.1"] } }),
    ["kyverno.apiServerAddresses[0]"],
  ],
  [
    "an empty list of addresses",
    () => settings({ kyverno: { apiServerAddresses: [] } }),
    ["kyverno.apiServerAddresses"],
  ],
  ["pods without containers", () => settings({ backstop: { maxContainers: 0 } }), ["backstop.maxContainers"]],
  [
    "everybody as an author of policies",
    () =>
      settings({ backstop: { policyAuthors: { groups: ["system:authenticated"], serviceAccounts: ["flux:flux"] } } }),
    ["backstop.policyAuthors.groups"],
  ],
  ["no configuration at all", () => undefined, ["configuration"]],
  ["a list as configuration", () => [], ["configuration"]],
  ["no images", () => ({}), ["images"]],
  ["an empty list of images", () => settings({ images: [] }), ["images"]],
  ["a mode that does not exist", () => settings({ mode: "Enforce" }), ["mode"]],
  ["an image without signers", () => imageSettings({ signers: undefined }), ["images[0].signers"]],
  ["an empty list of signers", () => imageSettings({ signers: [] }), ["images[0].signers"]],
  ["a signer without a kind", () => signerSettings({}), [S]],
  ["a signer of two kinds", () => signerSettings({ github: GITHUB, key: { kms: "awskms:///alias/a" } }), [S]],
  ["an empty subject", () => keyless({ subject: "" }), [`${S}.keyless.subject`]],
  ["a subject of blanks", () => keyless({ subject: "  " }), [`${S}.keyless.subject`]],
  ["a missing subject", () => keyless({ subject: undefined }), [`${S}.keyless.subject`]],
  ["an empty issuer", () => keyless({ issuer: "" }), [`${S}.keyless.issuer`]],
  ["an issuer with wildcard", () => keyless({ issuer: "https://*" }), [`${S}.keyless.issuer`]],
  ["an issuer without TLS", () => keyless({ issuer: "http://issuer.example.com" }), [`${S}.keyless.issuer`]],
  ["any subject", () => keyless({ subject: "*" }), [`${S}.keyless.subject`]],
  ["a subject with open repository", () => keyless({ subject: "https://github.com/org*" }), [`${S}.keyless.subject`]],
  [
    "a claim that Kyverno 1.10 does not know",
    () => keyless({ claims: { runnerEnvironment: "x" } }),
    [`${S}.keyless.claims.runnerEnvironment`],
  ],
  ["a repository without owner", () => github({ repository: "Modulo" }), [`${S}.github.repository`]],
  ["an owner's every repository", () => github({ repository: "Ikey168/*" }), [`${S}.github`]],
  ["a short ref", () => github({ ref: "main" }), [`${S}.github.ref`]],
  ["a workflow with path", () => github({ workflow: ".github/workflows/x.yml" }), [`${S}.github.workflow`]],
  ["a key that is no PEM", () => signerSettings({ key: { publicKey: "cosign.pub" } }), [`${S}.key.publicKey`]],
  ["a private key", () => signerSettings({ key: { publicKey: privateKey } }), [`${S}.key.publicKey`]],
  [
    "a broken public key",
    () => signerSettings({ key: { publicKey: publicKey.replace("MF", "MA") } }),
    [`${S}.key.publicKey`],
  ],
  ["a key from two sources", () => signerSettings({ key: { publicKey, kms: "awskms:///alias/a" } }), [`${S}.key`]],
  ["a key from no source", () => signerSettings({ key: { signatureAlgorithm: "sha256" } }), [`${S}.key`]],
  ["an unknown KMS", () => signerSettings({ key: { kms: "file:///etc/key" } }), [`${S}.key.kms`]],
  ["an empty certificate block", () => signerSettings({ certificate: {} }), [`${S}.certificate`]],
  ["a chain that is no PEM", () => signerSettings({ certificate: { chain: "x" } }), [`${S}.certificate.chain`]],
  [
    "a chain with a private key",
    () => signerSettings({ certificate: { chain: authority.root.pem + privateKey } }),
    [`${S}.certificate.chain`],
  ],
  ["a threshold above the signers", () => imageSettings({ threshold: 2 }), ["images[0].threshold"]],
  ["a threshold of none", () => imageSettings({ threshold: 0 }), ["images[0].threshold"]],
  ["a name too long for rule names", () => imageSettings({ name: "x".repeat(30) }), ["images[0].name"]],
  [
    "two entries of one name",
    () => settings({ images: [MODULO, { ...MODULO, repositories: ["quay.io/x/y"] }] }),
    ["images[1].name and images[0].name"],
  ],
  [
    "a signature repository with wildcard",
    () => imageSettings({ signatureRepository: "ghcr.io/a/*" }),
    ["images[0].signatureRepository"],
  ],
  [
    "an attestation without type",
    () => imageSettings({ attestations: [{}] }),
    ["images[0].attestations[0].predicateType"],
  ],
  ["a wildcard as system namespace", () => settings({ namespaces: { system: ["istio-*"] } }), ["namespaces.system[0]"]],
  ["upper case in a namespace", () => settings({ namespaces: { production: ["Prod"] } }), ["namespaces.production[0]"]],
  [
    "an override without mode",
    () => settings({ namespaces: { overrides: [{ namespace: "a" }] } }),
    ["namespaces.overrides[0].mode"],
  ],
  [
    "an exemption without reason",
    () => settings({ uncovered: { exempt: [{ repositories: ["quay.io/a/b"] }] } }),
    ["uncovered.exempt[0].reason"],
  ],
  ["a bypass for nobody", () => settings({ bypass: { maxHours: 1 } }), ["bypass"]],
  ["a bypass for everybody", () => settings({ bypass: { groups: ["system:authenticated"] } }), ["bypass.groups"]],
  ["a bypass for the unnamed", () => settings({ bypass: { users: ["system:anonymous"] } }), ["bypass.users"]],
  [
    "a bypass for every service account",
    () => settings({ bypass: { groups: ["system:serviceaccounts"] } }),
    ["bypass.groups"],
  ],
  ["a bypass longer than a week", () => settings({ bypass: { groups: ["a"], maxHours: 169 } }), ["bypass.maxHours"]],
  [
    "a service account without namespace",
    () => settings({ bypass: { serviceAccounts: ["robot"] } }),
    ["bypass.serviceAccounts[0]"],
  ],
  ["a suspension that has ended", () => suspend({ until: NOW.toISOString() }), ["suspend[0].until"]],
  ["a suspension without zone", () => suspend({ until: "2026-12-01T18:00:00" }), ["suspend[0].until"]],
  ["a suspension without reason", () => suspend({ reason: "" }), ["suspend[0].reason"]],
  ["a suspended policy that does not exist", () => suspend({ policy: "verify-images" }), ["suspend[0].policy"]],
  ["own trust without anything", () => own({}), ["trust.fulcioCertificates", "trust.rekor"]],
  ["own trust without log", () => own({ fulcioCertificates: authority.root.pem }), ["trust.rekor"]],
  [
    "a log that is optional",
    () =>
      own({
        fulcioCertificates: authority.root.pem,
        rekor: { url: "https://r.example.com", publicKey },
        acceptNoTransparencyLog: true,
      }),
    ["trust.acceptNoTransparencyLog"],
  ],
  [
    "a log without key",
    () => own({ fulcioCertificates: authority.root.pem, rekor: { url: "https://r.example.com" } }),
    ["trust.rekor.publicKey"],
  ],
  [
    "own certificates beside the public ones",
    () => settings({ trust: { fulcioCertificates: authority.root.pem } }),
    ["trust.fulcioCertificates"],
  ],
  [
    "a time limit below Kyverno's least",
    () => settings({ failure: { enforceTimeoutSeconds: 5 } }),
    ["failure.enforceTimeoutSeconds"],
  ],
  [
    "a time limit in quotes",
    () => settings({ failure: { auditTimeoutSeconds: "20" } }),
    ["failure.auditTimeoutSeconds"],
  ],
  ["two replicas", () => settings({ kyverno: { replicas: 2 } }), ["kyverno.replicas"]],
  ["Kyverno in a namespace of others", () => settings({ kyverno: { namespace: "default" } }), ["kyverno.namespace"]],
  [
    "a chart from two places",
    () => settings({ kyverno: { chart: { path: "./c", repository: "https://c.example.com" } } }),
    ["kyverno.chart"],
  ],
  ["another Kyverno line", () => settings({ kyverno: { target: "1.11" } }), ["kyverno.target"]],
  ["a number where a line's name belongs", () => settings({ kyverno: { target: 1.1 } }), ["kyverno.target"]],
  [
    "policies that would let through",
    () => values({ features: { forceFailurePolicyIgnore: { enabled: true } } }),
    ["kyverno.values.features.forceFailurePolicyIgnore.enabled"],
  ],
  [
    "other trust by variable",
    () =>
      values({ admissionController: { container: { extraEnvVars: [{ name: "SIGSTORE_ROOT_FILE", value: "/x" }] } } }),
    ["kyverno.values.admissionController.container.extraEnvVars.SIGSTORE_ROOT_FILE"],
  ],
  [
    "no trust by empty variables",
    () => values({ reportsController: { extraEnvVars: null } }),
    ["kyverno.values.reportsController.extraEnvVars"],
  ],
  [
    "a second judge of images",
    () => extra({ spec: { rules: [{ name: "r", verifyImages: [] }] } }),
    ["extraPolicies[0].spec.rules[0].verifyImages"],
  ],
  [
    "a policy of the guard's name",
    () => extra({ metadata: { name: "verify-image-signatures" } }),
    ["extraPolicies[0].metadata.name"],
  ],
  ["a policy without name", () => extra({ metadata: {} }), ["extraPolicies[0].metadata.name"]],
  ["a policy of another kind", () => extra({ kind: "Policy" }), ["extraPolicies[0]"]],
  ["a policy without rules", () => extra({ spec: {} }), ["extraPolicies[0].spec.rules"]],
  [
    "two policies of one name",
    () => settings({ extraPolicies: [policy({}), policy({})] }),
    ["extraPolicies[1].metadata.name"],
  ],
  ["a runbook that is no address", () => settings({ runbookUrl: "docs/bypass.md" }), ["runbookUrl"]],
  ["a runbook with a Kyverno variable", () => settings({ runbookUrl: "https://x/{{request}}" }), ["runbookUrl"]],
];

let authority: TestAuthority;

describe("a configuration with", () => {
  before(async () => {
    authority = await newAuthority();
  });

  for (const [what, raw, keys] of TABLE) {
    it(`${what} is refused at ${keys.join(" and ")}`, () => {
      assert.deepEqual(
        problemsOf(() => postureOf(raw())).map(({ key }) => key),
        keys,
      );
    });
  }
});
