import { z } from "zod";

/** What a text field holds: its check, the words of the error, and the fix for mistakes that people make. */
export interface FieldKind {
  readonly pattern: RegExp;
  readonly longest?: number;
  /** The "allowed" line of the error. */
  readonly description: string;
  /** What the fix proposes. */
  readonly example: string;
  /** Refused also where the pattern takes them; the first that matches is the fix. */
  readonly mistakes?: readonly (readonly [text: RegExp, fix: string])[];
}

const LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
/** From 1 to 65535; zeros in front are told elsewhere, with the right spelling. */
export const PORT = "0*(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
const NO_PORT: readonly [RegExp, string] = [
  new RegExp(`^[^/]+:(?!${PORT}(?:/|$))[0-9]+(?=/|$)`),
  "correct the port: they go from 1 to 65535",
];
const HOST = `(?:\\[[0-9A-Fa-f:]+\\]|[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?)(?::${PORT})?`;
const CREDENTIALS: readonly [RegExp, string] = [
  /:\/\/[^/]*@/,
  "write it without user and password: they would stand in the state and in policies for everybody to read",
];

/** A branch (those of a merge queue too), a tag, a pull request, or wildcards. */
const RUN_REF =
  "refs/(?:heads|tags)/(?!.*(?:\\.\\.|//|@\\{))[^\\s~^:\\\\[]+|refs/pull/[0-9*?]+(?:/(?:merge|head|\\*))?|refs/\\*|\\*";
const REF_MISTAKES: NonNullable<FieldKind["mistakes"]> = [
  [/[,;|]\s*(?:refs\/|heads\/|tags\/)|^[\w.-]+[|,]/, "make a signer of its own for each ref"],
  [/^\s|\s$/, "leave out the spaces around it"],
  [/^(heads|tags|pull)\//, "begin it with refs/"],
  [/^v?\d+(\.\d+)+/, "write refs/tags/ before it"],
  [/^(?!refs\/|\*|[0-9a-f]{40}$)[\w./-]+$/, "write refs/heads/ before a branch, refs/tags/ before a tag"],
  [
    /^refs\/(?!heads\/|tags\/|pull\/|\*$)/,
    "write refs/heads/..., refs/tags/... or refs/pull/NUMBER/merge: no run has another ref",
  ],
];

const REPOSITORY_MISTAKES: NonNullable<FieldKind["mistakes"]> = [
  [/:\/\/|^git@|^github\.com\//, "write owner/name alone"],
  [/\.git$/, "leave out .git"],
  [/\/$/, "leave out the / at the end"],
  [/^[^/]*[*?][^/]*\//, "name the owner: anybody may call himself what a wildcard matches"],
];

/** One line for each kind; the schema says which field is of which. */
export const FIELDS = {
  secretName: {
    pattern: new RegExp(`^${LABEL}(?:\\.${LABEL})*$`),
    longest: 253,
    description: "the name of a Secret in Kyverno's namespace: lower-case letters, digits, - and .",
    example: "registry-credentials",
    mistakes: [[/\//, "write the name alone: the Secret must lie in Kyverno's namespace"]],
  },
  systemNamespace: {
    pattern: new RegExp(`^${LABEL}$`),
    longest: 63,
    description: "the exact name of a namespace: lower-case letters, digits and -",
    example: "istio-system",
    mistakes: [
      [
        /[*?]/,
        "name each one (kubectl get namespaces): whether Kyverno is asked at all is chosen by a label selector, which knows no wildcards; where reports are enough, write the pattern in namespaces.overrides with mode: audit",
      ],
    ],
  },
  className: {
    pattern: new RegExp(`^${LABEL}(?:\\.${LABEL})*$`),
    longest: 253,
    description: "the name of a PriorityClass: lower-case letters, digits, - and .",
    example: "system-cluster-critical",
  },
  releaseName: {
    pattern: new RegExp(`^${LABEL}$`),
    // 53 is Helm's limit; the chart's clean-up Job is named <release>-hook-pre-delete, and names of Jobs end at 63.
    longest: 47,
    description:
      "a Helm release of at most 47 characters (Helm allows 53, the chart appends -hook-pre-delete): lower-case letters, digits and -",
    example: "kyverno",
  },
  imageRegistry: {
    pattern: new RegExp(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:${PORT})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`),
    longest: 200,
    description: "a registry in lower case, with a path if need be; without scheme, tag and / at its end",
    example: "mirror.example.com/hub",
    mistakes: [
      NO_PORT,
      [/^[a-z]+:\/\//i, "leave out the scheme: mirror.example.com/hub"],
      [/\/$/, "leave out the / at the end"],
      [/[A-Z]/, "write it in lower case"],
    ],
  },
  repository: {
    pattern: new RegExp(`^[a-z0-9*]([a-z0-9.*-]*[a-z0-9*])?(:${PORT})?(/[a-z0-9._*-]+)+$`),
    longest: 255,
    description: "a registry and repository without tag or digest, in lower case, in which * is a wildcard",
    example: "ghcr.io/ikey168/modulo-*",
    mistakes: [
      [/^\s|\s$/, "leave out the spaces around it"],
      [/\$\{|\{\{/, "write the name itself: nothing is filled in here"],
      [/^[a-z]+:\/\//i, "leave out the scheme: ghcr.io/ikey168/modulo-*"],
      NO_PORT,
      [/^[^/]*:\d+$|^[^/*]*\.[^/*:]*$/, "say which of its repositories: ghcr.io/ikey168/*"],
      [/^[a-z0-9_-]+$/, "write docker.io/library/ before it"],
      [/@sha256:/, "leave out the digest: the whole repository is meant"],
      [/:[^/]*$/, "leave out the tag: the whole repository is meant"],
      [/[A-Z]/, "write it in lower case, as pods have to"],
      [/\?/, "write * in place of ?"],
      [/\/$/, "write /* at its end for everything below it"],
      [
        /(^|\/)[._-]|[._-](\/|$)|\/\//,
        "begin and end each part with a letter, a digit or *: no image is named otherwise",
      ],
    ],
  },
  chartPath: {
    pattern: new RegExp(
      `^(?:oci://${HOST}(?:/[a-z0-9._-]+)+|https?://${HOST}/\\S+\\.tgz|(?:\\.{0,2}/|[A-Za-z]:\\\\|~/)\\S.*|[^:\\s]\\S*\\.tgz)$`,
    ),
    description: "a chart folder (./charts/kyverno), an archive (.tgz) or an oci:// reference without tag",
    example: "oci://registry.example.com/charts/kyverno",
    mistakes: [
      CREDENTIALS,
      [/^[A-Za-z]*[A-Z][A-Za-z]*:\/\//, "write the scheme in lower case"],
      [/^oci:\/\/[^@]*@/, "leave out the digest: the version is the one that the policies are written for"],
      [/^oci:\/\/.*:[^/:]*$/, "leave out the tag: the version is the one that the policies are written for"],
      [/^oci:\/\/.*\/$/, "leave out the / at the end"],
      [/^https?:\/\/.*\.tgz[?#]/, "end it with .tgz"],
      [/^https?:\/\/(?!.*\.tgz$)/, "that is a repository: put it at chart.repository"],
      [/^file:/, "leave out file://: write the folder or the archive itself"],
      [
        /^[a-z0-9+]+:(?!\\)(?<!^(?:oci|https?):)/,
        "put the chart into a folder or an OCI registry: nothing else is read from here",
      ],
      [
        /^(?!oci:|https?:|\.{0,2}\/|~|[A-Za-z]:\\)(?!.*\.tgz$)/,
        "begin a folder with ./ or /, else Helm takes it for the name of a repository",
      ],
    ],
  },
  chartRepository: {
    pattern: new RegExp(`^https?://${HOST}(?:/[^\\s?#]*)?$`),
    description: "the http(s) URL of a Helm repository, the folder that holds its index.yaml",
    example: "https://charts.example.com/kyverno",
    mistakes: [
      CREDENTIALS,
      [
        /^oci:/,
        "an OCI registry is no repository: put the chart's whole reference at chart.path, e.g. oci://registry.example.com/charts/kyverno",
      ],
      [/\.tgz$/, "that is an archive: put it at chart.path"],
      [/index\.yaml$/, "write the folder that holds index.yaml"],
    ],
  },
  webUrl: {
    pattern: new RegExp(`^https?://${HOST}(?:[/?#][^\\s{}]*)?$`),
    longest: 200,
    description: "a web address (http or https), at most 200 characters",
    example: "https://wiki.example.com/image-signing",
    mistakes: [CREDENTIALS],
  },
  serviceUrl: {
    pattern: new RegExp(`^https?://${HOST}(?:/[^\\s{}?#]*)?$`),
    longest: 200,
    description: "the URL of a service, http or https, without query",
    example: "https://rekor.example.com",
    mistakes: [CREDENTIALS],
  },
  proxyUrl: {
    pattern: new RegExp(`^https?://${HOST}(?:/[^\\s{}?#]*)?$`),
    longest: 200,
    description: "the URL of a proxy, http or https",
    example: "http://proxy.example.com:3128",
    mistakes: [CREDENTIALS, [/^[^:/\s]+:\d+/, "write http:// before it"], [/^socks/, "name an HTTP proxy"]],
  },
  noProxy: {
    pattern: /^[A-Za-z0-9.:*/-]+$/,
    longest: 253,
    description: "a host, a domain with a dot before it, or a network, without scheme and comma",
    example: "10.0.0.0/8",
    mistakes: [
      [/^[a-z]+:\/\//, "leave out the scheme"],
      [/^\*$/, "remove the proxy: * would have everything asked directly"],
    ],
  },
  /** What the API server calls a user or a group; Kyverno compares it exactly, and braces would begin an expression. */
  identityName: {
    pattern: /^[^\s{}*?\p{Cc}]([^{}*?\p{Cc}]*[^\s{}*?\p{Cc}])?$/u,
    longest: 256,
    description:
      "a name exactly as the API server has it (kubectl auth whoami), without wildcards, braces and spaces around it",
    example: "oidc:platform-oncall",
    mistakes: [
      [/[*?]/, "name each one: names are compared exactly"],
      [/^\s|\s$/, "leave out the spaces around it"],
      [/@[^,;@]*[,;].*@/, "write one line for each"],
    ],
  },
  serviceAccount: {
    pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    longest: 317,
    description: "namespace:name",
    example: "ops:break-glass",
    mistakes: [
      [/^system:serviceaccount:/, "leave out system:serviceaccount:"],
      [/[*?]/, "name each one: names are compared exactly"],
      [/^[^:/]+\/[^:/]+$/, "write : in place of /"],
      [/^[^:/]+$/, "write its namespace and : before it"],
    ],
  },
  githubRepository: {
    // Users that an enterprise manages are called NAME_COMPANY.
    pattern: /^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\/[A-Za-z0-9_.*?-]+$/,
    longest: 140,
    description: "owner/name as GitHub spells it",
    example: "Ikey168/Modulo",
    mistakes: REPOSITORY_MISTAKES,
  },
  /** Who calls a workflow; a warning says what a wildcard binds. */
  callerRepository: {
    pattern: /^(?:[A-Za-z0-9_*?-]+\/[A-Za-z0-9_.*?-]+|\*)$/,
    longest: 140,
    description: "owner/name as GitHub spells it",
    example: "Ikey168/Modulo",
    mistakes: REPOSITORY_MISTAKES.filter(([mistake]) => !mistake.test("*/x")),
  },
  workflowFile: {
    pattern: /^[^\s/@]+\.ya?ml$/,
    longest: 255,
    description: "the workflow's file name in .github/workflows",
    example: "docker-build.yml",
    mistakes: [
      [/@/, "leave out @ and what follows: it belongs to ref"],
      [/\//, "write the file's name alone: workflows lie in .github/workflows"],
      [/^(?!.*\.ya?ml$)/, "write the file's name with its .yml, not the name that the workflow shows"],
    ],
  },
  githubIssuer: {
    pattern: new RegExp(
      `^https://(token\\.actions\\.githubusercontent\\.com(/[A-Za-z0-9-]+)?|token\\.actions\\.[a-z0-9-]+\\.ghe\\.com|[A-Za-z0-9.-]+(:${PORT})?/_services/token)$`,
    ),
    longest: 200,
    description:
      "the token issuer of a GitHub: https://HOST/_services/token (Enterprise Server), https://token.actions.TENANT.ghe.com, or https://token.actions.githubusercontent.com with /ENTERPRISE if need be",
    example: "https://github.example.com/_services/token",
    mistakes: [
      [/\/$/, "leave out the / at the end: issuers are compared exactly"],
      [/^https:\/\/(?!token\.actions\.)[a-z0-9-]+\.ghe\.com/, "write https://token.actions.TENANT.ghe.com"],
      [/^https:\/\/(?!token\.actions\.)[^/]+$/, "write /_services/token at its end"],
      [/^(?!https:)/, "begin it with https://"],
    ],
  },
  githubEvent: {
    pattern: /^[a-z_*?]+$/,
    longest: 40,
    description: "the name of a GitHub event in lower case",
    example: "push",
  },
  commit: {
    pattern: /^([0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]*[*?][0-9a-f*?]*)$/,
    longest: 64,
    description: "a whole commit: certificates hold all 40 digits",
    example: "0123456789abcdef0123456789abcdef01234567",
    mistakes: [[/^[0-9a-fA-F]{4,39}$/, "write all 40 digits, or put * behind the first ones"]],
  },
  /** What `github.ref` can be in a run, and so what a certificate can hold. */
  gitRef: {
    pattern: new RegExp(`^(?:${RUN_REF})$`),
    longest: 300,
    description: "a full git ref: refs/heads/..., refs/tags/... or refs/pull/NUMBER/merge; * is a wildcard",
    example: "refs/heads/main",
    mistakes: [
      [/^[0-9a-f]{7,64}$/, "write the ref that the run was on: a commit stands only in the ref of a called workflow"],
      ...REF_MISTAKES,
    ],
  },
  /** Where the file that runs was taken from: a called workflow may be pinned by a commit. */
  workflowRef: {
    pattern: new RegExp(`^(?:[0-9a-f]{40}|${RUN_REF})$`),
    longest: 300,
    description:
      "a full git ref (refs/heads/..., refs/tags/..., refs/pull/NUMBER/merge; * is a wildcard), or the whole commit of a called workflow",
    example: "refs/heads/main",
    mistakes: [[/^[0-9a-f]{7,39}$/, "write all 40 digits of the commit"], ...REF_MISTAKES],
  },
  sentence: {
    pattern: /\S/,
    longest: 500,
    description: "a sentence that says why",
    example: "waits for its first signed release",
  },
  predicateType: {
    pattern: /^[^\s{}]*[/:][^\s{}]*$/,
    longest: 200,
    description: "an in-toto predicate type, whole as it stands in the statement",
    example: "https://slsa.dev/provenance/v1",
    // cosign's short names for --type; Kyverno compares with what the statement says.
    mistakes: [
      [/^slsaprovenance(02)?$/, "write https://slsa.dev/provenance/v0.2"],
      [/^slsaprovenance1$/, "write https://slsa.dev/provenance/v1"],
      [/^spdx(json)?$/, "write https://spdx.dev/Document"],
      [/^cyclonedx$/, "write https://cyclonedx.org/bom"],
      [/^vuln$/, "write https://cosign.sigstore.dev/attestation/vuln/v1"],
      [/^link$/, "write https://in-toto.io/Link/v1"],
      [/^custom$/, "write https://cosign.sigstore.dev/attestation/v1"],
    ],
  },
} as const satisfies Record<string, FieldKind>;

export function textOf(kind: keyof typeof FIELDS): z.ZodString {
  return textField(FIELDS[kind]);
}

const LONGEST = 2000;

export function textField(kind: FieldKind): z.ZodString {
  const { pattern, longest = LONGEST, description, example, mistakes = [] } = kind;
  return (
    z
      .string()
      .min(1)
      // Longer ones are shown to no expression.
      .max(longest, { abort: true })
      .regex(pattern)
      .refine((text) => !mistakes.some(([mistake]) => mistake.test(text)))
      .meta({ description, example, mistakes })
  );
}

/** The key-management references that Kyverno 1.10 reads, as sigstore 1.6.3 (pkg/signature/kms) parses them. */
const KMS: Record<string, { readonly pattern: RegExp; readonly description: string; readonly example: string }> = {
  awskms: {
    pattern:
      /^awskms:\/\/[^/\s]*\/((arn:(aws|aws-us-gov):kms:[a-z0-9-]+:\d{12}:key\/)?m?r?k?-?[A-Fa-f0-9]{8}-?([A-Fa-f0-9]{4}-?){3}[A-Fa-f0-9]{12}|(arn:(aws|aws-us-gov):kms:[a-z0-9-]+:\d{12}:)?alias\/[A-Za-z0-9/_-]+)$/,
    description: "awskms://[ENDPOINT]/ and a key ID, alias/NAME, or the ARN of either (partitions aws and aws-us-gov)",
    example: "awskms:///alias/cosign",
  },
  gcpkms: {
    pattern:
      /^gcpkms:\/\/projects\/[^/\s]+\/locations\/[^/\s]+\/keyRings\/[^/\s]+\/cryptoKeys\/[^/\s]+(\/(cryptoKeyVersions|versions)\/[^/\s]+)?$/,
    description: "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K, with /cryptoKeyVersions/V if need be",
    example: "gcpkms://projects/shop/locations/europe-west1/keyRings/ci/cryptoKeys/cosign/cryptoKeyVersions/1",
  },
  azurekms: {
    pattern: /^azurekms:\/\/[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\/[A-Za-z0-9-]+$/,
    description:
      "azurekms://VAULT.vault.azure.net/KEY: the vault's whole host, and no version (Kyverno 1.10 reads none)",
    example: "azurekms://shop.vault.azure.net/cosign",
  },
  hashivault: {
    pattern: /^hashivault:\/\/\w([\w.-]*\w)?$/,
    description: "hashivault://KEY, the name of a transit key without its path",
    example: "hashivault://cosign",
  },
};

const KMS_MISTAKES: FieldKind["mistakes"] = [
  [/^k8s:\/\//, "put the Secret's name at secretName: it must lie in Kyverno's namespace"],
  [/BEGIN|LS0tLS1CRUdJTi/, "put the PEM text at publicKey"],
  [/^\s|\s$/, "leave out the spaces around it"],
  [
    /^(?:awskms:\/\/.*)?arn:aws-cn:/,
    "write the alias or the key's ID, awskms:///alias/NAME: Kyverno 1.10 reads no ARN of aws-cn",
  ],
  [/^arn:/, "write awskms:/// before it"],
  [
    /^awskms:\/\/(?:arn:|alias\/|[0-9a-f]{8}-)/,
    "write three slashes, as in awskms:///alias/cosign: an endpoint stands behind the second",
  ],
  [/^awskms:\/\/[^/]*\/key\//, "leave out key/: awskms:/// and the ID, or the whole ARN"],
  [/^projects\//, "write gcpkms:// before it"],
  [/^(?:gcpkms|azurekms|hashivault):\/\/\//, "write two slashes behind the colon"],
  [
    /^(?:azurekms:\/\/)?https:\/\/[^/]+\.vault\.|^azurekms:\/\/[^/]+\/keys\//,
    "write azurekms://VAULT.vault.azure.net/KEY, without https://, keys/ and version",
  ],
  [/^[A-Za-z]*[A-Z][A-Za-z]*:\/\//, "write the scheme in lower case"],
];

/** A reference of one of the schemes; the words are those of the scheme that it begins with. */
export function kmsReference(): z.ZodString {
  const schemes = Object.values(KMS);
  return z
    .string()
    .max(LONGEST, { abort: true })
    .refine((text) => schemes.some(({ pattern }) => pattern.test(text)))
    .meta({
      description: `a reference that starts with ${Object.keys(KMS).join("://, ")}://`,
      example: KMS.awskms!.example,
      mistakes: KMS_MISTAKES,
      variants: Object.entries(KMS).map(([scheme, { description, example }]) => ({
        prefix: `${scheme}:`,
        description,
        example,
      })),
    });
}

/** What the error says of a text: the words of the variant that it begins like, and the fix of a mistake that it is. */
export function wordsFor(meta: FieldMeta, value: unknown): { description?: string; fix?: string; example?: string } {
  if (typeof value !== "string") return meta;
  const variant = meta.variants?.find(({ prefix }) => value.startsWith(prefix)) ?? meta;
  // No field is longer; what is, is not looked through.
  const fix = value.length > LONGEST ? undefined : meta.mistakes?.find(([mistake]) => mistake.test(value))?.[1];
  return { ...variant, ...(fix ? { fix } : {}) };
}

export interface FieldMeta {
  readonly description?: string;
  readonly example?: string;
  readonly mistakes?: FieldKind["mistakes"];
  readonly variants?: readonly { readonly prefix: string; readonly description: string; readonly example: string }[];
}
