import type { X509Certificate } from "node:crypto";
import { KyvernoTarget, SignatureFormat, TrustRoot } from "../args";
import type { ProblemList } from "../problems";
import type { ImageRuleConfig, SignerConfig } from "../schema";
import type { Context } from "./context";
import { checkFormat } from "./formats";
import { GITHUB_ISSUER, githubHost, lintIdentity, lintSpelling } from "./identityLint";
import { KYVERNO_LINES, type KyvernoLine } from "./kyvernoLines";
import { spellings } from "./spelling";
import type { Attestation, ImageRule, KeylessSigner, Signer } from "./types";

export { GITHUB_ISSUER, wildcardDanger } from "./identityLint";

const SIGNER_KINDS = ["github", "keyless", "key", "certificate"] as const;

/** What every step of the way from a signer's settings to the posture needs. */
interface SignerContext extends Context {
  readonly line: KyvernoLine;
  readonly publicGood: boolean;
}

export function resolveImages(given: Context): ImageRule[] {
  const { config, problems } = given;
  const line = KYVERNO_LINES[config.kyverno?.target ?? KyvernoTarget.V1_10];
  const publicGood = (config.trust?.root ?? TrustRoot.PublicGood) === TrustRoot.PublicGood;
  const context: SignerContext = { ...given, line, publicGood };
  const names = new Map<string, number>();
  const images = config.images.map((rule, index) => {
    const key = `images[${index}]`;
    const earlier = names.get(rule.name);
    if (earlier !== undefined) {
      problems.add(
        `${key}.name and images[${earlier}].name`,
        rule.name,
        "a name that no other entry has",
        "rename one of the two",
      );
    }
    names.set(rule.name, index);
    return resolveImage(rule, key, context);
  });
  const placed = images.flatMap(({ signers }, image) =>
    signers.map((signer, index) => ({ key: `images[${image}].signers[${index}]`, signer })),
  );
  lintSpelling(placed, problems);
  return images;
}

function resolveImage(rule: ImageRuleConfig, key: string, context: SignerContext): ImageRule {
  const { problems } = context;
  const signers = resolveSigners(rule.signers, `${key}.signers`, rule.repositories, context);
  const threshold = rule.threshold ?? 1;
  if (threshold > rule.signers.length) {
    problems.add(
      `${key}.threshold`,
      threshold,
      `a whole number from 1 to ${rule.signers.length}, the number of signers`,
      `lower ${key}.threshold or name more signers`,
    );
  }
  if (rule.signatureRepository && /[*?]/.test(rule.signatureRepository)) {
    problems.add(
      `${key}.signatureRepository`,
      rule.signatureRepository,
      "one repository, without wildcards",
      "write the value of COSIGN_REPOSITORY; entries that store signatures elsewhere need an entry of their own",
    );
  }
  const attestations = (rule.attestations ?? []).map((attestation, position): Attestation => {
    const attestors = attestation.signers
      ? resolveSigners(attestation.signers, `${key}.attestations[${position}].signers`, rule.repositories, context)
      : signers;
    const needed = attestation.signers ? 1 : threshold;
    if (attestors.length > needed) {
      problems.add(
        `${key}.attestations[${position}].signers`,
        attestation.signers ? `${attestors.length} signers` : `the ${attestors.length} signers of ${key}`,
        needed === 1 ? "one signer" : `${needed} signers`,
        "name the one who makes this statement: Kyverno asks attestors in order and refuses the image at the first that has not signed",
      );
    }
    return {
      predicateType: attestation.predicateType,
      signers: attestors,
      threshold: needed,
      conditions: attestation.conditions ?? [],
    };
  });
  checkFormat(rule, key, context);
  const { format = SignatureFormat.Cosign } = rule;
  return {
    name: rule.name,
    repositories: spellings(rule.repositories),
    signers,
    threshold,
    ...(format === SignatureFormat.Cosign ? {} : { format }),
    ...(rule.signatureRepository ? { signatureRepository: rule.signatureRepository } : {}),
    attestations,
  };
}

function resolveSigners(
  signers: readonly SignerConfig[],
  key: string,
  repositories: readonly string[],
  context: SignerContext,
): Signer[] {
  return signers.flatMap((signer, index) => {
    const resolved = resolveSigner(signer, `${key}[${index}]`, context);
    if (!resolved) return [];
    if (resolved.kind === "keyless") {
      lintIdentity({ signer: resolved, given: signer, key: `${key}[${index}]`, repositories }, context.problems);
    }
    if (
      resolved.kind === "keyless" &&
      context.publicGood &&
      !resolved.roots &&
      resolved.issuer.endsWith("/_services/token")
    ) {
      context.problems.warn(
        `${key}[${index}]: the public Sigstore instance issues no certificates for ${resolved.issuer}; set trust.root to custom, with the Fulcio that does`,
      );
    }
    return [resolved];
  });
}

function resolveSigner(signer: SignerConfig, key: string, context: SignerContext): Signer | undefined {
  const given = SIGNER_KINDS.filter((kind) => signer[kind] !== undefined);
  if (given.length !== 1) {
    context.problems.say(
      key,
      given.length === 0 ? "no kind of signer" : given.join(" and "),
      `exactly one of ${SIGNER_KINDS.join(", ")}`,
      given.length === 0 ? `say who signs, e.g. ${key}.github` : "make an entry of its own for each",
    );
    return undefined;
  }
  if (signer.github) return { ...githubIdentity(signer.github), ...ownRoots(signer, key, context) };
  if (signer.keyless) {
    const { issuer, subject, claims } = signer.keyless;
    return { kind: "keyless", issuer, subject, claims: definedOnly(claims ?? {}), ...ownRoots(signer, key, context) };
  }
  if (signer.trust) {
    context.problems.say(
      `${key}.trust`,
      `a Fulcio for a signer of the kind ${given[0]}`,
      "trust beside github or keyless",
      given[0] === "certificate"
        ? `put the authorities at ${key}.certificate.chain`
        : `remove ${key}.trust: a key has no authority`,
    );
  }
  if (signer.key) return resolveKey(signer.key, `${key}.key`, context);
  return resolveCertificate(signer.certificate!, `${key}.certificate`, context);
}

/** Kyverno 1.10 takes other roots for a signer, and no other key of a log: that one's time can't be proved. */
function ownRoots({ trust }: SignerConfig, key: string, { pems, problems }: SignerContext): { roots?: string[] } {
  if (!trust) return {};
  if (!trust.acceptNoTransparencyLog) {
    problems.add(
      `${key}.trust.acceptNoTransparencyLog`,
      false,
      "true",
      "say true, or sign with a key: Kyverno 1.10 reads one log key for all signers, so nothing can prove when a signature under another Fulcio was made",
    );
  } else {
    problems.warn(
      `${key}.trust: no time check; a certificate of that authority counts for ever, and signatures with an entry of another log than the stack's are refused`,
    );
  }
  refuseLeaves(
    `${key}.trust.fulcioCertificates`,
    pems.certificates(`${key}.trust.fulcioCertificates`, trust.fulcioCertificates),
    problems,
  );
  return { roots: pems.each(`${key}.trust.fulcioCertificates`, trust.fulcioCertificates) };
}

/** Whatever stands among the roots is believed by itself, so a signer's own certificate would sign for ever. */
function refuseLeaves(key: string, certificates: readonly X509Certificate[], problems: ProblemList): void {
  for (const { subject } of certificates.filter(({ ca }) => !ca)) {
    problems.say(
      key,
      `the certificate of "${subject.replace(/\n/g, ", ")}", which is no authority`,
      "root and intermediate certificates",
      "remove it; a signer's own certificate belongs in certificate.certificate",
    );
  }
}

/** The identity that GitHub's certificates carry for a workflow, and the caller's repository where it is bound. */
export function githubIdentity(github: NonNullable<SignerConfig["github"]>): KeylessSigner {
  const issuer = github.issuer ?? GITHUB_ISSUER;
  return {
    kind: "keyless",
    issuer,
    subject: `https://${githubHost(issuer) ?? "github.com"}/${github.repository}/.github/workflows/${github.workflow}@${github.ref}`,
    claims: definedOnly({
      githubWorkflowRepository: github.callerRepository,
      githubWorkflowRef: github.callerRef,
      githubWorkflowTrigger: github.trigger,
    }),
  };
}

function resolveKey(given: NonNullable<SignerConfig["key"]>, key: string, context: SignerContext): Signer | undefined {
  const { pems, problems } = context;
  const sources = [given.publicKey, given.kms, given.secretName].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    problems.say(
      key,
      `${sources.length} of them`,
      "exactly one of publicKey, kms, secretName",
      `keep one source of the key at ${key}`,
    );
    return undefined;
  }
  checkAlgorithm(given, key, context);
  return {
    kind: "key",
    ...(given.publicKey ? { publicKey: pems.publicKey(`${key}.publicKey`, given.publicKey) } : {}),
    ...(given.kms ? { kms: given.kms } : {}),
    ...(given.secretName ? { secretName: given.secretName } : {}),
    signatureAlgorithm: given.signatureAlgorithm ?? "sha256",
  };
}

/** Kyverno 1.10 hands the algorithm on for a PEM only: a KMS decides by its key, and the key of a Secret is read for sha256. */
function checkAlgorithm(
  { kms, secretName, signatureAlgorithm }: NonNullable<SignerConfig["key"]>,
  key: string,
  { problems, line }: SignerContext,
): void {
  if (line.algorithmOfAnyKey || signatureAlgorithm === undefined) return;
  if (!kms && !(secretName && signatureAlgorithm !== "sha256")) return;
  problems.add(
    `${key}.signatureAlgorithm`,
    signatureAlgorithm,
    `nothing, beside ${kms ? "kms" : "secretName"}`,
    kms
      ? "remove it: Kyverno 1.10 ignores it there, and the KMS decides by its key"
      : "remove it, or put the key at publicKey: Kyverno 1.10 ignores it there, and reads the Secret's key for sha256",
  );
}

function resolveCertificate(
  given: NonNullable<SignerConfig["certificate"]>,
  key: string,
  context: SignerContext,
): Signer | undefined {
  const { pems, problems } = context;
  if (!given.certificate && !given.chain) {
    problems.say(key, "neither", "certificate, chain or both", `put the authority's certificates at ${key}.chain`);
    return undefined;
  }
  checkCertificates(given, key, context);
  return {
    kind: "certificate",
    ...(given.certificate ? { certificate: pems.bundle(`${key}.certificate`, given.certificate) } : {}),
    ...(given.chain ? { chain: pems.bundle(`${key}.chain`, given.chain) } : {}),
  };
}

/** Kyverno reads the first certificate for the signer's own, and believes every one of the chain by itself. */
function checkCertificates(
  given: NonNullable<SignerConfig["certificate"]>,
  key: string,
  { pems, problems }: SignerContext,
): void {
  const own = given.certificate ? pems.certificates(`${key}.certificate`, given.certificate) : [];
  const chain = given.chain ? pems.certificates(`${key}.chain`, given.chain) : [];
  if (own.length > 1) {
    problems.say(
      `${key}.certificate`,
      `${own.length} certificates`,
      "the one certificate that signs",
      `move the others to ${key}.chain: Kyverno reads the first alone`,
    );
  } else if (own[0]?.ca) {
    problems.say(
      `${key}.certificate`,
      "a certificate authority",
      "the certificate that signs",
      `move it to ${key}.chain: Kyverno takes ${key}.certificate for the signer's own`,
    );
  }
  for (const { subject } of chain.filter(({ ca }) => !ca)) {
    problems.say(
      `${key}.chain`,
      `the certificate of "${subject.replace(/\n/g, ", ")}", which is no authority`,
      "intermediate and root certificates",
      `move it to ${key}.certificate: whatever stands in the chain is believed by itself, and would sign for ever`,
    );
  }
  const issuers = chain.filter(({ ca }) => ca);
  if (own.length === 1 && issuers.length > 0 && !own[0]!.ca && !issuers.some((issuer) => isIssuer(issuer, own[0]!))) {
    problems.say(
      `${key}.chain`,
      `${issuers.length} ${issuers.length === 1 ? "authority" : "authorities"}, none of which issued ${key}.certificate`,
      "the authorities above the certificate, root last",
      "add the one that issued it; Kyverno would refuse every image",
    );
  }
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey);
}

/** One line that tells a person whose signature is expected. */
export function describeSigner(signer: Signer): string {
  switch (signer.kind) {
    case "keyless":
      return `${signer.subject} (issuer ${signer.issuer})`;
    case "key":
      return (
        signer.kms ??
        (signer.secretName
          ? `the key in Secret ${signer.secretName}`
          : `the key ${shortFingerprint(signer.publicKey!)}`)
      );
    case "certificate":
      return `a certificate under ${shortFingerprint((signer.chain ?? signer.certificate)!)}`;
  }
}

export function shortFingerprint(id: string): string {
  return id.slice(0, "sha256:".length + 12);
}

function definedOnly(record: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
