import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { bundleFaults, readBundle } from "../../../../cli/signatures/bundles";
import {
  certificateOf,
  certificatesOf,
  identityOf,
  receiptsOf,
  trustedPath,
} from "../../../../cli/signatures/certificates";
import type { SignatureLayer } from "../../../../cli/signatures/layers";
import { type Anchor, promiseHolds, SignatureFault, trustedKey } from "../../../../cli/signatures/verifySignature";
import { verifyStatement } from "../../../../cli/signatures/verifyStatement";
import { publicGoodBundle } from "../../../../components/posture/publicGood";
import { resolvePosture } from "../../../../components/resolve";
import { settings } from "../../../support/settings";

interface Recorded {
  verificationMaterial: {
    x509CertificateChain: { certificates: { rawBytes: string }[] };
    tlogEntries: {
      logIndex: string;
      logId: { keyId: string };
      integratedTime: string;
      inclusionPromise: { signedEntryTimestamp: string };
      canonicalizedBody: string;
    }[];
  };
  dsseEnvelope: { payload: string };
}

const FILE = path.join(__dirname, "..", "..", "..", "check", "data", "publicGood.sigstore.json");
const PROOF = { logIndex: "0", rootHash: Buffer.alloc(32).toString("base64"), treeSize: "1", hashes: [] };

/**
 * A real signature by GitHub's and the public Sigstore instance: the provenance of sigstore-js 2.0.0, as the Go module
 * github.com/sigstore/sigstore-go v1.1.4 keeps it (pkg/testing/data/bundles, Apache-2.0). Verified without network.
 */
function recorded(): { layer: SignatureLayer; anchor: Anchor; json: Recorded } {
  const json = JSON.parse(fs.readFileSync(FILE, "utf8")) as Recorded;
  const { x509CertificateChain, tlogEntries } = json.verificationMaterial;
  const [certificate, ...chain] = x509CertificateChain.certificates.map(({ rawBytes }) =>
    certificateOf(Buffer.from(rawBytes, "base64")),
  );
  const entry = tlogEntries[0]!;
  const trust = publicGoodBundle();
  return {
    json,
    layer: {
      payload: Buffer.from(JSON.stringify(json.dsseEnvelope)),
      signature: "",
      certificate: certificate!,
      identity: identityOf(certificate!),
      chain,
      bundle: {
        signedEntryTimestamp: entry.inclusionPromise.signedEntryTimestamp,
        body: entry.canonicalizedBody,
        integratedTime: Number(entry.integratedTime),
        logIndex: Number(entry.logIndex),
        logId: Buffer.from(entry.logId.keyId, "base64").toString("hex"),
      },
    },
    anchor: {
      hash: "sha256",
      roots: certificatesOf(trust.fulcioCertificates),
      rekorKey: trust.rekorPublicKey,
      ctLogKey: trust.ctLogPublicKey,
      entries: "demanded" as const,
      receipts: "read" as const,
      readsDsseEntries: false,
    },
  };
}

describe("a recorded signature of the public Sigstore instance, offline", () => {
  it("leads to Fulcio's root, carries the certificate log's receipt and Rekor's promise", () => {
    const { layer, anchor } = recorded();
    const found = trustedPath(layer.certificate!, anchor.roots, []);
    assert.ok(found);
    assert.equal(receiptsOf(found, anchor.ctLogKey), "valid");
    assert.equal(receiptsOf(found, anchor.rekorKey), "invalid");
    assert.equal(promiseHolds(layer.bundle!, anchor), true);
    assert.equal(promiseHolds({ ...layer.bundle!, integratedTime: layer.bundle!.integratedTime + 1 }, anchor), false);
    assert.ok(trustedKey(layer, anchor, []));
  });

  it("names its workflow in GitHub's own spelling", () => {
    const { subject, issuer, claims } = recorded().layer.identity!;
    assert.equal(issuer, "https://token.actions.githubusercontent.com");
    assert.equal(subject, "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main");
    assert.equal(claims.githubWorkflowRepository, "sigstore/sigstore-js");
    assert.equal(claims.githubWorkflowTrigger, "push");
  });

  it("its envelope is signed; another root or a changed statement is not", () => {
    const { layer, anchor, json } = recorded();
    // It is about an npm package, so it gets as far as the digest.
    const fault = (change: Partial<SignatureLayer>, with_: Partial<Anchor> = {}) => {
      try {
        verifyStatement({ ...layer, ...change }, `sha256:${"0".repeat(64)}`, { ...anchor, ...with_ }, []);
        return "none";
      } catch (error) {
        return error instanceof SignatureFault ? error.fault : String(error);
      }
    };
    assert.equal(fault({}), "wrongDigest");
    assert.equal(fault({}, { roots: [] }), "wrongCA");
    const payload = Buffer.from(json.dsseEnvelope.payload, "base64").toString().replace("sigstore", "mallory");
    const changed = { ...json.dsseEnvelope, payload: Buffer.from(payload).toString("base64") };
    assert.equal(fault({ payload: Buffer.from(JSON.stringify(changed)) }), "tampered");
  });

  describe("as a bundle", () => {
    const content = () => fs.readFileSync(FILE);
    const signer = {
      kind: "keyless" as const,
      issuer: "https://token.actions.githubusercontent.com",
      subject: "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
      claims: {},
    };
    const resolved = resolvePosture(settings({ kyverno: { target: "1.19" } }));
    const faults = (text: string | Buffer = content()) => {
      try {
        const found = bundleFaults(signer, [readBundle(Buffer.from(text))], `sha256:${"0".repeat(64)}`, resolved);
        return found === "elsewhere" ? found : found.map(({ fault }) => fault);
      } catch (error) {
        return error instanceof SignatureFault ? [error.fault] : String(error);
      }
    };
    const changed = (change: (json: Recorded) => void) => {
      const json = JSON.parse(content().toString("utf8")) as Recorded;
      change(json);
      return JSON.stringify(json);
    };

    it("holds by the anchors that Sigstore hands out, and is about an npm package", () => {
      assert.deepEqual(faults(), ["wrongDigest"]);
    });

    /** What somebody may write into a bundle. */
    const FORGED: [what: string, change: (json: Recorded) => void, fault: string][] = [
      [
        "another statement",
        (json) => {
          json.dsseEnvelope.payload = Buffer.from("{}").toString("base64");
        },
        "untrustedLog",
      ],
      [
        "another time in the log",
        (json) => {
          json.verificationMaterial.tlogEntries[0]!.integratedTime = "1";
        },
        "expired",
      ],
      [
        "another promise",
        (json) => {
          json.verificationMaterial.tlogEntries[0]!.inclusionPromise.signedEntryTimestamp = "MEQCIA==";
        },
        "untrustedLog",
      ],
      [
        "an expression for the name of a log",
        (json) => {
          Object.assign(json.verificationMaterial.tlogEntries[0]!, {
            inclusionProof: { ...PROOF, checkpoint: { envelope: "log\n1\nAAAA\n\n\u2014 (a+)+$ AAAAAAAA\n" } },
          });
        },
        "untrustedLog",
      ],
      [
        "no log entry",
        (json) => {
          json.verificationMaterial.tlogEntries = [];
        },
        "noLogEntry",
      ],
    ];
    for (const [what, change, fault] of FORGED)
      it(`does not hold with ${what}`, () => assert.deepEqual(faults(changed(change)), [fault]));

    it("is malformed where it is none", () => {
      for (const text of ["", "[]", "{}", '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}'])
        assert.deepEqual(faults(text), ["malformedSignature"], text);
    });
  });
});
