import * as assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { trustOf } from "../../../../cli/trust/run";
import { createAuthority, createKeyPair, issue } from "../../../../local/certificates";
import { problemsOf } from "../../../support/problems";
import { MODULO, NOW, postureOf, settings, stackSettings } from "../../../support/settings";

const DAY = 86_400_000;
const rekorOf = (publicKey: string) => ({ url: "https://rekor.example.com", publicKey });
const own = (trust: object, root = "custom") => settings({ trust: { root, ...trust } });
const keysOf = (raw: unknown) => problemsOf(() => postureOf(raw)).map(({ key }) => key);

describe("trust bundle", () => {
  it("of public Sigstore: source, fingerprints, dates", () => {
    const { root, source, anchors, inWindow } = trustOf(stackSettings("prod"), NOW);
    assert.equal(root, "publicGood");
    assert.match(source, /^@sigstore\/tuf \d+\.\d+\.\d+ /);
    assert.deepEqual(
      anchors.map(({ use, kind }) => `${use} ${kind}`),
      ["fulcio certificate", "fulcio certificate", "rekor key", "ctLog key"],
    );
    // The log's identifier in every signature of the public instance.
    assert.equal(anchors[2]?.fingerprint, "sha256:c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d");
    assert.equal(inWindow, true);
  });

  it("of public Sigstore ends some day, and strict does not hide it", () => {
    const late = trustOf(settings({ trust: { strict: true } }), new Date("2040-01-01"));
    assert.equal(late.inWindow, false);
    assert.ok(late.anchors.some(({ state, daysLeft }) => state === "ended" && (daysLeft ?? 0) < 0));
  });

  it("of one's own: days left, not yet valid, ended", async () => {
    const rekor = await createKeyPair();
    const fulcio = await createAuthority("CN=own", undefined, 30);
    const raw = own({ fulcioCertificates: fulcio.pem, rekor: rekorOf(rekor.publicKeyPem) });
    const at = (days: number) => trustOf(raw, new Date(Date.now() + days * DAY));
    assert.deepEqual([at(0).inWindow, at(0).anchors[0]?.daysLeft], [true, 29]);
    assert.equal(at(31).anchors[0]?.state, "ended");
    assert.equal(at(-5).anchors[0]?.state, "notYet");
  });

  it("the command shows it and answers by its exit code", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "trust-"));
    const root = path.join(__dirname, "..", "..", "..", "..");
    const run = (...args: string[]) =>
      execFileSync(
        process.execPath,
        ["-r", "ts-node/register/transpile-only", path.join(root, "cli", "main.ts"), "trust", ...args],
        { cwd: root, encoding: "utf8" },
      );
    assert.match(run("--stack=prod"), /fulcio certificate +valid/);
    const gone = (await createAuthority("CN=gone", undefined, -0.5)).pem;
    const config = { "image-signing-guard:images": [MODULO] } as Record<string, unknown>;
    config["image-signing-guard:trust"] = { root: "custom", fulcioCertificates: gone, acceptNoTransparencyLog: true };
    fs.writeFileSync(path.join(folder, "Pulumi.old.yaml"), JSON.stringify({ config }));
    assert.throws(
      () => run("--stack=old", `--cwd=${folder}`, "--output=json"),
      (error: { status: number; stdout: string }) => error.status === 1 && /"inWindow": false/.test(error.stdout),
    );
    fs.rmSync(folder, { recursive: true });
  });
});

describe("trust that Kyverno 1.10 can't honour is refused", () => {
  it("log keys of another type, several keys, certificates that are no authority", async () => {
    const authority = await createAuthority("CN=own");
    const rekor = await createKeyPair();
    const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
    const base = { fulcioCertificates: authority.pem, rekor: rekorOf(rekor.publicKeyPem) };
    assert.deepEqual(keysOf(own({ ...base, rekor: rekorOf(pem) })), ["trust.rekor.publicKey"]);
    assert.deepEqual(keysOf(own({ ...base, ctLogPublicKey: pem })), ["trust.ctLogPublicKey"]);
    const two = `${rekor.publicKeyPem}${(await createKeyPair()).publicKeyPem}`;
    assert.deepEqual(keysOf(own({ ...base, rekor: rekorOf(two) })), ["trust.rekor.publicKey"]);
    const leaf = await issue(authority, { subject: "CN=leaf" });
    assert.deepEqual(keysOf(own({ ...base, fulcioCertificates: `${authority.pem}${leaf.pem}` })), [
      "trust.fulcioCertificates",
    ]);
    assert.deepEqual(keysOf(own({ fulcioCertificates: authority.pem })), ["trust.rekor"]);
  });

  it("a KMS offline, a wildcard for the place of signatures, several signers of one statement", () => {
    const kms = {
      images: [{ ...MODULO, signers: [{ key: { kms: "awskms:///alias/x" } }] }],
      trust: { root: "offline" },
    };
    assert.deepEqual(keysOf(kms), ["images[0].signers[0].key.kms"]);
    const place = settings({ images: [{ ...MODULO, signatureRepository: "ghcr.io/ikey168/*" }] });
    assert.deepEqual(keysOf(place), ["images[0].signatureRepository"]);
    const signers = [...MODULO.signers, { key: { secretName: "cosign" } }];
    const attestations = [{ predicateType: "https://slsa.dev/provenance/v1" }];
    assert.deepEqual(keysOf(settings({ images: [{ ...MODULO, signers, attestations }] })), [
      "images[0].attestations[0].signers",
    ]);
  });
});
