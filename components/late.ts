import { formatKey } from "./schema";
import { UNKNOWN_VALUE } from "./unknownValue";

/**
 * Settings that need not be known before `up`: Outputs in a program, encrypted values in a stack's file. All others
 * decide which resources exist, or are names of them. `[]` is any entry of a list, `**` everything below.
 */
const LATE: readonly string[] = [
  "images[].signers[].key.publicKey",
  "images[].signers[].key.kms",
  "images[].signers[].certificate.certificate",
  "images[].signers[].certificate.chain",
  "images[].signers[].trust.fulcioCertificates",
  "images[].attestations[].signers[].trust.fulcioCertificates",
  "images[].attestations[].signers[].key.publicKey",
  "images[].attestations[].signers[].key.kms",
  "images[].attestations[].signers[].certificate.certificate",
  "images[].attestations[].signers[].certificate.chain",
  "trust.fulcioCertificates",
  "trust.ctLogPublicKey",
  "trust.rekor.url",
  "trust.rekor.publicKey",
  "kyverno.chart.repository",
  "kyverno.imageRegistry",
  "kyverno.imagePullSecrets[]",
  "kyverno.registrySecrets[]",
  "kyverno.registryIdentity.awsRoleArn",
  "kyverno.registryIdentity.azureClientId",
  "kyverno.registryIdentity.googleServiceAccount",
  "kyverno.registryCa",
  "kyverno.proxy.http",
  "kyverno.proxy.https",
  "kyverno.values.**",
  "monitoring.policyReporter.chart.repository",
  "monitoring.policyReporter.values.**",
  "monitoring.runbookBaseUrl",
  "monitoring.alertLabels.**",
  "bypass.groups[]",
  "bypass.users[]",
  "bypass.serviceAccounts[]",
  "readiness.kubeconfig.**",
  "runbookUrl",
];

const PATTERNS = LATE.map(
  (path) =>
    new RegExp(
      `^${path
        .replace(/[.[\]]/g, "\\$&")
        .replace(/\\\[\\\]/g, "\\[\\d+\\]")
        .replace(/\\\.\*\*$/, "([.[].*)?")}$`,
    ),
);
/** Blocks that may be late as a whole. */
const BLOCKS = LATE.flatMap((path) => (path.endsWith(".values.**") ? [path.slice(0, -3)] : []));

export type Path = readonly (string | number)[];

export function mayBeLate(path: Path): boolean {
  const key = formatKey(path);
  return PATTERNS.some((pattern) => pattern.test(key));
}

/** What stands for a late value until it is known, so that the shape of the whole can be checked before. */
export function placeholder(path: Path): unknown {
  return BLOCKS.includes(formatKey(path)) ? {} : UNKNOWN_VALUE;
}

/** The value with a placeholder for each late one; `refuse` hears of each that must be known. */
export function withoutLate(
  value: unknown,
  isLate: (value: unknown) => boolean,
  refuse: (path: Path) => void,
  may: (path: Path) => boolean = mayBeLate,
  path: Path = [],
): unknown {
  if (isLate(value)) {
    if (!may(path)) refuse(path);
    return placeholder(path);
  }
  if (value === null || typeof value !== "object") return value;
  const inner = (child: unknown, name: string | number) => withoutLate(child, isLate, refuse, may, [...path, name]);
  if (Array.isArray(value)) return value.map(inner);
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, inner(child, name)]));
}
