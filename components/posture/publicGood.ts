import { X509Certificate } from "node:crypto";

/** Trust anchors of the public-good Sigstore instance in the form that Kyverno 1.10 reads: PEM, one key a log. */
export interface TrustBundle {
  readonly fulcioCertificates: string;
  readonly rekorUrl: string;
  readonly rekorPublicKey: string;
  readonly ctLogPublicKey: string;
}

interface ValidFor {
  readonly start: string;
  readonly end?: string;
}

interface TransparencyLog {
  readonly baseUrl: string;
  readonly publicKey: { readonly rawBytes: string; readonly keyDetails: string; readonly validFor: ValidFor };
}

interface TrustedRoot {
  readonly tlogs: TransparencyLog[];
  readonly ctlogs: TransparencyLog[];
  readonly certificateAuthorities: {
    readonly certChain: { readonly certificates: { readonly rawBytes: string }[] };
    readonly validFor: ValidFor;
  }[];
}

interface TufSeed {
  readonly targets: Record<string, string>;
}

/**
 * The bundle inside `@sigstore/tuf`, which Sigstore's maintainers publish with the current trusted_root.json. Kyverno
 * 1.10's own update client can't read today's root of trust, so the material is pinned with this package's version.
 * Only ECDSA P-256 logs are taken: 1.10 can't read the newer Ed25519 ones.
 */
export function publicGoodBundle(): TrustBundle {
  const { root } = readSeed();
  const rekor = activeLog(root.tlogs, "Rekor");
  return {
    fulcioCertificates: root.certificateAuthorities
      .filter((authority) => authority.validFor.end === undefined)
      .flatMap((authority) => authority.certChain.certificates)
      .map(({ rawBytes }) => new X509Certificate(Buffer.from(rawBytes, "base64")).toString())
      .join(""),
    rekorUrl: rekor.baseUrl,
    rekorPublicKey: toPem(rekor),
    ctLogPublicKey: toPem(activeLog(root.ctlogs, "certificate transparency")),
  };
}

/** Where the bundle comes from, and the dates that its logs state. */
export interface TrustSource {
  readonly name: string;
  readonly version: string;
  /** The update repository that the package has taken it from. */
  readonly mirror: string;
  readonly logs: Record<"rekor" | "ctLog", LogSource>;
}

interface LogSource {
  readonly url: string;
  readonly validFrom: string;
  readonly validUntil?: string;
}

export function publicGoodSource(): TrustSource {
  const { name, version } = require("@sigstore/tuf/package.json") as { name: string; version: string };
  const { mirror, root } = readSeed();
  const source = ({ baseUrl, publicKey: { validFor } }: TransparencyLog): LogSource => ({
    url: baseUrl,
    validFrom: validFor.start,
    ...(validFor.end ? { validUntil: validFor.end } : {}),
  });
  return {
    name,
    version,
    mirror,
    logs: {
      rekor: source(activeLog(root.tlogs, "Rekor")),
      ctLog: source(activeLog(root.ctlogs, "certificate transparency")),
    },
  };
}

/** trusted_root.json as it is. */
export const publicGoodRoot = (): object => readSeed().root;

function readSeed(): { mirror: string; root: TrustedRoot } {
  const seeds: Record<string, TufSeed> = require("@sigstore/tuf/seeds.json");
  const [mirror, seed] = Object.entries(seeds)[0]!;
  return { mirror, root: JSON.parse(Buffer.from(seed.targets["trusted_root.json"]!, "base64").toString("utf8")) };
}

function activeLog(logs: readonly TransparencyLog[], what: string): TransparencyLog {
  const active = logs.filter(
    ({ publicKey }) => publicKey.validFor.end === undefined && publicKey.keyDetails === "PKIX_ECDSA_P256_SHA_256",
  );
  // Kyverno 1.10 reads one key a log; with several active ones somebody has to choose, not the order of a list.
  if (active.length !== 1)
    throw new Error(
      `the Sigstore trusted root has ${active.length} active ${what} logs that Kyverno 1.10 can read, 1 is expected`,
    );
  return active[0]!;
}

function toPem(log: TransparencyLog): string {
  const lines = log.publicKey.rawBytes.match(/.{1,64}/g)!;
  return ["-----BEGIN PUBLIC KEY-----", ...lines, "-----END PUBLIC KEY-----", ""].join("\n");
}
