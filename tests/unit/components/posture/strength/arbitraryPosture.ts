import * as fc from "fast-check";
import type { ImageRule, NamespaceScope, PolicyPlan, Posture, Signer } from "../../../../../components/posture/types";
import { postureOf, settings } from "../../../../support/settings";

const BASE = postureOf(settings());

/** Few characters, so that random patterns overlap often. */
export const pattern = fc
  .array(fc.constantFrom("a", "b", "*", "?"), { minLength: 1, maxLength: 4 })
  .map((chars) => chars.join(""));

const patterns = (minLength: number) => fc.array(pattern, { minLength, maxLength: 2 });

const signer: fc.Arbitrary<Signer> = fc.oneof(
  fc.record({
    kind: fc.constant("keyless" as const),
    issuer: fc.constantFrom("", "i"),
    subject: pattern,
    claims: fc.constantFrom<Record<string, string>[]>({}, { c: "a*" }),
  }),
  fc.record({
    kind: fc.constant("key" as const),
    publicKey: fc.constantFrom("k1", "k2"),
    signatureAlgorithm: fc.constant("sha256" as const),
  }),
  fc.record({ kind: fc.constant("certificate" as const), chain: fc.constantFrom("c1", "c2") }),
);

const image: fc.Arbitrary<ImageRule> = fc
  .record({
    repositories: patterns(1),
    signers: fc.array(signer, { minLength: 1, maxLength: 3 }),
    threshold: fc.integer({ min: 1, max: 2 }),
    attested: fc.option(fc.record({ signer, conditions: fc.subarray([{ all: [1] }, { all: [2] }]) })),
  })
  .map(({ attested, threshold, ...rest }) => ({
    ...rest,
    name: rest.repositories.join(),
    threshold: Math.min(threshold, rest.signers.length),
    attestations: attested
      ? [{ predicateType: "t", signers: [attested.signer], threshold: 1, conditions: attested.conditions }]
      : [],
  }));

const scope: fc.Arbitrary<NamespaceScope> = fc.record({
  name: fc.constant("s"),
  include: patterns(0),
  exclude: patterns(0),
});

const policy: fc.Arbitrary<PolicyPlan> = fc.record({
  name: fc.constant("p"),
  role: fc.constantFrom(
    "require-signed-images",
    "verify-image-signatures",
    "audit-unsigned-images",
    "guard-image-verdicts",
    "guard-image-bypass",
  ),
  mode: fc.constantFrom("audit", "enforce"),
  failurePolicy: fc.constantFrom("Fail", "Ignore"),
  timeoutSeconds: fc.constantFrom(10, 30),
  scopes: fc.array(scope, { minLength: 1, maxLength: 2 }),
  uncovered: fc.constantFrom("report", "refuse"),
});

/** Also such as no configuration leads to: the order must hold for whatever a preview contains. */
export const posture: fc.Arbitrary<Posture> = fc
  .record({
    images: fc.array(image, { maxLength: 2 }),
    exempt: fc.array(fc.record({ repositories: patterns(1), reason: fc.constant("r") }), { maxLength: 1 }),
    policies: fc.array(policy, { maxLength: 3 }),
    tags: fc.constantFrom("pin" as const, "keep" as const),
    bypass: fc.oneof(
      fc.constant("off" as const),
      fc.record({
        groups: fc.subarray(["g", "h"]),
        users: fc.subarray(["u"]),
        maxHours: fc.integer({ min: 1, max: 3 }),
      }),
    ),
    suspended: fc.array(
      fc.record({
        policy: fc.constantFrom("all", "verify-image-signatures"),
        reason: fc.constant("r"),
        until: fc.constantFrom("2026-07-01T00:00:00Z", "2026-08-01T00:00:00Z"),
      }),
      { maxLength: 1 },
    ),
    roots: fc.subarray(["f1", "f2"]),
    rekor: fc.option(fc.constantFrom("r1", "r2"), { nil: undefined }),
    unsafeValues: fc.subarray(["v", "w"]),
  })
  .map(({ roots, rekor, unsafeValues, ...rest }) => ({
    ...BASE,
    ...rest,
    trust: { root: "custom", fulcioCertificates: roots, ...(rekor ? { rekor: { url: "u", publicKey: rekor } } : {}) },
    kyverno: { ...BASE.kyverno, unsafeValues },
  }));

/**
 * One small change of one aspect. Random pairs are nearly always "mixed"; a walk of edits finds the others.
 */
export const edit: fc.Arbitrary<(from: Posture) => Posture> = posture.chain((other) =>
  fc
    .constantFrom("images", "exempt", "policies", "tags", "bypass", "suspended", "trust", "kyverno", "none")
    .map((key) => (from: Posture) => (key === "none" ? from : { ...from, [key]: other[key as keyof Posture] })),
);
