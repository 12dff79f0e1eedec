import { KyvernoTarget, SignatureFormat, TrustRoot } from "../args";
import type { ImageRuleConfig, SignerConfig } from "../schema";
import type { Context } from "./context";
import { KYVERNO_LINES } from "./kyvernoLines";
import { writesCelPolicies } from "./policyForm";

/** Something that an entry or one of its signers has and that its format can't keep. */
interface Unfit {
  readonly key: string;
  readonly found: string;
  readonly allowed: string;
  readonly fix: string;
}

type Signers = readonly (readonly [key: string, signer: SignerConfig])[];

/** What keeps an entry from its format, each with the way out. */
export function checkFormat(rule: ImageRuleConfig, key: string, { config, problems }: Context): void {
  const { format = SignatureFormat.Cosign } = rule;
  if (format === SignatureFormat.Cosign) return;
  const signers: Signers = [
    ...rule.signers.map((signer, index) => [`${key}.signers[${index}]`, signer] as const),
    ...(rule.attestations ?? []).flatMap((attestation, position) =>
      (attestation.signers ?? []).map(
        (signer, index) => [`${key}.attestations[${position}].signers[${index}]`, signer] as const,
      ),
    ),
  ];
  const unfit =
    format === SignatureFormat.Notation ? unfitForNotation(rule, key, signers) : unfitForBundles(key, signers, config);
  if (rule.signatureRepository)
    unfit.push({
      key: `${key}.signatureRepository`,
      found: JSON.stringify(rule.signatureRepository),
      allowed: `nothing, with format: ${format}`,
      fix: "remove it: signatures of this format are looked for beside the image and nowhere else",
    });
  for (const { key: where, found, allowed, fix } of unfit) problems.say(where, found, allowed, fix);
}

/** Kyverno reads one signing policy: any signature that leads to one of the certificates, whoever it names. */
function unfitForNotation(rule: ImageRuleConfig, key: string, signers: Signers): Unfit[] {
  const format = "with format: notation";
  return [
    ...signers.flatMap(([at, { certificate, ...others }]): Unfit[] => {
      const kind = (["github", "keyless", "key"] as const).find((one) => others[one] !== undefined);
      if (kind)
        return [
          {
            key: `${at}.${kind}`,
            found: `a signer of the kind ${kind}`,
            allowed: `certificate, ${format}`,
            fix: "name the certificate that signs, or the authority that issues it",
          },
        ];
      if (!certificate?.certificate || !certificate.chain) return [];
      return [
        {
          key: `${at}.certificate`,
          found: "certificate and chain",
          allowed: `one of the two, ${format}`,
          fix: "keep certificate for that signer alone, chain for whomever the authority issues certificates to: of both Kyverno would believe either",
        },
      ];
    }),
    ...(rule.attestations?.length
      ? [
          {
            key: `${key}.attestations`,
            found: `${rule.attestations.length} of them`,
            allowed: `none, ${format}`,
            fix: "remove them, or sign image and statements with cosign",
          },
        ]
      : []),
  ];
}

/** The verifier of bundles looks at issuer and subject or at a key, and takes its anchors from one update repository. */
function unfitForBundles(key: string, signers: Signers, config: Context["config"]): Unfit[] {
  const format = "with format: sigstoreBundle";
  const target = config.kyverno?.target ?? KyvernoTarget.V1_10;
  if (!KYVERNO_LINES[target].readsBundles)
    return [
      {
        key: `${key}.format`,
        found: JSON.stringify(SignatureFormat.SigstoreBundle),
        allowed: `${SignatureFormat.Cosign} or ${SignatureFormat.Notation}, with kyverno.target: "${target}"`,
        fix: `set kyverno.target: "${KyvernoTarget.V1_19}", or sign with cosign 3's --new-bundle-format=false --use-signing-config=false`,
      },
    ];
  const isKeyless = signers.some(([, { github, keyless }]) => github || keyless);
  const { root = TrustRoot.PublicGood, tuf } = config.trust ?? {};
  return [
    ...signers.flatMap(([at, signer]) => unfitSigner(at, signer, format)),
    ...(isKeyless && root === TrustRoot.Offline
      ? [
          {
            key: `${key}.format`,
            found: JSON.stringify(SignatureFormat.SigstoreBundle),
            allowed: `${SignatureFormat.Cosign}, with trust.root: offline and keyless signers`,
            fix: "set trust.root: custom, with trust.tuf inside your network; or sign with a key",
          },
        ]
      : []),
    ...(isKeyless && root === TrustRoot.Custom && !tuf
      ? [
          {
            key: "trust.tuf",
            found: "nothing",
            allowed: `mirror and root, for keyless signers ${format}`,
            fix: "name the update repository of your Sigstore instance: Kyverno believes no other anchors for bundles",
          },
        ]
      : []),
  ];
}

/** Claims of a workflow that its subject does not have. */
const GITHUB_CLAIMS = ["trigger", "callerRepository", "callerRef"] as const;

function unfitSigner(at: string, { github, keyless, certificate, trust }: SignerConfig, format: string): Unfit[] {
  const claims = [
    ...GITHUB_CLAIMS.filter((name) => github?.[name] !== undefined).map((name) => `${at}.github.${name}`),
    ...Object.keys(keyless?.claims ?? {}).map((name) => `${at}.keyless.claims.${name}`),
  ];
  return [
    ...claims.map((claim) => ({
      key: claim,
      found: "a claim",
      allowed: `none, ${format}`,
      fix: "remove it if the subject says enough: Kyverno 1.19 reads no claims in a bundle; or sign with format: cosign",
    })),
    ...(certificate
      ? [
          {
            key: `${at}.certificate`,
            found: "a signer of the kind certificate",
            allowed: `github, keyless or key, ${format}`,
            fix: "name a key: of a certificate Kyverno 1.19 would believe whomever the stack's Fulcio knows",
          },
        ]
      : []),
    ...(trust
      ? [
          {
            key: `${at}.trust`,
            found: "a Fulcio of its own",
            allowed: `none, ${format}`,
            fix: "remove it: Kyverno has one update repository for all bundles (trust.tuf)",
          },
        ]
      : []),
  ];
}

/** The update repository is read for bundles alone, and by one line. */
export function checkTuf({ config, problems }: Context): void {
  if (!config.trust?.tuf) return;
  const { root = TrustRoot.PublicGood } = config.trust;
  const target = config.kyverno?.target ?? KyvernoTarget.V1_10;
  if (!KYVERNO_LINES[target].readsBundles)
    problems.say(
      "trust.tuf",
      `an update repository, with kyverno.target: "${target}"`,
      "nothing",
      `remove it: only kyverno.target: "${KyvernoTarget.V1_19}" reads one`,
    );
  else if (root !== TrustRoot.Custom)
    problems.say(
      "trust.tuf",
      `an update repository, with trust.root: ${root}`,
      "nothing, or trust.root: custom",
      root === TrustRoot.Offline
        ? "remove it: with offline nothing but the registry may be asked"
        : "remove it: the public instance has its own, which Kyverno reads by itself",
    );
  else if (!writesCelPolicies(config) && !config.images.some(({ format }) => format === SignatureFormat.SigstoreBundle))
    problems.warn("trust.tuf: no entry of images has the format sigstoreBundle, so nothing reads it");
}
