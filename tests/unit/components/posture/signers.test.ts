import * as assert from "node:assert/strict";
import { describeSigner } from "../../../../components/posture/signers";
import type { Signer } from "../../../../components/posture/types";
import { newAuthority, newKeyPair, type TestAuthority } from "../../../support/pems";
import { problemsOf } from "../../../support/problems";
import { GITHUB, imageSettings, postureOf, SUBJECT, signerSettings } from "../../../support/settings";

const signerOf = (signer: unknown): Signer => postureOf(signerSettings(signer)).images[0]!.signers[0]!;
const keysOf = (raw: unknown) => problemsOf(() => postureOf(raw)).map(({ key }) => key);
const FINGERPRINT = /^sha256:[0-9a-f]{64}$/;

describe("signers", () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });

  it("of the kind github become the exact identity in Fulcio's certificates", () => {
    assert.deepEqual(signerOf({ github: GITHUB }), {
      kind: "keyless",
      issuer: "https://token.actions.githubusercontent.com",
      subject: SUBJECT,
      claims: {},
    });
  });

  it("of the kind github bind event and caller by claims", () => {
    const signer = signerOf({ github: { ...GITHUB, trigger: "push", callerRepository: "Ikey168/Other" } });
    assert.equal(signer.kind, "keyless");
    assert.deepEqual(signer.kind === "keyless" && signer.claims, {
      githubWorkflowRepository: "Ikey168/Other",
      githubWorkflowTrigger: "push",
    });
  });

  it("of the kind keyless keep issuer, subject and claims", () => {
    const keyless = {
      issuer: "https://issuer.example.com",
      subject: "release@example.com",
      claims: { githubWorkflowSha: "0123abc*" },
    };
    assert.deepEqual(signerOf({ keyless }), { kind: "keyless", ...keyless });
  });

  it("of the kind key are named by fingerprint, and no PEM stands in the posture", () => {
    const { publicKey } = newKeyPair();
    const posture = postureOf(signerSettings({ key: { publicKey } }));
    const signer = posture.images[0]!.signers[0]!;
    assert.match((signer as { publicKey: string }).publicKey, FINGERPRINT);
    assert.ok(!JSON.stringify(posture).includes("BEGIN"));
  });

  it("of the kind key may be a KMS reference or a Secret, with sha256 unless said otherwise", () => {
    assert.deepEqual(signerOf({ key: { kms: "awskms:///alias/cosign" } }), {
      kind: "key",
      kms: "awskms:///alias/cosign",
      signatureAlgorithm: "sha256",
    });
    assert.deepEqual(signerOf({ key: { secretName: "cosign.prod" } }), {
      kind: "key",
      secretName: "cosign.prod",
      signatureAlgorithm: "sha256",
    });
  });

  it("with another key have another fingerprint, with the same key in other line breaks the same", () => {
    const { publicKey } = newKeyPair();
    const once = signerOf({ key: { publicKey } });
    assert.deepEqual(signerOf({ key: { publicKey: `\n${publicKey}\n\n` } }), once);
    assert.notDeepEqual(signerOf({ key: { publicKey: newKeyPair().publicKey } }), once);
  });

  it("of the kind certificate take a chain, and refuse an authority where the signer's own belongs", () => {
    const chain = authority.intermediate.pem + authority.root.pem;
    const signer = signerOf({ certificate: { certificate: authority.leaf.pem, chain } });
    assert.equal(signer.kind, "certificate");
    assert.deepEqual(keysOf(signerSettings({ certificate: { certificate: authority.root.pem } })), [
      "images[0].signers[0].certificate.certificate",
    ]);
  });

  it("refuse several keys in one PEM, since Kyverno takes each for a signer of its own", () => {
    const publicKey = newKeyPair().publicKey + newKeyPair().publicKey;
    assert.deepEqual(keysOf(signerSettings({ key: { publicKey } })), ["images[0].signers[0].key.publicKey"]);
  });

  it("refuse a certificate where a public key belongs", () => {
    assert.deepEqual(keysOf(signerSettings({ key: { publicKey: authority.leaf.pem } })), [
      "images[0].signers[0].key.publicKey",
    ]);
  });

  it("need one of them by default, and at most all", () => {
    const signers = [{ key: { kms: "awskms:///alias/a" } }, { key: { kms: "awskms:///alias/b" } }];
    assert.equal(postureOf(imageSettings({ signers })).images[0]!.threshold, 1);
    assert.equal(postureOf(imageSettings({ signers, threshold: 2 })).images[0]!.threshold, 2);
    assert.deepEqual(keysOf(imageSettings({ signers, threshold: 3 })), ["images[0].threshold"]);
  });

  it("of an attestation default to those of the image", () => {
    const attestations = [
      { predicateType: "https://slsa.dev/provenance/v1" },
      { predicateType: "https://spdx.dev/Document", signers: [{ key: { kms: "awskms:///alias/sbom" } }] },
    ];
    const [image] = postureOf(imageSettings({ attestations })).images;
    assert.deepEqual(image!.attestations[0]!.signers, image!.signers);
    assert.equal((image!.attestations[1]!.signers[0] as { kms: string }).kms, "awskms:///alias/sbom");
  });

  it("describe themselves in words that a refused person can act on", () => {
    assert.ok(describeSigner(signerOf({ github: GITHUB })).includes(SUBJECT));
    assert.equal(describeSigner(signerOf({ key: { kms: "awskms:///alias/a" } })), "awskms:///alias/a");
    assert.match(describeSigner(signerOf({ key: { secretName: "cosign" } })), /Secret cosign/);
    assert.match(describeSigner(signerOf({ key: { publicKey: newKeyPair().publicKey } })), /sha256:[0-9a-f]{12}$/);
    assert.match(describeSigner(signerOf({ certificate: { chain: authority.root.pem } })), /certificate/);
  });
});
