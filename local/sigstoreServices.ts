import * as crypto from "node:crypto";
import * as http from "node:http";
import { json } from "@sigstore/core";
import { keyPairOf } from "./certificates";
import { freePort, loopback } from "./ports";
import { createSigner, type Identity, type Sigstore, signBytes } from "./sigstore";

/** The stand-in's Fulcio, Rekor and update repository as servers, for programs that ask them. */
export interface SigstoreServices {
  readonly url: string;
  /** root.json of the update repository, whose mirror is the URL. */
  readonly tufRoot: string;
  /** trusted_root.json, as the repository hands it out. */
  readonly trustedRoot: string;
  /** Which services sign: Fulcio and Rekor, for cosign's --signing-config. */
  readonly signingConfig: string;
  /** What an OpenID Connect issuer would give a job of this identity. */
  token(identity: Identity): string;
  stop(): Promise<void>;
}

export async function startSigstoreServices(sigstore: Sigstore): Promise<SigstoreServices> {
  const port = await freePort();
  const url = `http://${loopback}:${port}`;
  const trustedRoot = JSON.stringify(trustedRootOf(sigstore, url));
  const { root, files } = updateRepository({ "trusted_root.json": trustedRoot });
  const answer = async (method: string, path: string, body: string, authorization = ""): Promise<Answer> => {
    if (method === "POST" && path === "/api/v2/signingCert")
      return { status: 200, text: await certify(sigstore, body, authorization) };
    if (method === "POST" && path === "/api/v1/log/entries") return { status: 201, ...logEntry(sigstore, body) };
    const file = files[path];
    return method === "GET" && file !== undefined ? { status: 200, text: file } : { status: 404, text: "{}" };
  };
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "GET", url: path = "/", headers } = request;
      void answer(method, path, Buffer.concat(chunks).toString(), headers.authorization)
        .catch((error: Error): Answer => ({ status: 500, text: JSON.stringify({ message: error.message }) }))
        .then(({ status, text, etag }) => {
          response.writeHead(status, { "content-type": "application/json", ...(etag ? { etag } : {}) });
          response.end(text);
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(port, loopback, resolve));
  return {
    url,
    tufRoot: root,
    trustedRoot,
    signingConfig: JSON.stringify(signingConfig(url)),
    token: (identity) => token(identity),
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag?: string;
}

const since = { start: "2020-01-01T00:00:00Z" };

function trustedRootOf({ root, intermediate, rekor, ctLog }: Sigstore, url: string) {
  const der = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, "");
  const log = ({ publicKeyPem }: { publicKeyPem: string }, baseUrl: string) => ({
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: { rawBytes: der(publicKeyPem), keyDetails: "PKIX_ECDSA_P256_SHA_256", validFor: since },
    logId: { keyId: sha256(Buffer.from(der(publicKeyPem), "base64")).toString("base64") },
  });
  return {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [log(rekor, url)],
    certificateAuthorities: [
      {
        subject: { organization: "sigstore.local", commonName: "sigstore-local" },
        uri: url,
        certChain: { certificates: [intermediate, root].map(({ pem }) => ({ rawBytes: der(pem) })) },
        validFor: since,
      },
    ],
    ctlogs: [log(ctLog, `${url}/ctlog`)],
    timestampAuthorities: [],
  };
}

function signingConfig(url: string) {
  const service = { url, majorApiVersion: 1, validFor: since, operator: "sigstore.local" };
  return {
    mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    caUrls: [service],
    oidcUrls: [],
    rekorTlogUrls: [service],
    rekorTlogConfig: { selector: "ANY" },
    tsaUrls: [],
    tsaConfig: {},
  };
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Nobody checks its signature; who it speaks of is in it. */
function token(identity: Identity): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: "https://issuer.local", sub: identity.repository, aud: "sigstore", iat: now, exp: now + 600 };
  return `${base64url({ alg: "RS256", typ: "JWT" })}.${base64url({ ...claims, identity })}.${base64url("unsigned")}`;
}

/** Fulcio: a certificate for the key in the request and the identity in the token. */
async function certify(sigstore: Sigstore, body: string, authorization: string): Promise<string> {
  const claims = authorization.replace(/^Bearer /, "").split(".")[1] ?? "";
  const { identity } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { identity: Identity };
  const { publicKeyRequest } = JSON.parse(body) as { publicKeyRequest: { publicKey: { content: string } } };
  const signer = await createSigner(sigstore, identity, await keyPairOf(publicKeyRequest.publicKey.content));
  const certificates = [signer.certificate.pem, sigstore.intermediate.pem, sigstore.root.pem];
  return JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates } } });
}

let nextIndex = 1;

/** Rekor: takes an envelope or a hash, and proves it by a tree that has nothing else in it. */
function logEntry({ rekor }: Sigstore, proposed: string): { text: string; etag: string } {
  const body = Buffer.from(json.canonicalize(canonicalEntry(JSON.parse(proposed)))).toString("base64");
  const spki = crypto.createPublicKey(rekor.publicKeyPem).export({ type: "spki", format: "der" });
  const logID = sha256(spki).toString("hex");
  const logIndex = nextIndex++;
  const integratedTime = Math.floor(Date.now() / 1000);
  const promise = { body, integratedTime, logID, logIndex };
  const rootHash = sha256(Buffer.concat([Buffer.from([0]), Buffer.from(body, "base64")]));
  const origin = "rekor.local";
  const note = `${origin} - 1\n1\n${rootHash.toString("base64")}\n`;
  const signature = Buffer.from(signBytes(rekor.privateKeyPem, note), "base64");
  const signed = Buffer.concat([Buffer.from(logID.slice(0, 8), "hex"), signature]).toString("base64");
  const etag = rootHash.toString("hex");
  const text = JSON.stringify({
    [etag]: {
      ...promise,
      verification: {
        signedEntryTimestamp: signBytes(rekor.privateKeyPem, json.canonicalize(promise)),
        inclusionProof: {
          checkpoint: `${note}\n— ${origin} ${signed}\n`,
          hashes: [],
          logIndex: 0,
          rootHash: etag,
          treeSize: 1,
        },
      },
    },
  });
  return { text, etag };
}

interface Proposed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: { readonly proposedContent?: { readonly envelope: string; readonly verifiers: readonly string[] } };
}

/** What the log keeps of an envelope are hashes and signatures. */
function canonicalEntry({ apiVersion, kind, spec }: Proposed): object {
  if (!spec.proposedContent) return { apiVersion, kind, spec };
  const { envelope, verifiers } = spec.proposedContent;
  const { payload, signatures } = JSON.parse(envelope) as { payload: string; signatures: { sig: string }[] };
  const hash = (content: Buffer) => ({ algorithm: "sha256", value: sha256(content).toString("hex") });
  return {
    apiVersion,
    kind,
    spec: {
      envelopeHash: hash(Buffer.from(envelope)),
      payloadHash: hash(Buffer.from(payload, "base64")),
      signatures: signatures.map(({ sig }, index) => ({ signature: sig, verifier: verifiers[index] })),
    },
  };
}

/** An update repository with these targets, all of it by one key, for a hundred years. */
function updateRepository(targets: Readonly<Record<string, string>>): { root: string; files: Record<string, string> } {
  const { publicKey, privateKey } = crypto.generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
  const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: raw } };
  const keyid = sha256(Buffer.from(json.canonicalize(key))).toString("hex");
  const common = { spec_version: "1.0.31", version: 1, expires: "2120-01-01T00:00:00Z" };
  const sign = (signed: object): string => {
    const sig = crypto.sign(null, Buffer.from(json.canonicalize(signed)), privateKey).toString("hex");
    return JSON.stringify({ signatures: [{ keyid, sig }], signed });
  };
  const meta = (content: string) => ({
    length: Buffer.byteLength(content),
    hashes: { sha256: sha256(Buffer.from(content)).toString("hex") },
  });
  const role = { keyids: [keyid], threshold: 1 };
  const root = sign({
    ...{ _type: "root", ...common, consistent_snapshot: true, keys: { [keyid]: key } },
    roles: { root: role, targets: role, snapshot: role, timestamp: role },
  });
  const described = Object.entries(targets).map(([name, content]) => [name, meta(content)] as const);
  const targetsFile = sign({ _type: "targets", ...common, targets: Object.fromEntries(described) });
  const version = (content: string) => ({ version: 1, ...meta(content) });
  const snapshot = sign({ _type: "snapshot", ...common, meta: { "targets.json": version(targetsFile) } });
  const timestamp = sign({ _type: "timestamp", ...common, meta: { "snapshot.json": version(snapshot) } });
  return {
    root,
    files: {
      "/root.json": root,
      "/1.root.json": root,
      "/1.targets.json": targetsFile,
      "/1.snapshot.json": snapshot,
      "/timestamp.json": timestamp,
      ...Object.fromEntries(
        described.map(([name, { hashes }]) => [`/targets/${hashes.sha256}.${name}`, targets[name] as string]),
      ),
    },
  };
}

const sha256 = (content: Buffer): Buffer => crypto.createHash("sha256").update(content).digest();
