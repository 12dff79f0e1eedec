import { distance } from "fastest-levenshtein";
import { z } from "zod";
import {
  AlertName,
  AlertSeverity,
  FailurePolicy,
  GuardMode,
  InstallationFinding,
  KyvernoPlatform,
  KyvernoReplicas,
  KyvernoTarget,
  MetricsScrape,
  PolicyForm,
  SignatureAlgorithm,
  SignatureFormat,
  TagHandling,
  TrustRoot,
  UncoveredAction,
} from "./args";
import { type FieldMeta, kmsReference, PORT, textOf, wordsFor } from "./fields";
import { placesOf, valueHint } from "./hints";
import { describeValue, type Problem } from "./problems";
import { UNKNOWN_VALUE } from "./unknownValue";

/**
 * The configuration after Outputs are known. The schema is strict everywhere: a key that it does not know is an error,
 * because in Kyverno 1.10 an unknown identity field is pruned silently and then anybody may sign.
 * Each description is the "allowed" line of the error message; `example` is what the fix proposes.
 */
const text = (description: string, example: string) => z.string().min(1).meta({ description, example });
const oneOf = <T extends Record<string, string>>(values: T) =>
  z
    .enum(values)
    .meta({ description: `one of ${Object.values(values).join(", ")}`, example: Object.values(values)[0]! });
const wholeNumber = (min: number, max: number, example: number) =>
  z
    .int()
    .min(min)
    .max(max)
    .meta({ description: `a whole number from ${min} to ${max}`, example: String(example) });
const flag = () => z.boolean().meta({ description: "true or false", example: "false" });
const listOf = <T extends z.ZodType>(item: T, what: string, example: string) =>
  z.array(item).meta({ description: `a list of ${what}`, example });
const nonEmptyListOf = <T extends z.ZodType>(item: T, what: string, example: string) =>
  z
    .array(item)
    .min(1)
    .meta({ description: `a list of ${what} with at least one entry`, example });
const block = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape).meta({ description: `a block with some of the keys ${Object.keys(shape).join(", ")}` });
const anyBlock = (description: string) => z.record(z.string(), z.any()).meta({ description });

const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const NAMESPACE_PATTERN = /^[a-z0-9*?]([-a-z0-9*?]*[a-z0-9*?])?$/;

const namespaceName = () =>
  z
    .string()
    .max(63)
    .regex(NAMESPACE)
    .meta({ description: "a namespace name: lower-case letters, digits and -", example: "kyverno" });
const namespacePattern = () =>
  z
    .string()
    .max(63)
    .regex(NAMESPACE_PATTERN)
    .meta({ description: "a namespace name, in which * and ? are wildcards", example: "prod-*" });
const repository = () => textOf("repository");

const githubSigner = block({
  repository: textOf("githubRepository"),
  workflow: textOf("workflowFile"),
  ref: textOf("workflowRef"),
  issuer: textOf("githubIssuer").optional(),
  trigger: textOf("githubEvent").optional(),
  callerRepository: textOf("callerRepository").optional(),
  callerRef: textOf("gitRef").optional(),
});

const claims = block({
  githubWorkflowTrigger: textOf("githubEvent").optional(),
  githubWorkflowSha: textOf("commit").optional(),
  githubWorkflowName: text("a workflow's display name", "Docker build").optional(),
  githubWorkflowRepository: textOf("callerRepository").optional(),
  githubWorkflowRef: textOf("gitRef").optional(),
});

const keylessSigner = block({
  issuer: text("the issuer's https URL", "https://token.actions.githubusercontent.com"),
  subject: z
    .string()
    .min(1)
    .max(1000)
    .meta({ description: "the identity in the certificate, at most 1000 characters", example: "release@example.com" }),
  claims: claims.optional(),
});

const keySigner = block({
  publicKey: text("a public key in PEM", "-----BEGIN PUBLIC KEY-----...").optional(),
  kms: kmsReference().optional(),
  secretName: textOf("secretName").optional(),
  signatureAlgorithm: oneOf(SignatureAlgorithm).optional(),
});

const certificateSigner = block({
  certificate: text("a certificate in PEM", "-----BEGIN CERTIFICATE-----...").optional(),
  chain: text("certificates in PEM, root last", "-----BEGIN CERTIFICATE-----...").optional(),
});

const signer = block({
  github: githubSigner.optional(),
  keyless: keylessSigner.optional(),
  key: keySigner.optional(),
  certificate: certificateSigner.optional(),
  trust: block({
    fulcioCertificates: text("certificates in PEM", "-----BEGIN CERTIFICATE-----..."),
    acceptNoTransparencyLog: flag(),
  }).optional(),
  acceptWildcardReason: textOf("sentence").optional(),
});

const attestation = block({
  predicateType: textOf("predicateType"),
  signers: nonEmptyListOf(signer, "signers", "- github: {...}").optional(),
  conditions: listOf(anyBlock("a Kyverno condition"), "Kyverno conditions", "- all: [...]").optional(),
});

const imageRule = block({
  name: z
    .string()
    // Kyverno cuts generated rule names at 63 characters; longer names could then be the same.
    .max(29)
    .regex(NAMESPACE)
    .meta({ description: "lower-case letters, digits and -, at most 29 characters", example: "modulo" }),
  repositories: nonEmptyListOf(repository(), "repositories", "- ghcr.io/ikey168/modulo-*"),
  signers: nonEmptyListOf(signer, "signers", "- github: {repository: ..., workflow: ..., ref: ...}"),
  threshold: wholeNumber(1, 100, 1).optional(),
  format: oneOf(SignatureFormat).optional(),
  signatureRepository: repository().optional(),
  attestations: listOf(attestation, "attestations", "- predicateType: https://slsa.dev/provenance/v1").optional(),
  acceptWildcardReason: textOf("sentence").optional(),
});

const trust = block({
  root: oneOf(TrustRoot).optional(),
  fulcioCertificates: text("certificates in PEM", "-----BEGIN CERTIFICATE-----...").optional(),
  rekor: block({
    url: textOf("serviceUrl"),
    publicKey: text("a public key in PEM", "-----BEGIN PUBLIC KEY-----..."),
  }).optional(),
  ctLogPublicKey: text("a public key in PEM", "-----BEGIN PUBLIC KEY-----...").optional(),
  tuf: block({
    mirror: textOf("serviceUrl"),
    root: text("the text of a root.json", '{"signed": {"_type": "root", ...}, "signatures": [...]}'),
  }).optional(),
  acceptNoTransparencyLog: flag().optional(),
  strict: flag().optional(),
});

const chart = () =>
  block({
    path: textOf("chartPath").optional(),
    repository: textOf("chartRepository").optional(),
  });

const kyverno = block({
  install: flag().optional(),
  retainOnDelete: flag().optional(),
  acknowledged: listOf(
    block({ finding: oneOf(InstallationFinding), reason: textOf("sentence") }),
    "findings that are lived with",
    "- {finding: policyExceptions, reason: ...}",
  ).optional(),
  target: oneOf(KyvernoTarget).optional(),
  policies: oneOf(PolicyForm).optional(),
  namespace: namespaceName().optional(),
  releaseName: textOf("releaseName").optional(),
  chart: chart().optional(),
  replicas: z
    .union([z.literal(KyvernoReplicas.One), z.literal(KyvernoReplicas.Three)])
    .meta({ description: "1, or 3 for high availability (Kyverno 1.10 refuses 2)", example: "3" })
    .optional(),
  priorityClassName: textOf("className").optional(),
  imageRegistry: textOf("imageRegistry").optional(),
  imagePullSecrets: listOf(textOf("secretName"), "Secret names", "- registry-credentials").optional(),
  registrySecrets: listOf(textOf("secretName"), "Secret names", "- registry-credentials").optional(),
  registryIdentity: block({
    awsRoleArn: z
      .string()
      .regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:role\/\S+$/)
      .meta({ description: "the ARN of an IAM role", example: "arn:aws:iam::123456789012:role/kyverno" })
      .optional(),
    azureClientId: z
      .string()
      .regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/)
      .meta({ description: "the client ID of a managed identity", example: "00000000-0000-0000-0000-000000000000" })
      .optional(),
    googleServiceAccount: z
      .string()
      .regex(/^[^\s@]+@[^\s@]+\.gserviceaccount\.com$/)
      .meta({
        description: "the e-mail of a Google service account",
        example: "kyverno@project.iam.gserviceaccount.com",
      })
      .optional(),
  }).optional(),
  registryCa: text("certificates in PEM", "-----BEGIN CERTIFICATE-----...").optional(),
  proxy: block({
    http: textOf("proxyUrl").optional(),
    https: textOf("proxyUrl").optional(),
    noProxy: listOf(textOf("noProxy"), "hosts, domains and networks", "- 10.0.0.0/8").optional(),
  }).optional(),
  platform: oneOf(KyvernoPlatform).optional(),
  hostNetwork: flag().optional(),
  kubectlImage: z
    .string()
    .regex(
      new RegExp(
        `^[a-z0-9.-]+(:${PORT})?/[a-z0-9._/-]+(:[\\w.-]+|@sha256:[0-9a-f]{64}|:[\\w.-]+@sha256:[0-9a-f]{64})$`,
      ),
    )
    .meta({
      description: "an image with kubectl and sh, with its registry and a tag or digest",
      example: "docker.io/alpine/k8s:1.31.5",
    })
    .optional(),
  policyExceptionsNamespace: namespaceName().optional(),
  memoryLimit: z
    .string()
    .regex(/^([1-9][0-9]*Gi|[1-9][0-9]{3,}Mi|[2-9][0-9]{2}Mi|1(2[89]|[3-9][0-9])Mi)$/)
    .meta({ description: "a quantity in Mi or Gi, at least 128Mi (what the chart requests)", example: "512Mi" })
    .optional(),
  apiServerAddresses: nonEmptyListOf(
    z
      .string()
      .regex(new RegExp(`^(?!.*/0+$)(?:${z.regexes.cidrv4.source}|${z.regexes.cidrv6.source})`))
      .meta({
        description: "an address range in CIDR notation",
        example: "10.0.0.0/28",
        mistakes: [
          [/\/0+$/, "name the API server's addresses: to let everybody call Kyverno, leave the key out"],
          [/^\d+(\.\d+){3}$/, "write /32 behind a single address"],
          [/^[0-9a-f]*:[0-9a-f:]*$/i, "write /128 behind a single address"],
        ],
      }),
    "address ranges in CIDR notation",
    "- 10.0.0.0/28",
  ).optional(),
  timeoutSeconds: wholeNumber(30, 3600, 600).optional(),
  values: z.record(z.string(), z.any()).meta({ description: "a block of chart values", example: "{}" }).optional(),
  allowUnsafeValues: flag().optional(),
});

/** As Prometheus reads it: units from years to milliseconds, each at most once and in this order. */
const DURATION = /^(?=[0-9])([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$/;
const DURATION_MISTAKES: FieldMeta["mistakes"] = [
  [/^\d+$/, "write the unit behind it, such as s, m or h"],
  [/^\d*[.,]\d+[a-z]+$/, "write whole numbers, 1h30m in place of 1.5h"],
  [/^-?PT?\d/i, "write 1h30m in place of PT1H30M"],
  [/\s|^-|[A-Za-z]{3}/, "write it like 10m, without spaces, signs and words"],
];
const duration = (example: string) =>
  z
    .string()
    .max(20)
    .regex(DURATION)
    .meta({ description: "a Prometheus duration such as 30s, 5m or 1h30m", example, mistakes: DURATION_MISTAKES });
const positiveDuration = (example: string) =>
  z.string().max(20).regex(DURATION).regex(/[1-9]/).meta({
    description: "a Prometheus duration above zero, such as 30s, 5m or 1h30m",
    example,
    mistakes: DURATION_MISTAKES,
  });

const labelsOf = (name: RegExp, value: RegExp, description: string, example: string) =>
  z.record(z.string().max(317).regex(name), z.string().max(200).regex(value)).meta({ description, example });

const monitoring = block({
  prometheusOperator: flag().optional(),
  scrape: oneOf(MetricsScrape).optional(),
  scrapeInterval: positiveDuration("30s").optional(),
  evaluationInterval: positiveDuration("30s").optional(),
  window: positiveDuration("10m").optional(),
  scanWindow: positiveDuration("2h").optional(),
  objectLabels: labelsOf(
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/,
    /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
    "a block of Kubernetes labels",
    "{release: kube-prometheus-stack}",
  ).optional(),
  alertLabels: labelsOf(
    // Prometheus keeps names with two underscores to itself, and expands templates in values.
    /^(?!__|alertname$|severity$)[A-Za-z_][A-Za-z0-9_]*$/,
    /^(?!.*\{\{)[\s\S]+$/,
    "a block of Prometheus labels other than alertname and severity: names of letters, digits and _, plain texts",
    "{team: platform}",
  ).optional(),
  runbookBaseUrl: z
    .string()
    .max(200)
    .regex(/^https?:\/\/[^\s{}#]+$/)
    .meta({
      description: "a web address without #, at most 200 characters",
      example: "https://wiki.example.com/image-alerts",
    })
    .optional(),
  dashboards: flag().optional(),
  alerts: listOf(
    block({
      alert: oneOf(AlertName),
      enabled: flag().optional(),
      severity: oneOf(AlertSeverity).optional(),
      for: duration("5m").optional(),
      threshold: z.number().positive().meta({ description: "a number above zero", example: "3" }).optional(),
    }),
    "alerts",
    "- {alert: ImageRefused, threshold: 5}",
  ).optional(),
  policyReporter: block({
    enabled: flag().optional(),
    namespace: namespaceName().optional(),
    ui: flag().optional(),
    chart: chart().optional(),
    values: z.record(z.string(), z.any()).meta({ description: "a block of chart values", example: "{}" }).optional(),
  }).optional(),
});

/** Who may do something. */
const people = {
  groups: listOf(textOf("identityName"), "group names", "- platform-oncall").optional(),
  users: listOf(textOf("identityName"), "user names", "- alice@example.com").optional(),
  serviceAccounts: listOf(textOf("serviceAccount"), "service accounts", "- ops:break-glass").optional(),
};

export const guardSchema = block({
  mode: oneOf(GuardMode).optional(),
  images: nonEmptyListOf(imageRule, "image entries", "- name: modulo"),
  namespaces: block({
    system: listOf(textOf("systemNamespace"), "namespace names", "- istio-system").optional(),
    production: listOf(namespacePattern(), "namespace names or wildcards", "- prod-*").optional(),
    development: listOf(namespacePattern(), "namespace names or wildcards", "- dev-*").optional(),
    overrides: listOf(
      block({
        namespace: namespacePattern(),
        mode: oneOf(GuardMode),
        reason: textOf("sentence").optional(),
      }),
      "overrides",
      "- {namespace: team-a, mode: audit}",
    ).optional(),
  }).optional(),
  uncovered: block({
    production: oneOf(UncoveredAction).optional(),
    applications: oneOf(UncoveredAction).optional(),
    exempt: listOf(
      block({
        repositories: nonEmptyListOf(repository(), "repositories", "- registry.k8s.io/*"),
        reason: textOf("sentence"),
        acceptWildcardReason: textOf("sentence").optional(),
      }),
      "exemptions",
      "- {repositories: [...], reason: ...}",
    ).optional(),
  }).optional(),
  tags: oneOf(TagHandling).optional(),
  bypass: block({ ...people, maxHours: wholeNumber(1, 168, 4).optional() }).optional(),
  suspend: listOf(
    block({
      policy: text("the name of a policy, or all", "verify-image-signatures"),
      reason: textOf("sentence"),
      until: z.iso.datetime({ offset: true }).meta({
        description: "a time with zone, ISO 8601",
        example: "2026-12-01T18:00:00Z",
        mistakes: [
          [/^\d{4}-\d\d-\d\d$/, "write the time and the zone too: ...T18:00:00Z"],
          [/^\d{4}-\d\d-\d\dT[\d:.]+$/, "write the zone at its end, Z for UTC"],
        ],
      }),
    }),
    "suspensions",
    "- {policy: ..., reason: ..., until: ...}",
  ).optional(),
  trust: trust.optional(),
  failure: block({
    enforce: oneOf(FailurePolicy).optional(),
    audit: oneOf(FailurePolicy).optional(),
    enforceTimeoutSeconds: wholeNumber(10, 30, 30).optional(),
    auditTimeoutSeconds: wholeNumber(10, 30, 10).optional(),
  }).optional(),
  backstop: block({
    enabled: flag().optional(),
    policyAuthors: block(people).optional(),
    maxContainers: wholeNumber(1, 1000, 50).optional(),
  }).optional(),
  kyverno: kyverno.optional(),
  runbookUrl: textOf("webUrl").optional(),
  extraPolicies: listOf(
    anyBlock("a ClusterPolicy manifest"),
    "ClusterPolicy manifests",
    "- apiVersion: kyverno.io/v1",
  ).optional(),
  monitoring: monitoring.optional(),
  readiness: block({
    kubeconfig: z
      .union([z.string().min(1), z.record(z.string(), z.any())])
      .meta({ description: "a kubeconfig (YAML, JSON or a block) or the path of one", example: "~/.kube/config" })
      .optional(),
    context: text("a context of that kubeconfig", "prod").optional(),
    canary: flag().optional(),
    signedImage: text("an image with tag or digest that is signed", "ghcr.io/ikey168/modulo-backend:1.0.0").optional(),
    timeoutSeconds: wholeNumber(5, 1800, 180).optional(),
  }).optional(),
});

/** The guard's configuration with every Output resolved. */
export type GuardConfig = z.infer<typeof guardSchema>;
export type SignerConfig = z.infer<typeof signer>;
export type ImageRuleConfig = z.infer<typeof imageRule>;

/** Checks shape and types. What needs more than one key is checked by `resolvePosture`. */
export function parseGuardConfig(raw: unknown): { config: GuardConfig } | { problems: Problem[] } {
  const result = guardSchema.safeParse(raw);
  if (result.success) return { config: result.data };
  // What is not known yet is checked when it is.
  const issues = result.error.issues.filter(({ path }) => valueAt(raw, path as (string | number)[]) !== UNKNOWN_VALUE);
  if (issues.length === 0) return { config: raw as GuardConfig };
  const problems = issues.flatMap((issue) => toProblems(issue, raw));
  // Two checks of one text can fail together; the person has one thing to mend.
  return {
    problems: problems.filter((problem, index) => problems.findIndex(({ key }) => key === problem.key) === index),
  };
}

function toProblems(issue: z.core.$ZodIssue, raw: unknown): Problem[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(shapeAt(path));
    return issue.keys.map((key) => ({
      key: formatKey([...path, key]),
      found: "a key that nothing reads",
      allowed: `the keys ${known.join(", ")}`,
      fix: unknownKeyFix(key, known, formatKey([...path, key])),
    }));
  }
  const value = valueAt(raw, path);
  const { description, example, fix } = wordsFor(metaAt(path), value);
  const key = formatKey(path);
  const missing = value === undefined;
  return [
    {
      key,
      found: SECRET_KEYS.includes(key) && !missing ? "something else (not shown)" : describeValue(value),
      allowed: description ?? issue.message,
      fix:
        fix ??
        valueHint(schemaAt(path), String(path.at(-1) ?? key), value) ??
        `${missing ? "add" : "change"} ${key}${example ? `, e.g. ${example}` : ""}`,
    },
  ];
}

/** What stands here may be a credential, also when it has the wrong type. */
const SECRET_KEYS = ["readiness.kubeconfig"];

/** Settings of Kyverno, or of another version of it, that people look for in these places, and why they are not there. */
const ELSEWHERE: readonly (readonly [key: RegExp, fix: string])[] = [
  [
    /(subject|issuer)RegExp$/,
    "write subject and issuer, in which * is a wildcard: Kyverno 1.10 knows no regular expressions there, would drop the field, and anybody could sign",
  ],
  [
    /\.(key|certificate)\.rekor$/,
    "remove it: keys and certificates are checked without a log; the log of keyless signers is trust.rekor",
  ],
  [
    /\.signers\[\d+\]\.trust\.(rekor|ctLogPublicKey)$/,
    "remove it: Kyverno 1.10 reads one key of each log for all signers, at trust; signatures of this one can only be taken without a log",
  ],
  [/\.keyless\.(rekor|ctlog)$/, "put it at trust: Kyverno 1.10 takes one log for all signers"],
  [
    /\.keyless\.roots$/,
    "put the certificates at trust.fulcioCertificates, or at the signer's trust.fulcioCertificates where other signers have another Fulcio",
  ],
  [/\.(ignoreTlog|ignoreSCT|pubkey|useCache|imageRegistryCredentials)$/, "remove it: Kyverno 1.10 does not know it"],
  [
    /\.(signers|attestations)\[\d+\](\..*)?\.(repository|signatureRepository)$/,
    "put it at the entry's signatureRepository: the signatures and statements of an entry lie in one place",
  ],
  [
    /^(images|uncovered\.exempt)\[\d+\]\.(except|exclude|skipImageReferences)$/,
    'name the repositories that are meant instead: Kyverno 1.10 has no "all but", and asks the signers of every entry that matches an image',
  ],
  [/^images\[\d+\]\.imageReferences$/, "write repositories, without tags: tags and digests are covered alike"],
  [/^images\[\d+\]\.(mutateDigest|verifyDigest)$/, "use tags: pin or keep, for the whole stack"],
  [/^images\[\d+\]\.required$/, "use mode and namespaces.overrides"],
  [/^images\[\d+\]\.attestors$/, "write signers"],
  [
    /\.github\.environment$/,
    "remove it: the environment stands in no field of a certificate that Kyverno 1.10 reads; protect the branch or tag that it is limited to, and name that at ref",
  ],
  [/\.github\.(repo|repositoryName)$/, "write repository"],
  [/\.key\.secret$/, "write secretName: the Secret must lie in Kyverno's namespace"],
];

function unknownKeyFix(key: string, known: readonly string[], path: string): string {
  const elsewhere = ELSEWHERE.find(([pattern]) => pattern.test(path));
  if (elsewhere) return elsewhere[1];
  const nearest = [...known].sort(
    (a, b) => distance(key.toLowerCase(), a.toLowerCase()) - distance(key.toLowerCase(), b.toLowerCase()),
  )[0];
  const isTypo =
    nearest !== undefined && distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, nearest.length / 3);
  if (isTypo) return `did you mean ${nearest}?`;
  const places = placesOf(guardSchema, key);
  return places.length > 0 && places.length <= 3 ? `it belongs elsewhere: ${places.join(" or ")}` : `remove ${key}`;
}

/** `images[0].signers[1].key`, or `configuration` for the whole. */
export function formatKey(path: readonly (string | number)[]): string {
  if (path.length === 0) return "configuration";
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}

function valueAt(raw: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<string | number, unknown> | undefined)?.[part], raw);
}

/** The schema node at a path, without its `optional` wrapper. */
function schemaAt(path: readonly (string | number)[]): z.ZodType {
  let node: z.ZodType = guardSchema;
  for (const part of path) {
    node = unwrap(node);
    if (node instanceof z.ZodArray) node = node.element as z.ZodType;
    else if (node instanceof z.ZodObject) node = (node.shape as Record<string, z.ZodType>)[String(part)] ?? node;
  }
  return unwrap(node);
}

function unwrap(node: z.ZodType): z.ZodType {
  return node instanceof z.ZodOptional ? unwrap(node.unwrap() as z.ZodType) : node;
}

function shapeAt(path: readonly (string | number)[]): Record<string, unknown> {
  const node = schemaAt(path);
  return node instanceof z.ZodObject ? node.shape : {};
}

function metaAt(path: readonly (string | number)[]): FieldMeta {
  return (schemaAt(path).meta() ?? {}) as FieldMeta;
}
