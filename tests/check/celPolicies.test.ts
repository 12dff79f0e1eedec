import * as x509 from "@peculiar/x509";
import { type Certificate, createAuthority, issue } from "../../local/certificates";
import { type BundleSigner, provenanceV1, type SigningKey, TAG_FORMAT } from "../../local/signing";
import { createSigstore, type Identity, type Signer, type Sigstore } from "../../local/sigstore";
import { startSigstoreServices } from "../../local/sigstoreServices";
import { comparison, copyReferrers, owner } from "./compare";
import { apps, development, production, startWorld, type World } from "./world";

const github = { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" };
const provenance = "https://slsa.dev/provenance/v1";
/** Cosign leaves a predicate of a kind that it does not know as it is. */
const level = "https://example.com/level/v1";
const hourAgo = () => new Date(Date.now() - 3_600_000);

describe("check and ImageValidatingPolicies say the same", function () {
  this.timeout(180_000);
  let world: World;
  let other: Sigstore;
  let team: SigningKey;
  let stranger: SigningKey;
  let companySigner: (authority?: Awaited<ReturnType<typeof createAuthority>>) => Promise<Signer>;
  let notary: Certificate;

  before(async function () {
    this.timeout(40 * 60_000);
    world = await startWorld();
    if (world.node.kyverno.version.startsWith("1.10.")) {
      this.skipReason = `needs Kyverno 1.19: ${world.node.kyverno.version} knows no ImageValidatingPolicy`;
      return this.skip();
    }
    other = await createSigstore();
    team = await world.cosign.createKey("team");
    stranger = await world.cosign.createKey("stranger");
    const company = await createAuthority("CN=company");
    notary = await createAuthority("C=US, ST=WA, O=company.example.com, CN=company");
    companySigner = async (authority = company) => {
      const certificate = await issue(authority, {
        subject: "CN=builder",
        usages: [x509.ExtendedKeyUsage.codeSigning],
      });
      return { subject: "", issuer: "", certificate, chain: company.pem, notBefore: new Date() };
    };
    const { sigstore, services } = world;
    const bundles = "sigstoreBundle";
    const key = { key: { publicKey: team.publicKey } };
    const conditions = [
      { all: [{ key: "{{ builder.id }}", operator: "Equals", value: "https://github.com/actions/*" }] },
      { any: [{ key: "{{ level }}", operator: "GreaterThanOrEquals", value: 3 }] },
    ];
    await world.use({
      mode: "enforce",
      kyverno: { policies: "imageValidatingPolicy" },
      images: [
        { name: "modulo", repositories: [`${owner}/modulo-*`], signers: [{ github }] },
        { name: "keyed", repositories: [`${owner}/keyed`], signers: [key] },
        { name: "both", repositories: [`${owner}/both`], signers: [{ github }, key], threshold: 2 },
        { name: "either", repositories: [`${owner}/either`], signers: [{ github }, key] },
        { name: "company", repositories: [`${owner}/company`], signers: [{ certificate: { chain: company.pem } }] },
        { name: "tags", repositories: [`${owner}/tags`], signers: [{ github: { ...github, ref: "refs/tags/v*" } }] },
        { name: "apart", repositories: [`${owner}/apart`], signers: [key], signatureRepository: `${owner}/signatures` },
        {
          name: "old",
          repositories: [`${owner}/old`],
          signers: [{ github }],
          attestations: [{ predicateType: provenance }],
        },
        { name: "bundled", repositories: [`${owner}/bundled`], format: bundles, signers: [{ github }] },
        { name: "bundled-key", repositories: [`${owner}/bundled-key`], format: bundles, signers: [key] },
        {
          name: "attested",
          repositories: [`${owner}/attested`],
          format: bundles,
          signers: [{ github }],
          attestations: [{ predicateType: level, conditions }],
        },
        {
          name: "notated",
          repositories: [`${owner}/notated`],
          format: "notation",
          signers: [{ certificate: { chain: notary.pem } }],
        },
      ],
      uncovered: { exempt: [{ repositories: ["quay.io/exempt/*"], reason: "built by the platform team" }] },
      trust: {
        root: "custom",
        fulcioCertificates: sigstore.fulcioRoots + sigstore.intermediate.pem,
        rekor: { url: services.url, publicKey: sigstore.rekorPublicKey },
        ctLogPublicKey: sigstore.ctLogPublicKey,
        tuf: { mirror: services.url, root: services.tufRoot },
      },
    });
  });

  after(async function () {
    this.timeout(30_000);
    await world?.plane.stop();
  });

  const { add, push, signer, signedBy, by, bundled, compare } = comparison(() => world);

  it("signatures in cosign's tag format", async () => {
    const good = await signedBy({});
    add("signed, by tag", good.tag, "signed");
    add("signed, by digest", good.digest, "signed");
    add("signed, by tag and digest", `${good.tag}@${good.hash}`, "signed");
    add("signed, in production", good.tag, "signed", { namespace: production });
    add("unsigned", (await push()).tag, "unsigned");
    add("unsigned, where it is audited", (await push()).tag, "unsigned", {
      namespace: development,
      verdict: "admitted",
    });
    add("another repository", (await signedBy({ repository: "Mallory/Modulo" })).tag, "wrongSigner");
    add("another branch", (await signedBy({ ref: "refs/heads/main2" })).tag, "wrongSigner");
    add("another issuer", (await signedBy({ issuer: "https://issuer.example.com" })).tag, "wrongSigner");
    add("certificate over, logged in time", (await signedBy({ notBefore: hourAgo() })).tag, "signed");
    add(
      "certificate over, logged later",
      (await signedBy({ notBefore: hourAgo() }, { integratedTime: new Date() })).tag,
      "expired",
    );
    add("no log entry", (await signedBy({}, { tlog: false })).tag, "noLogEntry");
    add("no certificate log receipt", (await signedBy({ sct: false })).tag, "untrustedLog");
    const wrongCa = await push();
    await world.cosign.sign(wrongCa.digest, await signer({}, { ...other, ctLog: world.sigstore.ctLog }));
    add("another authority", wrongCa.tag, "wrongCA");
    const keyed = await push();
    await world.cosign.signWithKey(keyed.digest, team);
    add("a key where a workflow is expected", keyed.tag, "wrongSigner");
    const two = await signedBy({ repository: "Mallory/Modulo" });
    await world.cosign.sign(two.digest, await signer());
    add("two signatures, the second one good", two.tag, "signed");
    const copied = await push();
    const repository = "ikey168/modulo-app";
    await world.plane.registry.copySignature({ repository, digest: good.hash }, { repository, digest: copied.hash });
    add("signature copied from another image", copied.tag, "wrongDigest");
    add("a tag that matches", (await signedBy({ ref: "refs/tags/v1.2" }, {}, "tags")).tag, "signed");
    add("a branch named like a tag", (await signedBy({ ref: "refs/heads/v1.2" }, {}, "tags")).tag, "wrongSigner");
    await compare();
  });

  it("keys, certificates, thresholds, addresses", async () => {
    const withKey = async (name: string, one: SigningKey) => {
      const image = await push(name);
      await world.cosign.signWithKey(image.digest, one);
      return image;
    };
    add("the right key", (await withKey("keyed", team)).tag, "signed");
    add("another key", (await withKey("keyed", stranger)).tag, "wrongSigner");
    add("a workflow where a key is expected", (await signedBy({}, {}, "keyed")).tag, "wrongSigner");
    const both = await withKey("both", team);
    await world.cosign.sign(both.digest, await signer());
    add("both signers of two", both.tag, "signed");
    add("one signer of two", (await withKey("both", team)).tag, "tooFewSigners");
    add("the other signer of two", (await signedBy({}, {}, "both")).tag, "tooFewSigners");
    add("either of two", (await withKey("either", team)).tag, "signed");
    add("neither of two", (await withKey("either", stranger)).tag, "wrongSigner");
    const company = await push("company");
    await world.cosign.sign(company.digest, await companySigner(), { tlog: false });
    add("own authority", company.tag, "signed");
    const forger = await push("company");
    await world.cosign.sign(forger.digest, await companySigner(await createAuthority("CN=company")), { tlog: false });
    add("an authority of the same name", forger.tag, "wrongCA");
    add("a workflow of the public instance's kind", (await signedBy({}, {}, "company")).tag, "wrongCA");
    const apart = await push("apart");
    add("signature beside the image, expected elsewhere", (await withKey("apart", team)).tag, "unsigned");
    await world.cosign.run(
      ["sign", "--yes", ...TAG_FORMAT, "--tlog-upload=false", `--key=${team.keyFile}`, apart.digest],
      { COSIGN_REPOSITORY: `${owner}/signatures` },
    );
    add("signature in a repository of its own", apart.tag, "signed");
    await compare();
  });

  it("statements in cosign's tag format", async () => {
    const attested = async (who: Partial<Identity> | undefined, type?: string) => {
      const image = await signedBy({}, {}, "old");
      if (who) await state(image.digest, who, type);
      return image;
    };
    const state = async (digest: string, who: Partial<Identity>, type = "slsaprovenance1") =>
      world.cosign.attest(digest, await signer(who), provenanceV1, type, world.services);
    add("the wanted statement", (await attested({})).tag, "signed");
    add("no statement", (await attested(undefined)).tag, "missingAttestation");
    add("a statement of another kind", (await attested({}, "https://example.com/other")).tag, "missingAttestation");
    add("a statement by somebody else", (await attested({ repository: "Mallory/Modulo" })).tag, "missingAttestation");
    const mixed = await attested({});
    await state(mixed.digest, { repository: "Mallory/Modulo" });
    const unlogged = await signedBy({}, {}, "old");
    await world.cosign.attest(unlogged.digest, await signer(), provenanceV1, provenance);
    add("a statement that is not logged", unlogged.tag, "missingAttestation");
    add("two statements, one by somebody else", mixed.tag, "signed");
    await compare();
  });

  it("bundles, and what becomes of a tag format's signature beside one", async () => {
    add("by the workflow", (await bundled("bundled", by())).tag, "signed");
    add("by another workflow", (await bundled("bundled", by({ workflow: "nightly.yml" }))).tag, "wrongSigner");
    add("not signed", (await bundled("bundled")).tag, "unsigned");
    add("by the key", (await bundled("bundled-key", { key: team })).tag, "signed");
    add("by another key", (await bundled("bundled-key", { key: stranger })).tag, "wrongSigner");
    const elsewhere = await startSigstoreServices(other);
    add("by another Sigstore", (await bundled("bundled", by({}, elsewhere))).tag, "wrongCA");
    await elsewhere.stop();
    add("in the tag format instead", (await signedBy({}, {}, "bundled")).tag, "unreadableFormat");
    const stated = await push("bundled");
    await world.cosign.attestBundle(stated.digest, by());
    add("a statement is no signature", stated.tag, "unsigned");
    const copied = await push("bundled");
    await copyReferrers(world, "ikey168/bundled", (await bundled("bundled", by())).hash, copied.hash);
    add("a bundle of another image", copied.tag, "wrongDigest");

    add("a bundle for an entry of the tag format", (await bundled("modulo-app", by())).tag, "signed");
    const hidden = await signedBy({});
    await world.cosign.signBundle(hidden.digest, by({ repository: "Mallory/Modulo" }));
    add("a stranger's bundle hides a signature in the tag format", hidden.tag, "wrongSigner");
    const sbom = await push();
    await world.cosign.attestBundle(sbom.digest, by());
    add("LIMIT: there a statement counts for a signature", sbom.tag, "signed");
    await compare();
  });

  it("statements in bundles, with conditions", async () => {
    const attested = async (who: BundleSigner | undefined, predicate?: object, type = level) => {
      const image = await bundled("attested", by());
      if (who) await world.cosign.attestBundle(image.digest, who, predicate, type);
      return image;
    };
    const good = { builder: { id: "https://github.com/actions/runner" }, level: 3 };
    const wrong: string[] = [];
    for (const [title, predicate, admitted] of [
      ["what the conditions want", good, true],
      ["another builder", { ...good, builder: { id: "https://gitlab.com/runner" } }, false],
      ["too low a level", { ...good, level: 2 }, false],
      ["a level as text", { ...good, level: "3" }, false],
      ["no level", { builder: good.builder }, false],
    ] as const) {
      const { tag } = await attested(by(), predicate);
      const done = await world.admit(tag, apps);
      if ((done === "admitted") !== admitted) wrong.push(`${title}: ${done}`);
    }
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    add("no statement", (await attested(undefined)).tag, "missingAttestation");
    add("by somebody else", (await attested(by({ repository: "Mallory/Modulo" }), good)).tag, "missingAttestation");
    await compare();
  });

  it("Notation", async () => {
    const usages = [x509.ExtendedKeyUsage.codeSigning];
    const own = await issue(notary, { subject: "C=US, ST=WA, O=team.example.com, CN=team", usages });
    const signed = await push("notated");
    await world.notation.sign("ikey168/notated", signed.hash, own, notary.pem);
    add("under the authority", signed.tag, "signed");
    const strangers = await createAuthority("C=US, ST=WA, O=stranger.example.com, CN=stranger");
    const theirs = await issue(strangers, { subject: "C=US, ST=WA, O=team.example.com, CN=team", usages });
    const forged = await push("notated");
    await world.notation.sign("ikey168/notated", forged.hash, theirs, strangers.pem);
    add("under another authority", forged.tag, "wrongCA");
    add("not signed", (await push("notated")).tag, "unsigned");
    await compare();
  });

  it("images that nobody signs", async () => {
    add("uncovered in production", "quay.io/other/app:1", "uncovered", { namespace: production });
    add("uncovered elsewhere", "quay.io/other/app:1", "uncovered", { verdict: "admitted" });
    add("exempt in production", "quay.io/exempt/app:1", "exempt", { namespace: production });
    add("short name", "nginx", "uncovered", { namespace: production });
    add("another spelling", "GHCR.io/ikey168/modulo-app:1", "uncovered");
    await compare();
  });
});
