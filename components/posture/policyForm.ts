import { KyvernoTarget, PolicyForm, SignatureFormat, TrustRoot } from "../args";
import type { ProblemList } from "../problems";
import type { GuardConfig, ImageRuleConfig, SignerConfig } from "../schema";
import { conditionsToCel } from "./celConditions";
import type { Context } from "./context";
import { KYVERNO_LINES } from "./kyvernoLines";
import type { PemStore } from "./pem";

const FORM = `kyverno.policies: ${PolicyForm.ImageValidatingPolicy}`;
const OTHER = `kyverno.policies: ${PolicyForm.ClusterPolicy}`;

export function writesCelPolicies({ kyverno }: GuardConfig): boolean {
  return kyverno?.policies === PolicyForm.ImageValidatingPolicy;
}

/** What an ImageValidatingPolicy of 1.19 would ignore in silence, or can't say, each with the way out. */
export function checkPolicyForm({ config, problems, pems }: Context): void {
  if (!writesCelPolicies(config)) return;
  const { target = KyvernoTarget.V1_10, install, policyExceptionsNamespace } = config.kyverno ?? {};
  if (!KYVERNO_LINES[target].knowsCelPolicies) {
    problems.add(
      "kyverno.policies",
      PolicyForm.ImageValidatingPolicy,
      `${PolicyForm.ClusterPolicy}, with kyverno.target: "${target}"`,
      `set kyverno.target: "${KyvernoTarget.V1_19}", which knows them, or remove kyverno.policies`,
    );
    return;
  }
  if (install === false)
    problems.add(
      "kyverno.policies",
      PolicyForm.ImageValidatingPolicy,
      `${PolicyForm.ClusterPolicy}, with kyverno.install: false`,
      "remove it: whether somebody else's Kyverno keeps verdicts by tag is not looked at",
    );
  if (policyExceptionsNamespace !== undefined)
    problems.add(
      "kyverno.policyExceptionsNamespace",
      policyExceptionsNamespace,
      `nothing, with ${FORM}`,
      `remove it, or set ${OTHER}: exceptions of this kind spare a whole policy, and doctor does not list them`,
    );
  checkTrust(config, problems);
  warnOfRoots(config, pems, problems);
  warnOfBundles(config, problems);
  for (const [index, rule] of config.images.entries()) checkEntry(rule, `images[${index}]`, config, problems);
}

function checkTrust({ trust, images }: GuardConfig, problems: ProblemList): void {
  const isKeyless = images.some(
    (rule) =>
      rule.format !== SignatureFormat.Notation && signersOf(rule, "").some(([, one]) => one.github || one.keyless),
  );
  if (!isKeyless) return;
  const { root = TrustRoot.PublicGood, tuf } = trust ?? {};
  if (root === TrustRoot.Offline)
    problems.add(
      "trust.root",
      root,
      `${TrustRoot.PublicGood} or ${TrustRoot.Custom}, with ${FORM} and keyless signers`,
      `set trust.root: custom, with trust.tuf inside your network: Kyverno asks an update repository for every keyless signature; or set ${OTHER}`,
    );
  else if (root === TrustRoot.Custom && !tuf)
    problems.say(
      "trust.tuf",
      "nothing",
      `mirror and root, for keyless signers with ${FORM}`,
      `name the update repository of your Sigstore instance: Kyverno asks one for every keyless signature, and without this the public one; or set ${OTHER}`,
    );
}

/** In this form Kyverno reads no chain that a signature brings along. */
function warnOfRoots({ trust }: GuardConfig, pems: PemStore, problems: ProblemList): void {
  if (!trust?.fulcioCertificates) return;
  const certificates = pems.certificates("trust.fulcioCertificates", trust.fulcioCertificates);
  if (certificates.length === 0 || certificates.some((one) => !one.checkIssued(one))) return;
  problems.warn(
    `trust.fulcioCertificates has roots alone: with ${FORM} signatures by an intermediate certificate of your Fulcio are refused unless that stands there too`,
  );
}

/** Kyverno takes to bundles by itself where it finds one, and there every statement of a signer's counts for a signature. */
function warnOfBundles({ images }: GuardConfig, problems: ProblemList): void {
  const names = images
    .filter(({ format = SignatureFormat.Cosign }) => format === SignatureFormat.Cosign)
    .map(({ name }) => name);
  if (names.length === 0) return;
  problems.warn(
    `${FORM}: where a Sigstore bundle lies beside an image of ${names.join(", ")}, Kyverno looks at bundles alone, and takes any statement in one that a signer made (an SBOM, a scan) for a signature. Sign into bundles and set format: ${SignatureFormat.SigstoreBundle}, where only signatures count`,
  );
}

type Signers = readonly (readonly [key: string, signer: SignerConfig])[];

function signersOf(rule: ImageRuleConfig, key: string): Signers {
  const statements = (rule.attestations ?? []).flatMap(({ signers = [] }, position) =>
    signers.map((signer, index) => [`${key}.attestations[${position}].signers[${index}]`, signer] as const),
  );
  return [...rule.signers.map((signer, index) => [`${key}.signers[${index}]`, signer] as const), ...statements];
}

/** Claims of a workflow that its subject does not have. */
const GITHUB_CLAIMS = ["trigger", "callerRepository", "callerRef"] as const;

function checkEntry(rule: ImageRuleConfig, key: string, { trust }: GuardConfig, problems: ProblemList): void {
  rule.repositories.forEach((repository, index) => {
    if (repository.startsWith("localhost/"))
      problems.add(
        `${key}.repositories[${index}]`,
        repository,
        `a registry whose name has a dot or a port, with ${FORM}`,
        "write localhost with its port: without one Kyverno 1.19 takes it for a folder of Docker Hub and would judge that image",
      );
  });
  for (const [at, signer] of signersOf(rule, key)) {
    const claims = [
      ...GITHUB_CLAIMS.filter((name) => signer.github?.[name] !== undefined).map((name) => `${at}.github.${name}`),
      ...Object.keys(signer.keyless?.claims ?? {}).map((name) => `${at}.keyless.claims.${name}`),
    ];
    for (const claim of claims)
      problems.say(
        claim,
        "a claim",
        `none, with ${FORM}`,
        `remove it if the subject says enough, or set ${OTHER}: Kyverno 1.19 ignores claims in this kind of policy (kyverno#15809)`,
      );
    if (signer.key?.secretName !== undefined)
      problems.add(
        `${at}.key.secretName`,
        signer.key.secretName,
        `publicKey or kms, with ${FORM}`,
        `put the public key at publicKey, or set ${OTHER}: this kind of policy reads no Secret`,
      );
  }
  (rule.attestations ?? []).forEach((attestation, position) => {
    const at = `${key}.attestations[${position}]`;
    const signers = attestation.signers ?? rule.signers;
    const isBundle = rule.format === SignatureFormat.SigstoreBundle;
    const isLogged = ({ github, keyless, trust: own }: SignerConfig) =>
      (github || keyless) && !own && !trust?.acceptNoTransparencyLog;
    if (!isBundle && !signers.every(isLogged))
      problems.say(
        at,
        "a statement in cosign's tag format by a signer without a transparency log",
        `statements by keyless signers with a log, or format: ${SignatureFormat.SigstoreBundle}, with ${FORM}`,
        `sign the statement into a bundle, or set ${OTHER}: Kyverno 1.19 refuses every other one here (kyverno#17109)`,
      );
    const translated = conditionsToCel(attestation.conditions ?? [], "");
    if (typeof translated !== "string")
      problems.say(
        `${at}.conditions`,
        translated.found,
        `conditions that can be said in CEL, with ${FORM}`,
        `${translated.fix}; or set ${OTHER}`,
      );
  });
}
