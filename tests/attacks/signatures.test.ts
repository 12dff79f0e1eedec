import * as fs from "node:fs";
import * as path from "node:path";
import type { Fault } from "../../local/proxy";
import { signatureTag } from "../../local/registry";
import {
  createSigner,
  createSigstore,
  type Identity,
  rekorBundle,
  type Signer,
  type Sigstore,
  signBytes,
  simpleSigning,
} from "../../local/sigstore";
import { admitted, attacks, refused } from "./cases";
import { apps, type Cluster, create, image, repository, sign } from "./cluster";
import { pod } from "./objects";

const none = /no matching signatures|no signatures found/;
const hour = 3_600_000;

attacks("signatures", (get) => {
  let count = 0;
  const modulo: Identity = { repository: "Ikey168/Modulo" };
  const run = (tag: string) => create(get().developer, apps, pod(`signature-${++count}`, `${image}:${tag}`));
  /** Pushes an image, lets it be signed somehow, and offers it. */
  const offer = async (tag: string, prepare: (reference: string, digest: string) => Promise<unknown>) => {
    const digest = await get().plane.registry.pushImage(repository, tag);
    await prepare(`${image}@${digest}`, digest);
    return run(tag);
  };
  const signedBy = (tag: string, identity: Partial<Identity>) => offer(tag, (ref) => sign(get(), ref, identity));

  admitted("by the configured workflow", () => signedBy("right", {}));
  for (const [title, identity, text] of [
    ["another repository", { repository: "Mallory/Modulo" }, /subject mismatch/],
    ["a repository whose name begins alike", { repository: "Ikey168/Modulo-evil" }, /subject mismatch/],
    ["the repository in lower case", { repository: "ikey168/modulo" }, /subject mismatch/],
    ["another workflow", { workflow: "test.yml" }, /subject mismatch/],
    ["another branch", { ref: "refs/heads/dev" }, /subject mismatch/],
    ["a branch whose name begins alike", { ref: "refs/heads/main-2" }, /subject mismatch/],
    ["a pull request", { ref: "refs/pull/7/merge" }, /subject mismatch/],
    ["a tag named main", { ref: "refs/tags/main" }, /subject mismatch/],
    ["another issuer", { issuer: "https://gitlab.com" }, /issuer mismatch/],
    [
      "an issuer that begins alike",
      { issuer: "https://token.actions.githubusercontent.com.evil.example" },
      /issuer mismatch/,
    ],
  ] as const) {
    refused(`by ${title}`, text, () => signedBy(`wrong-${++count}`, identity));
  }

  refused("the signature of another image", /no matching signatures|digest mismatch|invalid or missing digest/, () =>
    offer("copied", (_, digest) => {
      const { registry } = get().plane;
      return registry.copySignature({ repository, digest: get().digests.signed }, { repository, digest });
    }),
  );
  refused("payload of this image, signature over another", none, () =>
    offer("tampered", async (ref, digest) => {
      const signer = await createSigner(get().sigstore, modulo);
      const theirs = simpleSigning(image, get().digests.signed);
      await attach(
        get(),
        ref,
        simpleSigning(image, digest),
        signBytes(signer.certificate.privateKeyPem, theirs),
        signer,
      );
    }),
  );
  refused("a signature of random bytes", none, () =>
    offer("random", async (ref, digest) => {
      const signer = await createSigner(get().sigstore, modulo);
      await attach(get(), ref, simpleSigning(image, digest), Buffer.from("not a signature").toString("base64"), signer);
    }),
  );
  refused("an image in the place of the signature", /no matching signatures|no signatures|failed to verify image/, () =>
    offer("placed", async (_, digest) => {
      await get().plane.registry.retag(repository, "unsigned", signatureTag(digest));
    }),
  );
  refused("the right identity from another authority", none, () =>
    offer("authority", async (ref, digest) => {
      const other = await createSigstore();
      await attachAll(get(), ref, digest, await createSigner(other, modulo), get().sigstore);
    }),
  );
  refused("the right identity, logged by another log", /failed to verify image/, () =>
    offer("log", async (ref, digest) => {
      const other = await createSigstore();
      await attachAll(get(), ref, digest, await createSigner(get().sigstore, modulo), other);
    }),
  );
  refused("the right identity, its certificate logged by another log", /failed to verify image/, () =>
    offer("ct-log", async (ref, digest) => {
      const other = await createSigstore();
      const mixed = { ...get().sigstore, ctLog: other.ctLog };
      await attachAll(get(), ref, digest, await createSigner(mixed, modulo), get().sigstore);
    }),
  );
  refused("no transparency log", /failed to verify image/, () =>
    offer("no-log", (ref) => sign(get(), ref, {}, { tlog: false })),
  );
  refused("no transparency log and an expired certificate", /failed to verify image/, () =>
    offer("no-log-old", (ref) => sign(get(), ref, { notBefore: new Date(Date.now() - hour) }, { tlog: false })),
  );
  refused("logged after the certificate's end", /failed to verify image/, () =>
    offer("late", (ref) =>
      sign(get(), ref, { notBefore: new Date(Date.now() - hour) }, { integratedTime: new Date() }),
    ),
  );
  refused("logged before the certificate's start", /failed to verify image/, () =>
    offer("early", (ref) => sign(get(), ref, {}, { integratedTime: new Date(Date.now() - hour) })),
  );
  refused("a log entry of another signature", /failed to verify image/, () =>
    offer("entry", async (ref, digest) => {
      const signer = await createSigner(get().sigstore, modulo);
      const payload = simpleSigning(image, digest);
      const signature = signBytes(signer.certificate.privateKeyPem, payload);
      const other = simpleSigning(image, get().digests.signed);
      await attach(get(), ref, payload, signature, signer, { payload: other, sigstore: get().sigstore });
    }),
  );
  refused("a key without a certificate", /failed to verify image/, () =>
    offer("key", async (ref) => get().cosign.signWithKey(ref, await get().cosign.createKey("mallory"))),
  );
  refused("an attestation only", none, () =>
    offer("attested", async (ref) => get().cosign.attest(ref, await createSigner(get().sigstore, modulo))),
  );
  refused("an index of which only a member is signed", none, async () => {
    const index = await get().plane.registry.pushIndex(repository, "member", ["linux/amd64", "linux/arm64"]);
    await sign(get(), `${image}@${index.images["linux/amd64"]}`);
    return run("member");
  });
  admitted("a signed index", async () => {
    const index = await get().plane.registry.pushIndex(repository, "index", ["linux/amd64", "linux/arm64"]);
    await sign(get(), `${image}@${index.digest}`);
    return run("index");
  });
  admitted("a bad signature beside a good one", () =>
    offer("both", async (ref) => {
      await sign(get(), ref, { repository: "Mallory/Modulo" });
      await sign(get(), ref);
    }),
  );
  for (const fault of [
    { kind: "status", status: 500 },
    { kind: "status", status: 401 },
    { kind: "status", status: 404 },
    { kind: "reset" },
    { kind: "malformed" },
  ] as const satisfies Fault[]) {
    const title = fault.kind === "status" ? `status ${fault.status}` : fault.kind;
    refused(`signed, but the registry answers with ${title}`, /failed to verify image|denied the request/, async () => {
      get().proxy.setFault(repository, fault);
      return run("1.0").finally(() => get().proxy.clearFaults());
    });
  }

  // What 1.10.7 cannot be made to refuse; the threat model says so.
  admitted("LIMIT: an older signed image", () => run("1.0"));
  admitted("LIMIT: a certificate without a log's receipt", () => signedBy("no-receipt", { sct: false }), undefined, {
    line: "1.10",
    why: "1.19 demands the receipt",
  });
  refused(
    "a certificate without a log's receipt",
    /does not include required embedded SCT/,
    () => signedBy("no-receipt-later", { sct: false }),
    { line: "1.19", why: "1.10 does not ask for it" },
  );
  admitted("LIMIT: another repository's signed image, copied with its signature", async () => {
    const { registry } = get().plane;
    const content = "the backend";
    const digest = await registry.pushImage("ikey168/modulo-backend", "1.0", content);
    await sign(get(), `ghcr.io/ikey168/modulo-backend@${digest}`);
    await registry.pushImage(repository, "renamed", content);
    await registry.copySignature({ repository: "ikey168/modulo-backend", digest }, { repository, digest });
    return run("renamed");
  });
});

/** Puts any payload, signature and log entry beside an image. */
async function attach(
  { cosign, plane, sigstore }: Cluster,
  reference: string,
  payload: string,
  signature: string,
  signer: Signer,
  entry: { payload: string; sigstore: Sigstore } = { payload, sigstore },
): Promise<void> {
  const { pem } = signer.certificate;
  const time = new Date(signer.notBefore.getTime() + 10_000);
  const bundle = rekorBundle(entry.sigstore.rekor, entry.payload, signature, pem, time);
  const files = {
    payload,
    signature,
    certificate: pem,
    "certificate-chain": signer.chain,
    "rekor-response": JSON.stringify({ rekorBundle: bundle }),
  };
  const folder = fs.mkdtempSync(path.join(plane.workDir, "attach-"));
  const flags = Object.entries(files).map(([name, content]) => {
    fs.writeFileSync(path.join(folder, name), content);
    return `--${name}=${path.join(folder, name)}`;
  });
  await cosign.run(["attach", "signature", ...flags, reference]);
}

async function attachAll(
  cluster: Cluster,
  reference: string,
  digest: string,
  signer: Signer,
  log: Sigstore,
): Promise<void> {
  const payload = simpleSigning(image, digest);
  const signature = signBytes(signer.certificate.privateKeyPem, payload);
  await attach(cluster, reference, payload, signature, signer, { payload, sigstore: log });
}
