import { X509Certificate as NodeCertificate } from "node:crypto";
import { ByteStream, crypto, EXTENSION_OID_SCT, X509Certificate, X509SCTExtension } from "@sigstore/core";

/** A certificate for both libraries: Sigstore's reads Fulcio's extensions, Node's knows every algorithm. */
export interface Certificate {
  readonly sigstore: X509Certificate;
  readonly node: NodeCertificate;
}

export function certificatesOf(pem: string): Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => certificateOf(new NodeCertificate(block).raw));
}

export function certificateOf(der: Buffer): Certificate {
  return { node: new NodeCertificate(der), sigstore: X509Certificate.parse(Buffer.from(der)) };
}

/** The identity in a certificate, as Kyverno 1.10 reads it. */
export interface Identity {
  readonly subject: string;
  readonly issuer: string;
  readonly claims: Record<string, string>;
}

const FULCIO = "1.3.6.1.4.1.57264.1";
const CLAIMS = {
  githubWorkflowTrigger: `${FULCIO}.2`,
  githubWorkflowSha: `${FULCIO}.3`,
  githubWorkflowName: `${FULCIO}.4`,
  githubWorkflowRepository: `${FULCIO}.5`,
  githubWorkflowRef: `${FULCIO}.6`,
};

/** Subject: the first e-mail address, else the first URI, else Fulcio's other name. Newer extensions are not read. */
export function identityOf({ sigstore }: Certificate): Identity {
  const names = sigstore.extSubjectAltName;
  const text = (oid: string) => sigstore.extension(oid)?.value.toString("utf8") ?? "";
  const claims = Object.entries(CLAIMS).map(([name, oid]) => [name, text(oid)]);
  return {
    subject: names?.rfc822Name ?? names?.uri ?? names?.otherName(`${FULCIO}.7`) ?? "",
    issuer: text(`${FULCIO}.1`),
    claims: Object.fromEntries(claims.filter(([, value]) => value !== "")),
  };
}

const EXTENDED_KEY_USAGE = "2.5.29.37";
const CODE_SIGNING = ["1.3.6.1.5.5.7.3.3", "2.5.29.37.0"];
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const UNDERSTOOD = /^2\.5\.29\.(14|15|17|19|30|31|32|35|37)$|^1\.3\.6\.1\.5\.5\.7\.1\.1$/;
/** Sigstore's chains have three. */
const LONGEST_PATH = 6;

/**
 * The path from a leaf to a trusted certificate as Go's verifier finds it, at the moment the leaf began: a trusted
 * certificate need not be self-signed, and every certificate must allow code signing. Undefined if there is none.
 */
export function trustedPath(
  leaf: Certificate,
  roots: readonly Certificate[],
  intermediates: readonly Certificate[],
): Certificate[] | undefined {
  const moment = leaf.sigstore.notBefore;
  if (!usable(leaf, moment, true)) return undefined;
  if (roots.some((root) => same(root, leaf))) return [leaf];
  const extend = (path: readonly Certificate[]): Certificate[] | undefined => {
    const last = path[path.length - 1]!;
    const issues = (candidate: Certificate) =>
      usable(candidate, moment, false) &&
      candidate.node.ca &&
      fitsBelow(candidate, path.length - 1) &&
      last.node.checkIssued(candidate.node) &&
      last.node.verify(candidate.node.publicKey);
    const root = roots.find(issues);
    if (root) return [...path, root];
    if (path.length >= LONGEST_PATH) return undefined;
    for (const next of intermediates) {
      if (path.some((known) => same(known, next)) || !issues(next)) continue;
      const found = extend([...path, next]);
      if (found) return found;
    }
    return undefined;
  };
  return extend([leaf]);
}

function same(left: Certificate, right: Certificate): boolean {
  return left.node.raw.equals(right.node.raw);
}

function usable(certificate: Certificate, moment: Date, isLeaf: boolean): boolean {
  const { sigstore } = certificate;
  if (!sigstore.validForDate(moment)) return false;
  const usages = sigstore.extension(EXTENDED_KEY_USAGE)?.valueObj.subs[0]?.subs.map((usage) => usage.toOID());
  if (usages && !usages.some((usage) => CODE_SIGNING.includes(usage))) return false;
  return sigstore.extensions.every((extension) => {
    const oid = extension.subs[0]!.toOID();
    const critical = sigstore.extension(oid)?.critical ?? false;
    return !critical || UNDERSTOOD.test(oid) || (isLeaf && oid === SUBJECT_ALTERNATIVE_NAME);
  });
}

/** How many intermediates an authority allows below itself. */
function fitsBelow({ sigstore }: Certificate, intermediates: number): boolean {
  const limit = sigstore.extBasicConstraints?.pathLenConstraint;
  return limit === undefined || intermediates <= Number(limit);
}

/**
 * The receipts of a certificate log inside a leaf (RFC 6962). `none`: there are no receipts, which Kyverno 1.10 accepts.
 * All that are there must be by the one log that is trusted.
 */
export function receiptsOf(path: readonly Certificate[], logKeyPem: string | undefined): "none" | "valid" | "invalid" {
  const clone = path[0]!.sigstore.clone();
  const index = clone.extensions.findIndex((extension) => extension.subs[0]!.toOID() === EXTENSION_OID_SCT);
  if (index === -1) return "none";
  const [extension] = clone.extensions.splice(index, 1);
  if (!logKeyPem || path.length < 2) return "invalid";
  const logKey = crypto.createPublicKey(logKeyPem);
  const logId = crypto.digest("sha256", logKey.export({ type: "spki", format: "der" }));
  // What the log signed: the certificate without the receipts, and who issued it.
  const certificate = clone.tbsCertificate.toDER();
  const signed = new ByteStream();
  signed.appendView(crypto.digest("sha256", path[1]!.sigstore.publicKey));
  signed.appendUint24(certificate.length);
  signed.appendView(certificate);
  const receipts = new X509SCTExtension(extension!).signedCertificateTimestamps;
  const valid = receipts.length > 0 && receipts.every((r) => r.logID.equals(logId) && r.verify(signed.buffer, logKey));
  return valid ? "valid" : "invalid";
}
