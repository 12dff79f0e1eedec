import * as crypto from "node:crypto";
import * as x509 from "@peculiar/x509";
import { type Certificate, createAuthority, createKeyPair, issue, type KeyPair } from "./certificates";
import { derElement, issueLogged } from "./sct";

/** A stand-in for Fulcio, Rekor and the CT log: the same formats, keys of our own, nobody to call. */
export interface Sigstore {
  root: Certificate;
  intermediate: Certificate;
  rekor: KeyPair;
  ctLog: KeyPair;
  /** PEM of the root, for a policy's "roots" or SIGSTORE_ROOT_FILE. */
  fulcioRoots: string;
  /** PEM, for SIGSTORE_REKOR_PUBLIC_KEY. */
  rekorPublicKey: string;
  /** PEM, for SIGSTORE_CT_LOG_PUBLIC_KEY_FILE. */
  ctLogPublicKey: string;
}

export async function createSigstore(): Promise<Sigstore> {
  const root = await createAuthority("O=sigstore.local, CN=sigstore-local", undefined, 3650);
  const [intermediate, rekor, ctLog] = await Promise.all([
    createAuthority("O=sigstore.local, CN=sigstore-local-intermediate", root, 3650),
    createKeyPair(),
    createKeyPair(),
  ]);
  return {
    root,
    intermediate,
    rekor,
    ctLog,
    fulcioRoots: root.pem,
    rekorPublicKey: rekor.publicKeyPem,
    ctLogPublicKey: ctLog.publicKeyPem,
  };
}

/** The claims of a GitHub Actions job. */
export interface Identity {
  /** "owner/name" */
  repository: string;
  /** File name under .github/workflows. */
  workflow?: string;
  ref?: string;
  issuer?: string;
  trigger?: string;
  sha?: string;
  workflowName?: string;
  /** Start of the certificate; now when left out. It lasts ten minutes. */
  notBefore?: Date;
  validMinutes?: number;
  /** With the certificate log's receipt, as Fulcio's certificates are; true when left out. */
  sct?: boolean;
}

export const githubIssuer = "https://token.actions.githubusercontent.com";

export interface Signer {
  subject: string;
  issuer: string;
  certificate: Certificate;
  /** PEMs of intermediate and root. */
  chain: string;
  notBefore: Date;
}

/** The subject that Fulcio gives a workflow. */
export const workflowSubject = ({
  repository,
  workflow = "docker-build.yml",
  ref = "refs/heads/main",
}: Identity): string => `https://github.com/${repository}/.github/workflows/${workflow}@${ref}`;

/** What Fulcio would answer to that job: a short-lived certificate, of a fresh key where none is given. */
export async function createSigner(sigstore: Sigstore, identity: Identity, given?: KeyPair): Promise<Signer> {
  const notBefore = identity.notBefore ?? new Date(Date.now() - 1000);
  const subject = workflowSubject(identity);
  const request = {
    subject: "",
    names: [{ type: "url" as const, value: subject }],
    usages: [x509.ExtendedKeyUsage.codeSigning],
    notBefore,
    notAfter: new Date(notBefore.getTime() + (identity.validMinutes ?? 10) * 60_000),
    extensions: claims(identity),
  };
  const pair = given ?? (await createKeyPair());
  const certificate =
    identity.sct === false
      ? await issue(sigstore.intermediate, request, pair)
      : await issueLogged(sigstore.intermediate, request, pair, sigstore.ctLog);
  const chain = `${sigstore.intermediate.pem}${sigstore.root.pem}`;
  return { subject, issuer: identity.issuer ?? githubIssuer, certificate, chain, notBefore };
}

/** Fulcio's extensions: .1 to .6 hold the bare text, from .8 on it is a DER UTF8String. */
function claims(identity: Identity): x509.Extension[] {
  const { repository, ref = "refs/heads/main", issuer = githubIssuer, trigger = "push" } = identity;
  const { sha = "0123456789abcdef0123456789abcdef01234567", workflowName = "Docker build" } = identity;
  const bare: [number, string][] = [
    [1, issuer],
    [2, trigger],
    [3, sha],
    [4, workflowName],
    [5, repository],
    [6, ref],
  ];
  const der: [number, string][] = [
    [8, issuer],
    [9, workflowSubject(identity)],
    [12, `https://github.com/${repository}`],
    [13, sha],
    [14, ref],
    [20, trigger],
  ];
  const oid = (last: number) => `1.3.6.1.4.1.57264.1.${last}`;
  return [
    ...bare.map(([last, text]) => new x509.Extension(oid(last), false, Buffer.from(text))),
    ...der.map(([last, text]) => new x509.Extension(oid(last), false, utf8String(text))),
  ];
}

const utf8String = (text: string) => derElement(0x0c, Buffer.from(text));

/** DER signature over SHA-256, as cosign wants it. */
export const signBytes = (privateKeyPem: string, content: string | Buffer): string =>
  crypto.sign("sha256", Buffer.from(content), { key: privateKeyPem, dsaEncoding: "der" }).toString("base64");

/** What cosign signs: which digest goes by which name. */
export const simpleSigning = (
  repository: string,
  digest: string,
  annotations: Record<string, string> | null = null,
): string =>
  JSON.stringify({
    critical: {
      identity: { "docker-reference": repository },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
    optional: annotations,
  });

export interface RekorBundle {
  SignedEntryTimestamp: string;
  Payload: { body: string; integratedTime: number; logIndex: number; logID: string };
}

let nextIndex = 1000;

/** The promise of a log to have taken this signature at that time. */
export function rekorBundle(
  rekor: KeyPair,
  payload: string,
  signature: string,
  verifierPem: string,
  time: Date,
): RekorBundle {
  const entry = {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value: crypto.createHash("sha256").update(payload).digest("hex") } },
      signature: { content: signature, publicKey: { content: Buffer.from(verifierPem).toString("base64") } },
    },
  };
  const spki = crypto.createPublicKey(rekor.publicKeyPem).export({ type: "spki", format: "der" });
  const fields = {
    // Alphabetical: the canonical form of RFC 8785, which is what the log signs.
    body: Buffer.from(JSON.stringify(entry)).toString("base64"),
    integratedTime: Math.floor(time.getTime() / 1000),
    logID: crypto.createHash("sha256").update(spki).digest("hex"),
    logIndex: nextIndex++,
  };
  return { SignedEntryTimestamp: signBytes(rekor.privateKeyPem, JSON.stringify(fields)), Payload: fields };
}
