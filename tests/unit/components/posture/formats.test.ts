import * as assert from "node:assert/strict";
import { newAuthority, newKeyPair, type TestAuthority } from "../../../support/pems";
import { problemsOf } from "../../../support/problems";
import {
  compile,
  GITHUB,
  MODULO,
  policyOf,
  postureOf,
  ruleOf,
  settings,
  verificationOf,
  warningsOf,
} from "../../../support/settings";

const ROOT = JSON.stringify({ signed: { _type: "root" }, signatures: [] });
const TUF = { mirror: "https://tuf.example.com", root: ROOT };
const NEXT = { kyverno: { target: "1.19" } };

describe("formats of signatures", () => {
  let authority: TestAuthority;
  let custom: Record<string, unknown>;
  before(async () => {
    authority = await newAuthority();
    custom = {
      root: "custom",
      fulcioCertificates: authority.root.pem,
      rekor: { url: "https://rekor.example.com", publicKey: newKeyPair().publicKey },
    };
  });

  const entry = (change: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    settings({ images: [{ ...MODULO, ...change }], ...more });
  const bundles = (change: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    entry({ format: "sigstoreBundle", ...change }, { ...NEXT, ...more });
  const notation = (change: Record<string, unknown> = {}) =>
    entry({ format: "notation", signers: [{ certificate: { chain: authority.root.pem } }], ...change });
  const PREDICATE = "https://slsa.dev/provenance/v1";
  const S = "images[0].signers[0]";

  /** What a format can't keep: where it is said, and a word of the way out. To add a case, add a line. */
  const UNFIT: [what: string, raw: () => unknown, key: string, fix: RegExp][] = [
    ["bundles on 1.10", () => entry({ format: "sigstoreBundle" }), "images[0].format", /kyverno\.target: "1\.19"/],
    [
      "a caller's repository in bundles",
      () => bundles({ signers: [{ github: { ...GITHUB, callerRepository: "a/b" } }] }),
      `${S}.github.callerRepository`,
      /reads no claims/,
    ],
    [
      "a trigger in bundles",
      () => bundles({ signers: [{ github: { ...GITHUB, trigger: "push" } }] }),
      `${S}.github.trigger`,
      /format: cosign/,
    ],
    [
      "claims in bundles",
      () =>
        bundles({
          signers: [
            {
              keyless: {
                issuer: "https://i.example.com",
                subject: "a@example.com",
                claims: { githubWorkflowTrigger: "push" },
              },
            },
          ],
        }),
      `${S}.keyless.claims.githubWorkflowTrigger`,
      /reads no claims/,
    ],
    [
      "a certificate in bundles",
      () => bundles({ signers: [{ certificate: { chain: authority.root.pem } }] }),
      `${S}.certificate`,
      /name a key/,
    ],
    [
      "a Fulcio of a signer's own in bundles",
      () =>
        bundles({
          signers: [
            { github: GITHUB, trust: { fulcioCertificates: authority.root.pem, acceptNoTransparencyLog: true } },
          ],
        }),
      `${S}.trust`,
      /one update repository/,
    ],
    [
      "bundles stored elsewhere",
      () => bundles({ signatureRepository: "ghcr.io/a/b" }),
      "images[0].signatureRepository",
      /beside the image/,
    ],
    [
      "a certificate for a bundled statement",
      () =>
        bundles({
          attestations: [{ predicateType: PREDICATE, signers: [{ certificate: { chain: authority.root.pem } }] }],
        }),
      "images[0].attestations[0].signers[0].certificate",
      /name a key/,
    ],
    [
      "bundles of an own Sigstore without its anchors",
      () => bundles({}, { trust: custom }),
      "trust.tuf",
      /name the update repository/,
    ],
    [
      "keyless bundles offline",
      () => bundles({}, { trust: { ...custom, root: "offline" } }),
      "images[0].format",
      /trust\.root: custom/,
    ],
    [
      "an update repository on 1.10",
      () => settings({ trust: { ...custom, tuf: TUF } }),
      "trust.tuf",
      /"1\.19" reads one/,
    ],
    [
      "an update repository beside the public one",
      () => bundles({}, { trust: { tuf: TUF } }),
      "trust.tuf",
      /has its own/,
    ],
    [
      "an update repository offline",
      () =>
        bundles(
          { signers: [{ key: { publicKey: newKeyPair().publicKey } }] },
          { trust: { root: "offline", tuf: TUF } },
        ),
      "trust.tuf",
      /nothing but the registry/,
    ],
    [
      "a root that is none",
      () => bundles({}, { trust: { ...custom, tuf: { ...TUF, root: "{}" } } }),
      "trust.tuf.root",
      /./,
    ],
    [
      "a workflow for Notation",
      () => notation({ signers: [{ github: GITHUB }] }),
      `${S}.github`,
      /name the certificate/,
    ],
    [
      "a key for Notation",
      () => notation({ signers: [{ key: { publicKey: newKeyPair().publicKey } }] }),
      `${S}.key`,
      /name the certificate/,
    ],
    [
      "certificate and chain for Notation",
      () => notation({ signers: [{ certificate: { certificate: authority.leaf.pem, chain: authority.root.pem } }] }),
      `${S}.certificate`,
      /believe either/,
    ],
    [
      "statements for Notation",
      () => notation({ attestations: [{ predicateType: PREDICATE }] }),
      "images[0].attestations",
      /with cosign/,
    ],
    [
      "Notation stored elsewhere",
      () => notation({ signatureRepository: "ghcr.io/a/b" }),
      "images[0].signatureRepository",
      /beside the image/,
    ],
  ];
  for (const [what, raw, key, fix] of UNFIT)
    it(`can't keep ${what}`, () => {
      const problem = problemsOf(() => postureOf(raw())).find((one) => one.key === key);
      assert.ok(problem, key);
      assert.match(problem.fix, fix);
    });

  it("are in the posture only where they are not Cosign's, so that nothing changes for those who have no other", () => {
    assert.equal(postureOf(settings()).images[0]!.format, undefined);
    assert.deepEqual(postureOf(entry({ format: "cosign" })), postureOf(settings()));
    assert.equal(postureOf(bundles()).images[0]!.format, "sigstoreBundle");
  });

  const verification = (raw: unknown) =>
    verificationOf(ruleOf(policyOf(compile(raw), "require-signed-images"), "signed-by-modulo"));
  const attestor = (raw: unknown) =>
    (verification(raw).attestors as { entries: Record<string, Record<string, unknown>>[] }[])[0]!.entries[0]!;

  it("bundles name the identity whole, or by an expression that is anchored, and no anchors", () => {
    assert.equal(verification(bundles()).type, "SigstoreBundle");
    assert.deepEqual(Object.keys(attestor(bundles()).keyless!).sort(), ["issuer", "rekor", "subject"]);
    const tags = attestor(bundles({ signers: [{ github: { ...GITHUB, ref: "refs/tags/v?.*" } }] })).keyless!;
    assert.equal(tags.subject, undefined);
    const regex = new RegExp(String(tags.subjectRegExp));
    const subject = (ref: string) => `https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@${ref}`;
    assert.ok(regex.test(subject("refs/tags/v1.2")));
    for (const other of [
      `x${subject("refs/tags/v1.2")}`,
      subject("refs/tags/v10"),
      subject("refs/heads/v1.2"),
      subject("refs/tags/v1.2").replace(".com", "xcom"),
    ])
      assert.ok(!regex.test(other), other);
  });

  it("bundles without a log demand a timestamp, and with one an entry", () => {
    const withLog = bundles({}, { trust: { ...custom, tuf: TUF } });
    assert.deepEqual(attestor(withLog).keyless!.rekor, { url: "https://rekor.example.com" });
    const { rekor: _, ...rest } = custom;
    const without = bundles({}, { trust: { ...rest, acceptNoTransparencyLog: true, tuf: TUF } });
    const { rekor, ctlog } = attestor(without).keyless!;
    assert.equal((rekor as { ignoreTlog?: boolean }).ignoreTlog, true);
    assert.equal(ctlog, undefined);
  });

  it("the update repository reaches both controllers that verify, its root as a file", () => {
    const { chartValues, trust } = compile(bundles({}, { trust: { ...custom, tuf: TUF } }));
    const { features } = chartValues as { features: { tuf: unknown } };
    assert.deepEqual(features.tuf, {
      enabled: true,
      mirror: TUF.mirror,
      root: "/image-signing-guard-trust/tuf-root.json",
    });
    assert.equal((trust!.data as Record<string, string>)["tuf-root.json"], ROOT);
  });

  it("warn of an update repository that nothing reads", () => {
    const raw = settings({ ...NEXT, trust: { ...custom, tuf: TUF } });
    assert.match(warningsOf(raw).join(), /trust\.tuf: no entry/);
  });

  it("Notation has certificates and nothing else", () => {
    assert.equal(verification(notation()).type, "Notary");
    assert.deepEqual(Object.keys(attestor(notation()).certificates!), ["certChain"]);
  });
});
