import type { RegistryTrouble } from "../images/registryError";
import type { StoredFormat } from "../signatures/formats";
import { formatTable } from "../terminal/table";

/** Why a verdict is what it is. Documented in docs/signing.md; new ones may be added, none changes its meaning. */
export const REASONS = [
  "signed",
  "exempt",
  "notJudged",
  "uncovered",
  "unsigned",
  "unreadableFormat",
  "wrongSigner",
  "tooFewSigners",
  "wrongCA",
  "expired",
  "noLogEntry",
  "untrustedLog",
  "tampered",
  "wrongDigest",
  "malformedSignature",
  "missingAttestation",
  "malformedReference",
  "cannotTell",
] as const;
export type Reason = (typeof REASONS)[number];

export interface SignatureReport {
  readonly format: StoredFormat;
  readonly by: "certificate" | "key" | "unknown";
  readonly subject?: string;
  readonly issuer?: string;
  readonly claims?: Record<string, string>;
  /** SHA-256 of the certificate. */
  readonly certificate?: string;
  readonly loggedAt?: string;
  readonly malformed?: string;
}

/** What is said of one image in one namespace. */
export interface Judgement {
  readonly namespace: string;
  readonly mode: "audit" | "enforce" | "none";
  readonly policy?: string;
  readonly rule?: string;
  /** The entry of `images` that covers the image. */
  readonly entry?: string;
  readonly verdict: "admitted" | "refused" | "unknown";
  /** Whether the image satisfies the rule, whatever the mode; null when that can't be told. */
  readonly passes: boolean | null;
  readonly kyvernoNow: "admits" | "refuses";
  readonly reason: Reason;
  readonly trouble?: RegistryTrouble;
  readonly detail: string;
}

export interface ImageReport {
  readonly image: string;
  /** The text that Kyverno compares with the policies' patterns. */
  readonly reference?: string;
  readonly digest?: string;
  readonly formats: StoredFormat[];
  readonly signatures: SignatureReport[];
  readonly judgements: Judgement[];
}

export interface CheckReport {
  readonly version: 1;
  readonly stack: string;
  /** The version that the stack installs. */
  readonly kyverno: string;
  /** The version whose rules were applied here. */
  readonly judgedAs: string;
  readonly images: ImageReport[];
  readonly exitCode: 0 | 1 | 2;
}

/** 1 when something would be refused, else 2 when something can't be told. */
export function exitCode(images: readonly ImageReport[]): 0 | 1 | 2 {
  const verdicts = images.flatMap(({ judgements }) => judgements.map(({ verdict }) => verdict));
  return verdicts.includes("refused") ? 1 : verdicts.includes("unknown") ? 2 : 0;
}

export function describeReport({ images }: CheckReport): string {
  const rows = images.flatMap((report) =>
    report.judgements.map((judgement) => [
      report.image,
      judgement.namespace,
      verdictText(judgement),
      judgement.reason,
      [judgement.policy, judgement.rule].filter(Boolean).join("/") || "-",
      report.formats.join(", ") || "none",
      judgement.detail,
    ]),
  );
  const signers = images.flatMap(({ image, signatures }) =>
    signatures.map(({ format, by, subject, issuer, loggedAt, malformed }) => [
      image,
      format,
      malformed ? `unreadable: ${malformed}` : subject || (by === "key" ? "a key" : "not known"),
      issuer || "-",
      loggedAt ?? "-",
    ]),
  );
  const verdicts = formatTable(["IMAGE", "NAMESPACE", "VERDICT", "REASON", "RULE", "FORMAT", "DETAIL"], rows);
  if (signers.length === 0) return verdicts;
  return `${verdicts}\n\n${formatTable(["IMAGE", "FORMAT", "SIGNED BY", "ISSUER", "LOGGED"], signers)}`;
}

function verdictText({ verdict, passes, mode }: Judgement): string {
  return verdict === "admitted" && passes === false && mode === "audit" ? "admitted, reported" : verdict;
}
