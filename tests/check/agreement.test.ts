import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as x509 from "@peculiar/x509";
import type { CheckReport, Reason } from "../../cli/judging/imageReport";
import { type Certificate, createAuthority, createKeyPair, issue } from "../../local/certificates";
import type { Fault } from "../../local/proxy";
import { signatureTag } from "../../local/registry";
import { type BundleSigner, provenanceV1, type SigningKey, TAG_FORMAT } from "../../local/signing";
import { createSigstore, type Identity, type Signer, type Sigstore } from "../../local/sigstore";
import { startSigstoreServices } from "../../local/sigstoreServices";
import { comparison, copyReferrers, owner } from "./compare";
import { apps, development, judgementOf, production, startWorld, type World } from "./world";

const withBuilds = 40 * 60_000;
const github = { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" };

describe("check and admission say the same", function () {
  this.timeout(120_000);
  let world: World;
  let other: Sigstore;

  before(async function () {
    this.timeout(withBuilds);
    world = await startWorld();
    other = await createSigstore();
  });

  after(async function () {
    this.timeout(30_000);
    await world?.plane.stop();
  });

  const { add, push, signer, signedBy, by, bundled, compare } = comparison(() => world);

  describe("with a transparency log", () => {
    let team: SigningKey;
    let stranger: SigningKey;

    before(async function () {
      this.timeout(180_000);
      team = await world.cosign.createKey("team");
      stranger = await world.cosign.createKey("stranger");
      const company = await createAuthority("CN=company");
      await world.use({
        mode: "enforce",
        images: [
          { name: "modulo", repositories: [`${owner}/modulo-*`], signers: [{ github }] },
          { name: "keyed", repositories: [`${owner}/keyed`], signers: [{ key: { publicKey: team.publicKey } }] },
          {
            name: "both",
            repositories: [`${owner}/both`],
            signers: [{ github }, { key: { publicKey: team.publicKey } }],
            threshold: 2,
          },
          { name: "company", repositories: [`${owner}/company`], signers: [{ certificate: { chain: company.pem } }] },
          { name: "tags", repositories: [`${owner}/tags`], signers: [{ github: { ...github, ref: "refs/tags/v*" } }] },
          { name: "pushed", repositories: [`${owner}/pushed`], signers: [{ github: { ...github, trigger: "push" } }] },
          {
            name: "mail",
            repositories: [`${owner}/mail`],
            signers: [{ keyless: { issuer: "https://accounts.example.com", subject: "release@example.com" } }],
          },
          {
            name: "apart",
            repositories: [`${owner}/apart`],
            signers: [{ key: { publicKey: team.publicKey } }],
            signatureRepository: `${owner}/signatures`,
          },
        ],
        uncovered: { exempt: [{ repositories: ["quay.io/exempt/*"], reason: "built by the platform team" }] },
        trust: {
          root: "offline",
          fulcioCertificates: world.sigstore.fulcioRoots,
          rekor: { url: "https://rekor.sigstore.dev", publicKey: world.sigstore.rekorPublicKey },
          ctLogPublicKey: world.sigstore.ctLogPublicKey,
        },
      });
      const chain = company.pem;
      companySigner = async (authority = company) => {
        const certificate = await issue(authority, {
          subject: "CN=builder",
          usages: [x509.ExtendedKeyUsage.codeSigning],
        });
        return { subject: "", issuer: "", certificate, chain, notBefore: new Date() };
      };
    });
    let companySigner: (authority?: Awaited<ReturnType<typeof createAuthority>>) => Promise<Signer>;

    it("signers, certificates and logs", async function () {
      this.timeout(300_000);
      const hourAgo = new Date(Date.now() - 3_600_000);
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
      add("another case", (await signedBy({ repository: "ikey168/modulo" })).tag, "wrongSigner");
      add("another workflow", (await signedBy({ workflow: "evil.yml" })).tag, "wrongSigner");
      add("another branch", (await signedBy({ ref: "refs/heads/main2" })).tag, "wrongSigner");
      add("another issuer", (await signedBy({ issuer: "https://issuer.example.com" })).tag, "wrongSigner");
      add("certificate over, logged in time", (await signedBy({ notBefore: hourAgo })).tag, "signed");
      add(
        "certificate over, logged later",
        (await signedBy({ notBefore: hourAgo }, { integratedTime: new Date() })).tag,
        "expired",
      );
      const tomorrow = new Date(Date.now() + 86_400_000);
      add(
        "certificate not yet valid when logged",
        (await signedBy({ notBefore: tomorrow }, { integratedTime: new Date() })).tag,
        "expired",
      );
      add("no log entry", (await signedBy({}, { tlog: false })).tag, "noLogEntry");
      add("no certificate log receipt", (await signedBy({ sct: false })).tag, "signed", {
        on119: "untrustedLog",
      });

      const wrongCa = await push();
      await world.cosign.sign(wrongCa.digest, await signer({}, { ...other, ctLog: world.sigstore.ctLog }));
      add("another authority", wrongCa.tag, "wrongCA");
      const wrongCt = await push();
      await world.cosign.sign(wrongCt.digest, await signer({}, { ...world.sigstore, ctLog: other.ctLog }));
      add("receipt of another certificate log", wrongCt.tag, "untrustedLog");
      const noIntermediate = await push();
      const alone = await signer();
      await world.cosign.sign(noIntermediate.digest, { ...alone, chain: world.sigstore.root.pem });
      add("intermediate certificate left out", noIntermediate.tag, "wrongCA");

      const keyed = await push();
      await world.cosign.signWithKey(keyed.digest, team);
      add("a key where a workflow is expected", keyed.tag, "wrongSigner");
      const two = await push();
      await world.cosign.sign(two.digest, await signer({ repository: "Mallory/Modulo" }));
      await world.cosign.sign(two.digest, await signer());
      add("two signatures, the second one good", two.tag, "signed");
      await compare();
    });

    it("content, formats, indexes", async function () {
      this.timeout(300_000);
      const { push: registry, plane } = world;
      const repository = "ikey168/modulo-app";
      const good = await signedBy({});
      const copied = await push();
      await plane.registry.copySignature({ repository, digest: good.hash }, { repository, digest: copied.hash });
      add("signature copied from another image", copied.tag, "wrongDigest");

      const rewrite = async (change: (layer: { payload: string; annotations: Record<string, string> }) => void) => {
        const image = await signedBy({});
        const manifest = await registry.read(repository, signatureTag(image.hash));
        const [layer] = manifest.layers;
        const content = {
          payload: await registry.readBlob(repository, layer!.digest),
          annotations: { ...layer!.annotations },
        };
        change(content);
        const blob = await registry.blob(repository, content.payload);
        manifest.layers = [{ ...layer!, ...blob, annotations: content.annotations }];
        await registry.manifest(repository, signatureTag(image.hash), manifest);
        return image;
      };
      const donor = await push();
      const stolen = await registry.readBlob(
        repository,
        (await registry.read(repository, signatureTag(good.hash))).layers[0]!.digest,
      );
      const forged = stolen.replace(good.hash, donor.hash);
      const tag = signatureTag(donor.hash);
      const manifest = await registry.read(repository, signatureTag(good.hash));
      manifest.layers = [{ ...manifest.layers[0]!, ...(await registry.blob(repository, forged)) }];
      await registry.manifest(repository, tag, manifest);
      add("payload changed to name this image", donor.tag, "tampered");

      const change = async (title: string, reason: Reason, key: string, text: (old: string) => string) => {
        const image = await rewrite(({ annotations }) => {
          annotations[key] = text(annotations[key] ?? "");
        });
        add(title, image.tag, reason);
      };
      const stranger = (await signer({ repository: "Mallory/Modulo" })).certificate.pem;
      const bundleKey = "dev.sigstore.cosign/bundle";
      await change("log entry with another time", "untrustedLog", bundleKey, (old) =>
        old.replace(/"integratedTime":(\d+)/, (_, time) => `"integratedTime":${Number(time) + 1}`),
      );
      await change(
        "log entry of another signature",
        "untrustedLog",
        bundleKey,
        () => manifest.layers[0]!.annotations[bundleKey]!,
      );
      await change("log entry that is no JSON", "malformedSignature", bundleKey, () => "{");
      await change("certificate that is no PEM", "malformedSignature", "dev.sigstore.cosign/certificate", () => "x");
      await change("signature that is no base64", "tampered", "dev.cosignproject.cosign/signature", () => "MEUCIQ==");
      await change("certificate of somebody else", "tampered", "dev.sigstore.cosign/certificate", () => stranger);

      const bundled = await push();
      await pushBundleReferrer(bundled.hash);
      add("signed in the new format only", bundled.tag, "unreadableFormat");

      const gone = await signedBy({});
      await plane.registry.remove(repository, gone.hash);
      add("signed image that is no longer there", gone.digest, "signed");

      const index = await plane.registry.pushIndex(repository, "index", ["linux/amd64", "linux/arm64"]);
      await world.cosign.sign(`${owner}/modulo-app@${index.digest}`, await signer());
      add("signed index", `${owner}/modulo-app:index`, "signed");
      const member = index.images["linux/amd64"]!;
      add("member of a signed index, by digest", `${owner}/modulo-app@${member}`, "unsigned");
      const loose = await plane.registry.pushIndex(repository, "loose", ["linux/amd64"], "loose");
      await world.cosign.sign(`${owner}/modulo-app@${loose.images["linux/amd64"]}`, await signer());
      add("index whose member is signed", `${owner}/modulo-app:loose`, "unsigned");
      await compare();
    });
    /** What cosign 3 writes: the bundle in a manifest that refers to the image, found by a tag. */
    async function pushBundleReferrer(digest: string): Promise<void> {
      const { push: registry } = world;
      const repository = "ikey168/modulo-app";
      const { certificate } = await signer();
      const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
      const raw = Buffer.from(certificate.certificate.rawData).toString("base64");
      const blob = await registry.blob(
        repository,
        JSON.stringify({
          mediaType,
          verificationMaterial: { certificate: { rawBytes: raw }, tlogEntries: [] },
          dsseEnvelope: {
            payload: Buffer.from("{}").toString("base64"),
            payloadType: "application/vnd.in-toto+json",
            signatures: [{ sig: "AA==" }],
          },
        }),
      );
      const empty = await registry.blob(repository, "{}");
      const manifestType = "application/vnd.oci.image.manifest.v1+json";
      const referrer = {
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType: mediaType,
        config: { mediaType: "application/vnd.oci.empty.v1+json", ...empty },
        layers: [{ mediaType, ...blob }],
        subject: { mediaType: manifestType, digest, size: 1 },
      };
      const pushed = await registry.manifest(repository, "", referrer);
      await registry.manifest(repository, digest.replace(":", "-"), {
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [
          { mediaType: manifestType, artifactType: mediaType, digest: pushed, size: JSON.stringify(referrer).length },
        ],
      });
    }

    it("keys, certificates, thresholds, claims, addresses", async function () {
      this.timeout(300_000);
      const withKey = async (name: string, key: SigningKey) => {
        const image = await push(name);
        await world.cosign.signWithKey(image.digest, key);
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

      const company = await push("company");
      await world.cosign.sign(company.digest, await companySigner(), { tlog: false });
      add("own authority", company.tag, "signed");
      const forger = await push("company");
      await world.cosign.sign(forger.digest, await companySigner(await createAuthority("CN=company")), { tlog: false });
      add("an authority of the same name", forger.tag, "wrongCA");

      add("a tag that matches", (await signedBy({ ref: "refs/tags/v1.2" }, {}, "tags")).tag, "signed");
      add("a branch named like a tag", (await signedBy({ ref: "refs/heads/v1.2" }, {}, "tags")).tag, "wrongSigner");
      add("the wanted trigger", (await signedBy({ trigger: "push" }, {}, "pushed")).tag, "signed");
      add("another trigger", (await signedBy({ trigger: "pull_request" }, {}, "pushed")).tag, "wrongSigner");

      const mail = async (address: string, uri?: string) => {
        const image = await push("mail");
        const pair = await createKeyPair();
        const names: x509.JsonGeneralNames = [
          ...(uri ? [{ type: "url" as const, value: uri }] : []),
          { type: "email", value: address },
        ];
        const notBefore = new Date(Date.now() - 1000);
        const certificate = await issue(
          world.sigstore.intermediate,
          {
            subject: "",
            names,
            usages: [x509.ExtendedKeyUsage.codeSigning],
            notBefore,
            notAfter: new Date(Date.now() + 600_000),
            extensions: [
              new x509.Extension("1.3.6.1.4.1.57264.1.1", false, Buffer.from("https://accounts.example.com")),
            ],
          },
          pair,
        );
        const chain = `${world.sigstore.intermediate.pem}${world.sigstore.root.pem}`;
        await world.cosign.sign(image.digest, { subject: address, issuer: "", certificate, chain, notBefore });
        return image;
      };
      const noReceipt = { on119: "untrustedLog" } as const;
      add("an e-mail address", (await mail("release@example.com")).tag, "signed", noReceipt);
      add("another e-mail address", (await mail("mallory@example.com")).tag, "wrongSigner", noReceipt);
      const uri = "https://example.com/x";
      add("an e-mail address after a URI", (await mail("release@example.com", uri)).tag, "signed", noReceipt);

      const apart = await push("apart");
      const previous = await withKey("apart", team);
      add("signature beside the image, expected elsewhere", previous.tag, "unsigned");
      await world.cosign.run(
        ["sign", "--yes", ...TAG_FORMAT, "--tlog-upload=false", `--key=${team.keyFile}`, apart.digest],
        { COSIGN_REPOSITORY: `${owner}/signatures` },
      );
      add("signature in a repository of its own", apart.tag, "signed");
      await compare();
    });

    it("images that nobody signs", async () => {
      add("uncovered in production", "quay.io/other/app:1", "uncovered", { namespace: production });
      add("uncovered elsewhere", "quay.io/other/app:1", "uncovered", { verdict: "admitted" });
      add("exempt in production", "quay.io/exempt/app:1", "exempt", { namespace: production });
      add("a neighbour by name", `${owner}/keyed2:1`, "uncovered", { namespace: production });
      add("short name", "nginx", "uncovered", { namespace: production });
      add("another spelling", "GHCR.io/ikey168/modulo-app:1", "uncovered");
      add("another spelling with a port", "ghcr.io:443/ikey168/modulo-app:1", "uncovered");
      await compare();
    });

    it("trouble with the registry is never unsigned, and Kyverno refuses", async function () {
      this.timeout(300_000);
      const good = await signedBy({});
      const faults: [Fault, string][] = [
        [{ kind: "status", status: 401 }, "unauthorized"],
        [{ kind: "status", status: 403 }, "forbidden"],
        [{ kind: "status", status: 404 }, "notFound"],
        [{ kind: "status", status: 429 }, "rateLimited"],
        [{ kind: "status", status: 500 }, "serverError"],
        [{ kind: "malformed" }, "malformed"],
        [{ kind: "reset" }, "unreachable"],
        [{ kind: "delay", ms: 20_000 }, "timeout"],
      ];
      const ask = async (image: string): Promise<[CheckReport, string]> => [
        await world.check([image], [apps]),
        await world.admit(image, apps),
      ];
      for (const [fault, trouble] of faults) {
        world.proxy.setFault("ikey168/modulo-app", fault);
        const [report, done] = await ask(good.tag);
        world.proxy.clearFaults();
        const said = judgementOf(report, good.tag, apps);
        const got = [said.reason, said.trouble, said.verdict, said.kyvernoNow, report.exitCode];
        assert.deepEqual(got, ["cannotTell", trouble, "unknown", "refuses", 2], `${trouble}: ${said.detail}`);
        assert.notEqual(done, "admitted", trouble);
      }
      const [report, done] = await ask(`${owner}/modulo-none:1`);
      const said = judgementOf(report, `${owner}/modulo-none:1`, apps);
      assert.deepEqual([said.reason, said.trouble], ["cannotTell", "notFound"]);
      assert.notEqual(done, "admitted");
      assert.equal(judgementOf(await world.check([good.tag], [apps]), good.tag, apps).reason, "signed");
    });

    it("with trust offline nothing but the registry was asked by check", async () => {
      world.proxy.refusedHosts.length = 0;
      const image = (await signedBy({}, { tlog: false })).tag;
      world.proxy.refusedHosts.length = 0;
      await world.check([image], [apps]);
      assert.deepEqual(world.proxy.refusedHosts, []);
      assert.ok(fs.existsSync(path.join(world.plane.workDir, "stack")));
    });
  });

  describe("without a transparency log", () => {
    before(async function () {
      this.timeout(180_000);
      const provenance = "https://slsa.dev/provenance/v0.2";
      await world.use({
        mode: "enforce",
        images: [
          { name: "modulo", repositories: [`${owner}/modulo-*`], signers: [{ github }] },
          {
            name: "attested",
            repositories: [`${owner}/attested`],
            signers: [{ github }],
            attestations: [{ predicateType: provenance }],
          },
        ],
        trust: {
          root: "offline",
          // Beside a statement cosign 3 puts no chain.
          fulcioCertificates: world.sigstore.fulcioRoots + world.sigstore.intermediate.pem,
          acceptNoTransparencyLog: true,
        },
      });
    });

    it("time is not checked, log entries and receipts can't be", async function () {
      this.timeout(120_000);
      const plain = { sct: false };
      const hourAgo = new Date(Date.now() - 3_600_000);
      add("no log entry", (await signedBy(plain, { tlog: false })).tag, "signed");
      add("certificate over", (await signedBy({ ...plain, notBefore: hourAgo }, { tlog: false })).tag, "signed", {
        on119: "expired",
      });
      const ignored = { on119: "signed" } as const;
      add("with a log entry", (await signedBy(plain)).tag, "untrustedLog", ignored);
      add("with a receipt", (await signedBy({}, { tlog: false })).tag, "untrustedLog", ignored);
      add(
        "another repository",
        (await signedBy({ ...plain, repository: "Mallory/Modulo" }, { tlog: false })).tag,
        "wrongSigner",
      );
      await compare();
    });

    it("attestations", async function () {
      this.timeout(120_000);
      const plain = { sct: false };
      const attested = async (by: Partial<Identity> | undefined, type?: string) => {
        const image = await signedBy(plain, { tlog: false }, "attested");
        if (by) await world.cosign.attest(image.digest, await signer({ ...plain, ...by }), undefined, type);
        return image;
      };
      add("the wanted statement", (await attested({})).tag, "signed");
      add("no statement", (await attested(undefined)).tag, "missingAttestation");
      add("a statement of another kind", (await attested({}, "https://example.com/other")).tag, "missingAttestation");
      add("a statement by somebody else", (await attested({ repository: "Mallory/Modulo" })).tag, "missingAttestation");
      const bare = await push("attested");
      await world.cosign.attest(bare.digest, await signer(plain));
      add("a statement, but no signature", bare.tag, "unsigned");
      const mixed = await attested({});
      await world.cosign.attest(mixed.digest, await signer({ ...plain, repository: "Mallory/Modulo" }));
      add("two statements, one by somebody else", mixed.tag, "missingAttestation");
      await compare();
    });
  });

  describe("Notation", () => {
    let company: Certificate;
    let team: Certificate;
    let visitor: Certificate;

    before(async function () {
      this.timeout(180_000);
      const subject = (name: string) => `C=US, ST=WA, O=${name}.example.com, CN=${name}`;
      const usages = [x509.ExtendedKeyUsage.codeSigning];
      company = await createAuthority(subject("company"));
      const member = (name: string) => issue(company, { subject: subject(name), usages });
      [team, visitor] = [await member("team"), await member("visitor")];
      const certificate = (one: object) => [{ certificate: one }];
      await world.use({
        mode: "enforce",
        images: [
          {
            name: "company",
            repositories: [`${owner}/company`],
            format: "notation",
            signers: certificate({ chain: company.pem }),
          },
          {
            name: "team",
            repositories: [`${owner}/team`],
            format: "notation",
            signers: certificate({ certificate: team.pem }),
          },
          {
            name: "both",
            repositories: [`${owner}/both`],
            format: "notation",
            signers: [...certificate({ certificate: team.pem }), ...certificate({ certificate: visitor.pem })],
            threshold: 2,
          },
        ],
        trust: { root: "offline" },
      });
    });

    const signed = async (name: string, ...by: (readonly [Certificate, string?, ("jws" | "cose")?])[]) => {
      const image = await push(name);
      for (const [certificate, chain = company.pem, envelope] of by)
        await world.notation.sign(`ikey168/${name}`, image.hash, certificate, chain, envelope);
      return image;
    };

    it("signatures by certificates", async function () {
      this.timeout(120_000);
      const usages = [x509.ExtendedKeyUsage.codeSigning];
      const stranger = await createAuthority("C=US, ST=WA, O=stranger.example.com, CN=stranger");
      const theirs = await issue(stranger, { subject: "C=US, ST=WA, O=team.example.com, CN=team", usages });
      add("under the authority", (await signed("company", [team])).tag, "signed");
      add("under the authority, by digest", (await signed("company", [visitor])).digest, "signed");
      add("under another authority", (await signed("company", [theirs, stranger.pem])).tag, "wrongCA");
      add("not signed", (await signed("company")).tag, "unsigned");
      add("by the one certificate", (await signed("team", [team])).tag, "signed");
      add("by another of the same authority", (await signed("team", [visitor])).tag, "wrongCA");
      const cose = "cose";
      add("in a COSE envelope", (await signed("company", [team, company.pem, cose])).tag, "signed");
      add("in one, by another authority", (await signed("company", [theirs, stranger.pem, cose])).tag, "wrongCA");
      add("a stranger's, and one that does", (await signed("company", [theirs, stranger.pem], [team])).tag, "signed");
      add("two of two", (await signed("both", [team], [visitor])).tag, "signed");
      add("one of two", (await signed("both", [team])).tag, "tooFewSigners");
      const tagged = await push("company");
      await world.cosign.sign(tagged.digest, await signer());
      add("signed by cosign instead", tagged.tag, "unreadableFormat");
      const copied = await push("company");
      await copyReferrers(world, "ikey168/company", (await signed("company", [team])).hash, copied.hash);
      add("a signature of another image", copied.tag, "wrongDigest");
      await compare();
    });
  });

  describe("Sigstore bundles", () => {
    let team: SigningKey;
    let stranger: SigningKey;
    const provenance = "https://slsa.dev/provenance/v1";

    before(async function () {
      this.timeout(180_000);
      if (world.node.kyverno.version.startsWith("1.10.")) {
        this.skipReason = `needs Kyverno 1.19: ${world.node.kyverno.version} reads no bundles`;
        return this.skip();
      }
      team = await world.cosign.createKey("bundle-team");
      stranger = await world.cosign.createKey("bundle-stranger");
      const { sigstore, services } = world;
      const format = "sigstoreBundle";
      await world.use({
        mode: "enforce",
        images: [
          { name: "modulo", repositories: [`${owner}/modulo-*`], format, signers: [{ github }] },
          {
            name: "tags",
            repositories: [`${owner}/tags`],
            format,
            signers: [{ github: { ...github, ref: "refs/tags/v*" } }],
          },
          {
            name: "keyed",
            repositories: [`${owner}/keyed`],
            format,
            signers: [{ key: { publicKey: team.publicKey } }],
          },
          {
            name: "both",
            repositories: [`${owner}/both`],
            format,
            signers: [{ github }, { key: { publicKey: team.publicKey } }],
            threshold: 2,
          },
          {
            name: "attested",
            repositories: [`${owner}/attested`],
            format,
            signers: [{ github }],
            attestations: [{ predicateType: provenance }],
          },
          {
            name: "stated",
            repositories: [`${owner}/stated`],
            signers: [{ github }],
            attestations: [{ predicateType: provenance }],
          },
        ],
        trust: {
          root: "custom",
          fulcioCertificates: sigstore.fulcioRoots + sigstore.intermediate.pem,
          rekor: { url: services.url, publicKey: sigstore.rekorPublicKey },
          ctLogPublicKey: sigstore.ctLogPublicKey,
          tuf: { mirror: services.url, root: services.tufRoot },
        },
      });
    });

    it("signatures", async function () {
      this.timeout(120_000);
      add("by the workflow", (await bundled("modulo-app", by())).tag, "signed");
      add("by the workflow, by digest", (await bundled("modulo-app", by())).digest, "signed");
      add("by another workflow", (await bundled("modulo-app", by({ workflow: "nightly.yml" }))).tag, "wrongSigner");
      add(
        "by another issuer",
        (await bundled("modulo-app", by({ issuer: "https://issuer.example.com" }))).tag,
        "wrongSigner",
      );
      add("not signed", (await bundled("modulo-app")).tag, "unsigned");
      add("a tag's workflow", (await bundled("tags", by({ ref: "refs/tags/v1.2.3" }))).tag, "signed");
      add("a branch's workflow", (await bundled("tags", by())).tag, "wrongSigner");
      add(
        "a ref that only ends alike",
        (await bundled("tags", by({ ref: "refs/heads/x@refs/tags/v1" }))).tag,
        "wrongSigner",
      );
      add("by the key", (await bundled("keyed", { key: team })).tag, "signed");
      add("by another key", (await bundled("keyed", { key: stranger })).tag, "wrongSigner");
      add("by a workflow instead of the key", (await bundled("keyed", by())).tag, "wrongSigner");
      add("by a key instead of the workflow", (await bundled("modulo-app", { key: team })).tag, "wrongSigner");
      add("two of two", (await bundled("both", by(), { key: team })).tag, "signed");
      add("one of two", (await bundled("both", by())).tag, "tooFewSigners");
      const elsewhere = await startSigstoreServices(other);
      add("by another Sigstore", (await bundled("modulo-app", by({}, elsewhere))).tag, "wrongCA");
      await elsewhere.stop();
      const tagged = await push();
      await world.cosign.sign(tagged.digest, await signer());
      add("signed in cosign's tag format", tagged.tag, "unreadableFormat");
      const copied = await push();
      await copyReferrers(world, "ikey168/modulo-app", (await bundled("modulo-app", by())).hash, copied.hash);
      add("a bundle of another image", copied.tag, "wrongDigest");
      await compare();
    });

    it("attestations", async function () {
      this.timeout(120_000);
      const attested = async (who: BundleSigner | undefined, type?: string) => {
        const image = await bundled("attested", by());
        if (who) await world.cosign.attestBundle(image.digest, who, undefined, type);
        return image;
      };
      add("the wanted statement", (await attested(by())).tag, "signed");
      add("no statement", (await attested(undefined)).tag, "missingAttestation");
      add("a statement of another kind", (await attested(by(), "https://example.com/other")).tag, "missingAttestation");
      add(
        "a statement by somebody else",
        (await attested(by({ repository: "Mallory/Modulo" }))).tag,
        "missingAttestation",
      );
      const mixed = await attested(by());
      await world.cosign.attestBundle(mixed.digest, by({ repository: "Mallory/Modulo" }));
      add("two statements, one by somebody else", mixed.tag, "signed");
      const bare = await push("attested");
      await world.cosign.attestBundle(bare.digest, by());
      add("a statement is a signature too", bare.tag, "signed");

      const stated = async (log?: World["services"]) => {
        const image = await signedBy({}, {}, "stated");
        await world.cosign.attest(image.digest, await signer(), provenanceV1, "slsaprovenance1", log);
        return image;
      };
      add("in cosign's tag format, logged as cosign does", (await stated(world.services)).tag, "signed");
      add("in cosign's tag format, not logged", (await stated()).tag, "missingAttestation");
      await compare();
    });
  });
});
