import * as assert from "node:assert/strict";
import type { Json } from "../../../../components/kubernetes/manifest";
import { entryRule } from "../../../../components/policies/names";
import { newAuthority, newKeyPair, type TestAuthority } from "../../../support/pems";
import {
  compile,
  GITHUB,
  imageSettings,
  policyOf,
  ruleOf,
  SUBJECT,
  settings,
  verificationOf,
} from "../../../support/settings";

const { publicKey } = newKeyPair();
const rekor = { url: "https://rekor.example.com", publicKey };

function attestorsOf(signers: unknown[], changes: Record<string, unknown> = {}, threshold?: number): Json {
  const images = (imageSettings({ signers, ...(threshold ? { threshold } : {}) }) as { images: unknown }).images;
  const policy = policyOf(compile(settings({ images, ...changes })), "verify-image-signatures");
  return (verificationOf(ruleOf(policy, entryRule("signedBy", "modulo"))).attestors as Json[])[0]!;
}
const entryOf = (signer: unknown, changes: Record<string, unknown> = {}) =>
  (attestorsOf([signer], changes).entries as Json[])[0]!;

describe("attestors", () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });
  const own = (trust: Record<string, unknown>) => ({
    trust: { root: "custom", fulcioCertificates: authority.intermediate.pem + authority.root.pem, ...trust },
  });

  it("always say how many must sign, since Kyverno takes silence for all", () => {
    const signers = [{ key: { kms: "awskms:///alias/a" } }, { key: { kms: "awskms:///alias/b" } }];
    assert.equal(attestorsOf(signers).count, 1);
    assert.equal(attestorsOf(signers, {}, 2).count, 2);
  });

  it("for a workflow carry identity, claims, roots and log", () => {
    const { keyless } = entryOf(
      { github: { ...GITHUB, trigger: "push" } },
      own({ rekor, ctLogPublicKey: publicKey }),
    ) as { keyless: Json };
    assert.deepEqual(keyless, {
      issuer: "https://token.actions.githubusercontent.com",
      subject: SUBJECT,
      additionalExtensions: { githubWorkflowTrigger: "push" },
      roots: authority.intermediate.pem + authority.root.pem,
      rekor: { url: "https://rekor.example.com" },
    });
  });

  it("for the public-good instance name its log", () => {
    const { keyless } = entryOf({ github: GITHUB }) as { keyless: { rekor: Json; roots: string } };
    assert.deepEqual(keyless.rekor, { url: "https://rekor.sigstore.dev" });
    assert.match(keyless.roots, /BEGIN CERTIFICATE/);
  });

  it("without a log name none, so that none is asked", () => {
    const { keyless } = entryOf({ github: GITHUB }, own({ acceptNoTransparencyLog: true })) as { keyless: Json };
    assert.ok(!("rekor" in keyless));
  });

  it("for Kyverno 1.19 say that absent logs are ignored", () => {
    const target = { kyverno: { target: "1.19" } };
    const { keyless } = entryOf({ github: GITHUB }, { ...own({ acceptNoTransparencyLog: true }), ...target }) as {
      keyless: Json;
    };
    assert.deepEqual(
      [keyless.rekor, keyless.ctlog],
      [{ url: "https://rekor.sigstore.dev", ignoreTlog: true }, { ignoreSCT: true }],
    );
    const { keys } = entryOf({ key: { publicKey } }, target) as { keys: Json };
    assert.deepEqual(keys.ctlog, { ignoreSCT: true });
  });

  it("for keys carry the PEM, KMS reference or Secret in Kyverno's namespace, and no log", () => {
    assert.deepEqual(entryOf({ key: { publicKey } }), {
      keys: { publicKeys: publicKey, signatureAlgorithm: "sha256" },
    });
    assert.deepEqual(entryOf({ key: { kms: "awskms:///alias/a" } }), {
      keys: { kms: "awskms:///alias/a", signatureAlgorithm: "sha256" },
    });
    assert.deepEqual(entryOf({ key: { secretName: "cosign" } }, { kyverno: { namespace: "policy" } }), {
      keys: { secret: { name: "cosign", namespace: "policy" }, signatureAlgorithm: "sha256" },
    });
  });

  it("for keys begin with the PEM header, or Kyverno would take the text for a reference", () => {
    const { keys } = entryOf({ key: { publicKey: `\n\n${publicKey}` } }) as { keys: { publicKeys: string } };
    assert.ok(keys.publicKeys.startsWith("-----BEGIN PUBLIC KEY-----"));
    const annotated = entryOf({ key: { publicKey: `# our key\n${publicKey}` } }) as { keys: { publicKeys: string } };
    assert.ok(annotated.keys.publicKeys.startsWith("-----BEGIN PUBLIC KEY-----"), annotated.keys.publicKeys);
  });

  it("for certificates carry leaf and chain", () => {
    const chain = authority.intermediate.pem + authority.root.pem;
    assert.deepEqual(entryOf({ certificate: { certificate: authority.leaf.pem, chain } }), {
      certificates: { cert: authority.leaf.pem, certChain: chain },
    });
    assert.deepEqual(entryOf({ certificate: { chain } }), { certificates: { certChain: chain } });
  });
});
