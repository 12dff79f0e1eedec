import * as assert from "node:assert/strict";
import { createHash, createPrivateKey, sign } from "node:crypto";
import { encode, Tag } from "cbor2";
import type { RegistryClient } from "../../../../cli/images/registry";
import { NOTATION_TYPE, notationFaults, notationSignatures } from "../../../../cli/signatures/notation";
import { resolvePosture } from "../../../../components/resolve";
import { type Certificate, createAuthority } from "../../../../local/certificates";

const image = `sha256:${"a".repeat(64)}`;
const PAYLOAD = "application/vnd.cncf.notary.payload.v1+json";
const name = (short: string) => `io.cncf.notary.${short}`;

interface Change {
  readonly critical?: readonly string[];
  readonly header?: Readonly<Record<string, unknown>>;
  readonly contentType?: string;
  readonly target?: string;
}

/** As Notation writes them, by an EC key on P-256, but for what the case changes. */
const MAKERS: Readonly<Record<string, (by: Certificate, change: Change) => Buffer>> = {
  "application/jose+json": (by, { critical, header, contentType = PAYLOAD, target = image }) => {
    const head = {
      alg: "ES256",
      cty: contentType,
      crit: critical ?? [name("signingScheme")],
      [name("signingScheme")]: "notary.x509",
      ...header,
    };
    const [first, payload] = [head, { targetArtifact: { digest: target } }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const key = { key: createPrivateKey(by.privateKeyPem), dsaEncoding: "ieee-p1363" } as const;
    const signature = sign("sha256", Buffer.from(`${first}.${payload}`), key).toString("base64url");
    const x5c = [derOf(by).toString("base64")];
    return Buffer.from(JSON.stringify({ payload, protected: first, header: { x5c }, signature }));
  },
  "application/cose": (by, { critical, header, contentType = PAYLOAD, target = image }) => {
    const head = encode(
      new Map<unknown, unknown>([
        [1, -7],
        [2, critical ?? [name("signingScheme")]],
        [3, contentType],
        [name("signingScheme"), "notary.x509"],
        ...Object.entries(header ?? {}),
      ]),
    );
    const payload = new TextEncoder().encode(JSON.stringify({ targetArtifact: { digest: target } }));
    const key = { key: createPrivateKey(by.privateKeyPem), dsaEncoding: "ieee-p1363" } as const;
    const signature = sign("sha256", encode(["Signature1", head, new Uint8Array(), payload]), key);
    return Buffer.from(
      encode(new Tag(18, [head, new Map([[33, [new Uint8Array(derOf(by))]]]), payload, new Uint8Array(signature)])),
    );
  },
};

const derOf = ({ pem }: Certificate) => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");

/** A registry in which these refer to the image. */
function registryOf(...stored: readonly (readonly [mediaType: string, content: Buffer])[]): RegistryClient {
  return {
    referrers: async () => stored.map((_, index) => ({ artifactType: NOTATION_TYPE, digest: String(index) })),
    manifest: async (_: string, digest: string) => {
      const [mediaType] = stored[Number(digest)]!;
      return { artifactType: NOTATION_TYPE, layers: [{ mediaType, digest }] };
    },
    blob: async (_: string, { digest }: { digest: string }) => stored[Number(digest)]![1],
  } as unknown as RegistryClient;
}

describe("Notation's signatures", () => {
  let team: Certificate;
  let stranger: Certificate;

  before(async () => {
    [team, stranger] = [await createAuthority("CN=team"), await createAuthority("CN=stranger")];
  });

  async function faultsOf(...stored: readonly (readonly [string, Buffer])[]): Promise<string[]> {
    const resolved = resolvePosture({
      images: [
        {
          name: "team",
          repositories: ["ghcr.io/a/b"],
          format: "notation",
          signers: [{ certificate: { chain: team.pem } }],
        },
      ],
      trust: { root: "offline" },
    });
    const [signer] = resolved.posture.images[0]!.signers;
    const signatures = await notationSignatures(registryOf(...stored), "a/b", image);
    return notationFaults(signer as never, signatures, image, resolved).map(({ fault }) => fault);
  }

  const hour = (shift: number, kind: string) => {
    const time = new Date(Date.now() + shift * 3_600_000);
    return kind === "application/cose" ? time : time.toISOString();
  };
  /** What a signature says, and what becomes of it; nothing where it counts. To add a case, add a line. */
  const CASES: readonly (readonly [what: string, fault: string | undefined, change: (kind: string) => Change])[] = [
    ["as it comes", undefined, () => ({})],
    [
      "that ends later",
      undefined,
      (kind) => ({ critical: [name("signingScheme"), name("expiry")], header: { [name("expiry")]: hour(1, kind) } }),
    ],
    [
      "that has ended",
      "expired",
      (kind) => ({ critical: [name("signingScheme"), name("expiry")], header: { [name("expiry")]: hour(-1, kind) } }),
    ],
    [
      "that ends at no time",
      "malformedSignature",
      () => ({ critical: [name("signingScheme"), name("expiry")], header: { [name("expiry")]: "soon" } }),
    ],
    ["about another image", "wrongDigest", () => ({ target: `sha256:${"b".repeat(64)}` })],
    ["with a note that nobody must understand", undefined, () => ({ header: { "com.example.note": "x" } })],
    [
      "with one that a plugin must",
      "malformedSignature",
      () => ({ critical: [name("signingScheme"), "com.example.must"], header: { "com.example.must": "x" } }),
    ],
    ["that names a plugin", "malformedSignature", () => ({ header: { [name("verificationPlugin")]: "com.example" } })],
    [
      "of another scheme",
      "malformedSignature",
      () => ({ header: { [name("signingScheme")]: "notary.x509.signingAuthority" } }),
    ],
    ["of other content", "malformedSignature", () => ({ contentType: "text/plain" })],
  ];

  for (const [kind, make] of Object.entries(MAKERS)) {
    for (const [what, fault, change] of CASES) {
      it(`${kind}: one ${what} ${fault ? `is ${fault}` : "counts"}`, async () => {
        assert.deepEqual(await faultsOf([kind, make(team, change(kind))]), fault ? [fault] : []);
      });
    }
    it(`${kind}: one by somebody else is wrongCA`, async () => {
      assert.deepEqual(await faultsOf([kind, make(stranger, {})]), ["wrongCA"]);
    });
    it(`${kind}: one that can't be read says nothing against another`, async () => {
      for (const broken of ["", "{", "null", "\xd2\x84", "[]"].map((text) => Buffer.from(text, "latin1"))) {
        assert.deepEqual(await faultsOf([kind, broken]), ["malformedSignature"]);
        assert.deepEqual(await faultsOf([kind, broken], [kind, make(team, {})]), []);
      }
    });
    it(`${kind}: one whose content was changed is tampered`, async () => {
      const made = make(team, {});
      const text = made.toString("latin1");
      const changed =
        kind === "application/cose"
          ? Buffer.from(text.replace("aaaa", "aaab"), "latin1")
          : Buffer.from(
              JSON.stringify({
                ...JSON.parse(text),
                payload: Buffer.from(JSON.stringify({ targetArtifact: { digest: image, size: 1 } })).toString(
                  "base64url",
                ),
              }),
            );
      assert.notEqual(
        createHash("sha256").update(changed).digest("hex"),
        createHash("sha256").update(made).digest("hex"),
      );
      assert.deepEqual(await faultsOf([kind, changed]), ["tampered"]);
    });
  }

  it("what would take hours to read is not read", async () => {
    const number = Buffer.concat([Buffer.from("c25a00100000", "hex"), Buffer.alloc(0x100000, 0xff)]);
    const deep = Buffer.alloc(100_000, 0x81);
    for (const hostile of [number, deep])
      assert.deepEqual(await faultsOf(["application/cose", hostile]), ["malformedSignature"]);
  });

  it("an envelope of no known kind says nothing against another", async () => {
    const kind = "application/jose+json";
    const good = MAKERS[kind]!(team, {});
    assert.deepEqual(await faultsOf(["text/plain", good]), ["malformedSignature"]);
    assert.deepEqual(await faultsOf(["text/plain", good], [kind, good]), []);
  });
});
