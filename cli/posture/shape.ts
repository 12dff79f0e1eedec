import { z } from "zod";
import {
  AlertName,
  AlertSeverity,
  FailurePolicy,
  GuardMode,
  KyvernoPlatform,
  KyvernoTarget,
  MetricsScrape,
  TagHandling,
  TrustRoot,
  UncoveredAction,
} from "../../components/args";
import { POLICY_ROLES } from "../../components/policies/names";
import type { Posture } from "../../components/posture/types";
import { UNKNOWN_VALUE } from "../../components/unknownValue";
import { type Part, parts } from "./result";

const text = z.string();
const texts = z.array(z.string());
const mode = z.enum(GuardMode);
const scopes = z.array(z.strictObject({ name: text, include: texts, exclude: texts }));

const signer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("keyless"), issuer: text, subject: text, claims: z.record(text, text) }),
  z.strictObject({
    kind: z.literal("key"),
    publicKey: text.optional(),
    kms: text.optional(),
    secretName: text.optional(),
    signatureAlgorithm: z.enum(["sha256", "sha512"]),
  }),
  z.strictObject({ kind: z.literal("certificate"), certificate: text.optional(), chain: text.optional() }),
]);

/** Strict at every depth: a field that this version does not know may be the one that weakens the posture. */
const posture: z.ZodType<Posture> = z.strictObject({
  mode,
  namespaces: z.array(
    z.strictObject({ name: text, mode: z.union([mode, z.literal("excluded")]), patterns: texts, except: texts }),
  ),
  images: z.array(
    z.strictObject({
      name: text,
      repositories: texts,
      signers: z.array(signer),
      threshold: z.number(),
      signatureRepository: text.optional(),
      attestations: z.array(
        z.strictObject({
          predicateType: text,
          signers: z.array(signer),
          threshold: z.number(),
          conditions: z.array(z.record(text, z.unknown())),
        }),
      ),
    }),
  ),
  exempt: z.array(z.strictObject({ repositories: texts, reason: text })),
  tags: z.enum(TagHandling),
  policies: z.array(
    z.strictObject({
      name: text,
      role: z.enum(POLICY_ROLES),
      mode,
      failurePolicy: z.enum(FailurePolicy),
      timeoutSeconds: z.number(),
      scopes,
      uncovered: z.enum(UncoveredAction),
    }),
  ),
  bypass: z.union([z.literal("off"), z.strictObject({ groups: texts, users: texts, maxHours: z.number() })]),
  suspended: z.array(z.strictObject({ policy: text, reason: text, until: text })),
  trust: z.strictObject({
    root: z.enum(TrustRoot),
    fulcioCertificates: texts,
    rekor: z.strictObject({ url: text, publicKey: text }).optional(),
    ctLogPublicKey: text.optional(),
    validUntil: text.optional(),
  }),
  kyverno: z.strictObject({
    target: z.enum(KyvernoTarget),
    chartVersion: text,
    appVersion: text,
    chart: z.strictObject({ name: text, repository: text.optional() }),
    namespace: text,
    releaseName: text,
    replicas: z.union([z.literal(1), z.literal(3)]),
    priorityClassName: text,
    imageRegistry: text,
    imagePullSecrets: texts,
    registrySecrets: texts,
    registryIdentity: z
      .strictObject({
        awsRoleArn: text.optional(),
        azureClientId: text.optional(),
        googleServiceAccount: text.optional(),
      })
      .optional(),
    registryCa: texts.optional(),
    proxy: z.strictObject({ http: text.optional(), https: text.optional(), noProxy: texts }).optional(),
    platform: z.enum(KyvernoPlatform).optional(),
    hostNetwork: z.boolean().optional(),
    kubectlImage: text,
    memoryLimit: text,
    apiServerAddresses: texts.optional(),
    timeoutSeconds: z.number(),
    unsafeValues: texts,
  }),
  backstop: z
    .strictObject({
      scopes,
      policyAuthors: z.strictObject({ groups: texts, users: texts }),
      maxContainers: z.number().optional(),
    })
    .optional(),
  runbookUrl: text,
  extraPolicies: texts,
  monitoring: z
    .strictObject({
      prometheusOperator: z.boolean(),
      scrape: z.enum(MetricsScrape),
      scrapeInterval: text,
      evaluationInterval: text,
      window: text,
      scanWindow: text,
      objectLabels: z.record(text, text),
      alertLabels: z.record(text, text),
      runbookBaseUrl: text,
      dashboards: z.boolean(),
      alerts: z.array(
        z.strictObject({
          alert: z.enum(AlertName),
          severity: z.enum(AlertSeverity),
          for: text,
          threshold: z.number().optional(),
        }),
      ),
      policyReporter: z.union([
        z.literal("off"),
        z.strictObject({
          chart: z.strictObject({ name: text, repository: text.optional() }),
          chartVersion: text,
          namespace: text,
          ui: z.boolean(),
        }),
      ]),
    })
    .optional(),
});

export type Checked = { readonly posture: Posture } | { readonly lacks: Part[][] };

/** What a preview calls a posture, or what keeps it from being one. Values are never repeated, only where they are. */
export function checkPosture(value: unknown): Checked {
  const hidden = hiddenValues(value, "posture");
  if (hidden.length > 0) return { lacks: hidden };
  const parsed = posture.safeParse(value);
  if (parsed.success) return { posture: parsed.data };
  const places = parsed.error.issues.flatMap(({ path, ...issue }) => {
    const where = ["posture", ...path].join(".");
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => `${where}.${key}`) : [where];
  });
  return {
    lacks: [...new Set(places)].map(
      (place) =>
        parts`${place} is not what this version writes: use the version of image-signing-guard that the stack uses`,
    ),
  };
}

/** Places whose value the engine does not know yet or does not show. */
function hiddenValues(value: unknown, where: string): Part[][] {
  if (typeof value === "string") {
    if (value.includes(UNKNOWN_VALUE)) return [parts`${where} will be known only after the update`];
    return value === "[secret]"
      ? [parts`${where} is a secret, so previews don't show it: pass public keys as plain text`]
      : [];
  }
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, child]) => hiddenValues(child, `${where}.${key}`));
}
