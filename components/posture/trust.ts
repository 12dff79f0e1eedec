import type { X509Certificate } from "node:crypto";
import { createPublicKey } from "node:crypto";
import { KyvernoTarget, TrustRoot } from "../args";
import type { ProblemList } from "../problems";
import { UNKNOWN_VALUE } from "../unknownValue";
import type { Context } from "./context";
import { KYVERNO_LINES } from "./kyvernoLines";
import { publicGoodBundle } from "./publicGood";
import type { Trust } from "./types";

export function resolveTrust(context: Context): Trust {
  const { root = TrustRoot.PublicGood } = context.config.trust ?? {};
  return root === TrustRoot.PublicGood ? publicGoodTrust(context) : ownTrust(root, context);
}

function publicGoodTrust(context: Context): Trust {
  const { pems, problems } = context;
  const given = context.config.trust ?? {};
  for (const key of ["fulcioCertificates", "rekor", "ctLogPublicKey", "acceptNoTransparencyLog"] as const) {
    if (given[key] === undefined) continue;
    const own =
      key === "fulcioCertificates"
        ? "; where only some signers have a Fulcio of yours, put it at their signers[].trust"
        : "";
    problems.add(
      `trust.${key}`,
      given[key],
      "nothing, with trust.root: publicGood",
      `set trust.root to custom, or remove trust.${key}: it would not be used${own}`,
    );
  }
  const bundle = publicGoodBundle();
  const certificates = pems.certificates("trust.root", bundle.fulcioCertificates);
  const validUntil = earliestEnd(certificates.map((certificate) => certificate.validTo));
  judgeValidity("the public-good trust bundle", certificates, context);
  return {
    root: TrustRoot.PublicGood,
    fulcioCertificates: pems.each("trust.root", bundle.fulcioCertificates),
    rekor: { url: bundle.rekorUrl, publicKey: pems.publicKey("trust.root", bundle.rekorPublicKey) },
    ctLogPublicKey: pems.publicKey("trust.root", bundle.ctLogPublicKey),
    validUntil,
  };
}

function ownTrust(root: TrustRoot, context: Context): Trust {
  const { config, pems, problems } = context;
  const given = config.trust ?? {};
  const keyless = config.images.some((rule) =>
    [...rule.signers, ...(rule.attestations ?? []).flatMap((attestation) => attestation.signers ?? [])].some(
      (signer) => (signer.github || signer.keyless) && !signer.trust,
    ),
  );
  if (keyless && !given.fulcioCertificates) {
    problems.say(
      "trust.fulcioCertificates",
      "nothing",
      "the root and intermediate certificates of your Fulcio in PEM",
      `add trust.fulcioCertificates: with trust.root: ${root} there is no other anchor for keyless signers`,
    );
  }
  if (keyless && !given.rekor && !given.acceptNoTransparencyLog) {
    problems.say(
      "trust.rekor",
      "nothing",
      "the log's url and publicKey, or trust.acceptNoTransparencyLog: true",
      "name your transparency log; without one Kyverno 1.10 never checks when a signature was made, and a leaked short-lived key signs for ever",
    );
  }
  if (given.rekor && given.acceptNoTransparencyLog) {
    problems.add(
      "trust.acceptNoTransparencyLog",
      true,
      "false, where trust.rekor is given",
      "remove trust.acceptNoTransparencyLog: Kyverno 1.10 can't make a configured log optional",
    );
  }
  if (keyless && given.acceptNoTransparencyLog) {
    problems.warn(
      "trust.acceptNoTransparencyLog: no time check; a certificate of your authority counts for ever, even after it expired",
    );
  }
  const certificates = given.fulcioCertificates
    ? pems.certificates("trust.fulcioCertificates", given.fulcioCertificates)
    : [];
  const validUntil =
    certificates.length > 0 ? earliestEnd(certificates.map((certificate) => certificate.validTo)) : undefined;
  judgeValidity("trust.fulcioCertificates", certificates, context);
  checkAuthorities(certificates, problems);
  checkLogKeys(context);
  if (root === TrustRoot.Offline) checkOffline(context);
  return {
    root,
    fulcioCertificates: given.fulcioCertificates ? pems.each("trust.fulcioCertificates", given.fulcioCertificates) : [],
    ...(given.rekor
      ? { rekor: { url: given.rekor.url, publicKey: pems.publicKey("trust.rekor.publicKey", given.rekor.publicKey) } }
      : {}),
    ...(given.ctLogPublicKey ? { ctLogPublicKey: pems.publicKey("trust.ctLogPublicKey", given.ctLogPublicKey) } : {}),
    ...(given.tuf ? { tuf: { mirror: given.tuf.mirror, root: pems.tufRoot("trust.tuf.root", given.tuf.root) } } : {}),
    ...(validUntil ? { validUntil } : {}),
  };
}

function earliestEnd(ends: readonly string[]): string {
  return new Date(Math.min(...ends.map((end) => Date.parse(end)))).toISOString();
}

/** Signatures made while a certificate does not count are refused, before its start as after its end. */
function judgeValidity(
  what: string,
  certificates: readonly X509Certificate[],
  { config, problems, now }: Context,
): void {
  const { strict = false } = config.trust ?? {};
  const ended = certificates.map(({ validTo }) => Date.parse(validTo)).filter((end) => end <= now.getTime());
  const early = certificates.map(({ validFrom }) => Date.parse(validFrom)).filter((start) => start > now.getTime());
  const iso = (time: number) => new Date(time).toISOString();
  if (ended.length > 0) {
    const end = iso(Math.min(...ended));
    if (strict) {
      problems.add(
        "trust",
        `${what}, which ended ${end}`,
        "certificates that are valid now",
        "renew the bundle: update this package or trust.fulcioCertificates",
      );
    } else problems.warn(`${what} ended ${end}; signatures made after that will be refused`);
  }
  if (early.length > 0) {
    const start = iso(Math.max(...early));
    if (strict) {
      problems.add(
        "trust",
        `${what}, which begins ${start}`,
        "certificates that are valid now",
        "keep the older certificates until then, or correct this machine's clock",
      );
    } else problems.warn(`${what} begins ${start}; signatures made before that will be refused`);
  }
}

/** Whatever stands among the roots is believed by itself, so a signer's own certificate would sign for ever. */
function checkAuthorities(certificates: readonly X509Certificate[], problems: ProblemList): void {
  for (const certificate of certificates) {
    if (certificate.ca) continue;
    problems.add(
      "trust.fulcioCertificates",
      `the certificate of "${certificate.subject.replace(/\n/g, ", ")}", which is no authority`,
      "root and intermediate certificates",
      "remove it; a signer's own certificate belongs in images[].signers[].certificate.certificate",
    );
  }
}

/** Kyverno 1.10 reads log keys of this one kind. */
function checkLogKeys({ config, problems }: Context): void {
  const given = config.trust ?? {};
  if (!KYVERNO_LINES[config.kyverno?.target ?? KyvernoTarget.V1_10].logsByEcdsaOnly) return;
  const keys = { "trust.rekor.publicKey": given.rekor?.publicKey, "trust.ctLogPublicKey": given.ctLogPublicKey };
  for (const [key, pem] of Object.entries(keys)) {
    if (pem === undefined || pem === UNKNOWN_VALUE) continue;
    const type = keyType(pem);
    if (type === undefined || type === "ec") continue;
    problems.add(
      key,
      `a key of the type ${type}`,
      "an ECDSA public key",
      `use a log with an ECDSA key, or kyverno.target: "${KyvernoTarget.V1_19}": Kyverno 1.10 can't read this one and would refuse every signature`,
    );
  }
}

function keyType(pem: string): string | undefined {
  try {
    return createPublicKey(pem).asymmetricKeyType;
  } catch {
    // The key itself is refused where it is kept.
    return undefined;
  }
}

/** With offline nothing but the registry may be asked. */
function checkOffline({ config, problems }: Context): void {
  config.images.forEach((rule, image) => {
    const lists: [string, typeof rule.signers][] = [
      [`images[${image}].signers`, rule.signers],
      ...(rule.attestations ?? []).map(({ signers = [] }, index): [string, typeof rule.signers] => [
        `images[${image}].attestations[${index}].signers`,
        signers,
      ]),
    ];
    for (const [key, signers] of lists) {
      signers.forEach((signer, index) => {
        if (!signer.key?.kms) return;
        problems.add(
          `${key}[${index}].key.kms`,
          signer.key.kms,
          "publicKey or secretName, with trust.root: offline",
          "export the public key and put it at publicKey: Kyverno would ask the KMS at every admission, and refuse when it can't",
        );
      });
    }
  });
  if (config.trust?.rekor) {
    problems.warn(
      "trust.rekor with trust.root offline: a signature must bring its log entry along; for one that does not, Kyverno asks the log, which it can't reach, and refuses",
    );
  }
}
