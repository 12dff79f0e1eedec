import type { Json, Manifest } from "../../components/kubernetes/manifest";

/**
 * The ClusterPolicy of Kyverno 1.10.7 by hand: the part that the guard may use, and the checks that Kyverno's own
 * admission makes. Fields that came later (1.11 and on) are unknown here.
 */
type Check = (value: unknown, at: string) => string[];

const fail = (at: string, what: string): string[] => [`${at}: ${what}`];
const text: Check = (value, at) => (typeof value === "string" && value !== "" ? [] : fail(at, "is no text"));
const bool: Check = (value, at) => (typeof value === "boolean" ? [] : fail(at, "is no boolean"));
const anything: Check = () => [];
const oneOf =
  (...values: unknown[]): Check =>
  (value, at) =>
    values.includes(value) ? [] : fail(at, `is ${JSON.stringify(value)}, not one of ${values.join(", ")}`);
const whole =
  (min: number, max: number): Check =>
  (value, at) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? []
      : fail(at, `is not a whole number from ${min} to ${max}`);
const list =
  (item: Check): Check =>
  (value, at) =>
    Array.isArray(value) && value.length > 0
      ? value.flatMap((child, index) => item(child, `${at}[${index}]`))
      : fail(at, "is no list with entries");
const block =
  (required: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value, at) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return fail(at, "is no block");
    const known = { ...required, ...optional };
    return [
      ...Object.keys(required).flatMap((key) => (key in value ? [] : fail(`${at}.${key}`, "is missing"))),
      ...Object.entries(value).flatMap(([key, child]) =>
        known[key] ? known[key](child, `${at}.${key}`) : fail(`${at}.${key}`, "is unknown"),
      ),
    ];
  };

/** Exactly one of these keys. */
const exclusive =
  (choices: Record<string, Check>, beside: Record<string, Check> = {}): Check =>
  (value, at) => [
    ...block({}, { ...choices, ...beside })(value, at),
    ...(Object.keys((value as Json | null) ?? {}).filter((key) => key in choices).length === 1
      ? []
      : fail(at, `needs exactly one of ${Object.keys(choices).join(", ")}`)),
  ];

const log = block({ url: text });
const keyless: Check = (value, at) => [
  ...block(
    { issuer: text, subject: text },
    { roots: text, rekor: log, additionalExtensions: (claims, where) => claimsCheck(claims, where) },
  )(value, at),
  ...("rekor" in (value as Json) || "roots" in (value as Json) ? [] : fail(at, "has neither rekor nor roots")),
];
const CLAIMS = ["Trigger", "Sha", "Name", "Repository", "Ref"].map((name) => `githubWorkflow${name}`);
const claimsCheck: Check = block({}, Object.fromEntries(["oidcIssuer", ...CLAIMS].map((key) => [key, text])));
const keys = exclusive(
  { publicKeys: text, kms: text, secret: block({ name: text, namespace: text }) },
  { signatureAlgorithm: oneOf("sha256", "sha512"), rekor: log },
);
const certificates = block({}, { cert: text, certChain: text, rekor: log });
const attestorSet: Check = (value, at) => {
  const { count, entries } = value as { count?: number; entries?: unknown[] };
  return [
    // Left out it would mean all.
    ...block({ count: whole(1, 100), entries: list(exclusive({ keys, certificates, keyless })) })(value, at),
    ...((count ?? 1) <= (entries?.length ?? 0) ? [] : fail(`${at}.count`, "is more than there are entries")),
  ];
};
const imageReference: Check = (value, at) => [
  ...text(value, at),
  ...(String(value).includes("{{") ? fail(at, "may hold no variable") : []),
];
const verification = block(
  { imageReferences: list(imageReference), mutateDigest: bool, verifyDigest: bool, required: bool },
  {
    type: oneOf("Cosign"),
    repository: text,
    attestors: list(attestorSet),
    attestations: list(block({ predicateType: text, attestors: list(attestorSet) }, { conditions: list(anything) })),
  },
);

const plainList = list((value, at) => [
  ...text(value, at),
  ...(String(value).includes("{{") ? fail(at, "may hold no variable") : []),
]);
/** On DELETE Kyverno shows a rule the old object: nothing may keep that from going. */
const operations = list(oneOf("CREATE", "UPDATE"));
/** Labels are no part of it: a pod's author could flip them. */
const annotations: Check = (value, at) =>
  Object.entries(value as Json).flatMap(([key, pattern]) => [...text(key, at), ...text(pattern, at)]);
const match = block({
  any: list(block({ resources: block({ kinds: plainList, operations }, { namespaces: plainList, annotations }) })),
});
const exclude = block({
  any: list(block({ resources: block({}, { kinds: plainList, namespaces: plainList, annotations }) })),
});
const condition = block({ key: anything, operator: oneOf("Equals"), value: anything }, { message: text });
const preconditions = block({ all: list(condition) });
const denial = block({ any: list(condition) }, { all: list(condition) });
const rule = exclusive(
  {
    verifyImages: list(verification),
    validate: block({ deny: block({ conditions: denial }) }),
    mutate: block({ patchesJson6902: text }),
  },
  {
    name: (value, at) => [
      ...text(value, at),
      ...(String(value).length <= 63 ? [] : fail(at, `is longer than 63 characters: ${value}`)),
    ],
    match,
    exclude,
    preconditions,
  },
);

const policy = block({
  apiVersion: oneOf("kyverno.io/v1"),
  kind: oneOf("ClusterPolicy"),
  metadata: block({ name: text }, { labels: anything, annotations: anything }),
  spec: block({
    validationFailureAction: oneOf("Audit", "Enforce"),
    failurePolicy: oneOf("Fail", "Ignore"),
    background: bool,
    webhookTimeoutSeconds: whole(10, 30),
    rules: list(rule),
  }),
});

/** What Kyverno 1.10.7 would not take, and what the guard promises besides; empty when all is well. */
export function complaintsOf(manifest: Manifest): string[] {
  const name = manifest.metadata.name;
  const spec = manifest.spec as Json;
  const rules = (spec.rules ?? []) as Json[];
  const names = rules.map((entry) => entry.name);
  const readsCaller = /request\.(userInfo|roles|clusterRoles)|serviceAccountName/.test(JSON.stringify(rules));
  const audits = spec.validationFailureAction === "Audit";
  const entries = rules.flatMap((entry) => (entry.verifyImages ?? []) as Json[]);
  return [
    ...policy(manifest, name),
    ...(new Set(names).size === names.length ? [] : fail(name, `has two rules of one name: ${names.join(", ")}`)),
    ...(readsCaller && spec.background ? fail(name, "reads the caller, which a background scan does not have") : []),
    ...(audits && entries.some((entry) => entry.mutateDigest) ? fail(name, "must not mutate in audit") : []),
    ...(audits && entries.some((entry) => entry.required || entry.verifyDigest)
      ? fail(name, "requires a verdict in audit, which falsifies the reports")
      : []),
    ...rules.flatMap((entry) => (entry.match ? [] : fail(`${name}.${entry.name}`, "matches nothing"))),
  ];
}
