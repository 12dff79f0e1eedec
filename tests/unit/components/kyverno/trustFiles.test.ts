import * as assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { newAuthority, newKeyPair, type TestAuthority } from "../../../support/pems";
import { compile, settings, signerSettings } from "../../../support/settings";

const { publicKey } = newKeyPair();
const rekor = { url: "https://rekor.example.com", publicKey };
const filesOf = (raw: unknown) => compile(raw).trust?.data as Record<string, string> | undefined;

describe("trust files", () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });
  const own = (trust: Record<string, unknown>) =>
    settings({
      trust: { root: "custom", fulcioCertificates: authority.intermediate.pem + authority.root.pem, ...trust },
    });

  it("of the public-good instance hold its certificates and the keys of its logs", () => {
    const files = filesOf(settings())!;
    assert.deepEqual(Object.keys(files), ["fulcio.pem", "rekor.pub", "ctfe.pub"]);
    const certificates = files["fulcio.pem"]!.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g)!;
    assert.ok(certificates.every((pem) => new X509Certificate(pem).subject.includes("sigstore")));
    assert.equal(certificates.join(""), files["fulcio.pem"]);
    for (const name of ["rekor.pub", "ctfe.pub"])
      assert.match(files[name]!, /^-----BEGIN PUBLIC KEY-----\n[^-]+-----END PUBLIC KEY-----\n$/, name);
  });

  it("of one's own instance hold what was given, whole and in its order", () => {
    const files = filesOf(own({ rekor, ctLogPublicKey: publicKey }))!;
    assert.equal(files["fulcio.pem"], authority.intermediate.pem + authority.root.pem);
    assert.equal(files["rekor.pub"], publicKey);
    assert.equal(files["ctfe.pub"], publicKey);
  });

  it("leave out the logs that there are not", () => {
    assert.deepEqual(Object.keys(filesOf(own({ rekor }))!), ["fulcio.pem", "rekor.pub"]);
    assert.equal(filesOf(own({ acceptNoTransparencyLog: true })), undefined);
    assert.equal(filesOf(signerSettings({ key: { publicKey } }, { trust: { root: "offline" } })), undefined);
  });

  it("change their ConfigMap's name with their content, so that Kyverno restarts", () => {
    const nameOf = (raw: unknown) => compile(raw).trust!.metadata.name;
    assert.match(nameOf(settings()), /^sigstore-trust-[0-9a-f]{8}$/);
    assert.equal(nameOf(own({ rekor })), nameOf(own({ rekor })));
    const other = { ...rekor, publicKey: newKeyPair().publicKey };
    assert.notEqual(nameOf(own({ rekor })), nameOf(own({ rekor: other })));
  });

  it("stand in Kyverno's namespace", () => {
    assert.equal(compile(settings({ kyverno: { namespace: "policy" } })).trust!.metadata.namespace, "policy");
  });
});
