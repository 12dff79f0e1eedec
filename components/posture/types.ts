import { z } from "zod";
import {
  AlertName,
  AlertSeverity,
  FailurePolicy,
  GuardMode,
  InstallationFinding,
  KyvernoPlatform,
  KyvernoTarget,
  MetricsScrape,
  PolicyForm,
  SignatureFormat,
  TagHandling,
  TrustRoot,
  UncoveredAction,
} from "../args";
import { POLICY_ROLES } from "../policies/names";

// One truth for what a posture is: the types below and what `posture` reads back are both taken from these shapes. They
// are strict at every depth, since a field that a version does not know may be the one that weakens the posture.

const text = z.string();
const texts = z.array(text);
const mode = z.enum(GuardMode);
const people = z.strictObject({ groups: texts, users: texts });
const chart = z.strictObject({ name: text, repository: text.optional() });

/** Namespaces that share a mode. `system` has none: Kyverno is never asked about it. */
const namespaceGroup = z.strictObject({
  name: text,
  mode: z.union([mode, z.literal("excluded")]),
  /** Names or wildcards; an empty list with the name `applications` is every namespace that no other group has. */
  patterns: texts,
  /** Narrower patterns that another group has taken out of this one. */
  except: texts,
});
export type NamespaceGroup = z.infer<typeof namespaceGroup>;

const keylessSigner = z.strictObject({
  kind: z.literal("keyless"),
  issuer: text,
  subject: text,
  claims: z.record(text, text),
  /** Fingerprints of another Fulcio's certificates than the stack's; then there is no log. */
  roots: texts.optional(),
});
export type KeylessSigner = z.infer<typeof keylessSigner>;

const keySigner = z.strictObject({
  kind: z.literal("key"),
  /** Fingerprint of the public key. */
  publicKey: text.optional(),
  kms: text.optional(),
  secretName: text.optional(),
  signatureAlgorithm: z.enum(["sha256", "sha512"]),
});
export type KeySigner = z.infer<typeof keySigner>;

/** By fingerprints. */
const certificateSigner = z.strictObject({
  kind: z.literal("certificate"),
  certificate: text.optional(),
  chain: text.optional(),
});
export type CertificateSigner = z.infer<typeof certificateSigner>;

const signer = z.discriminatedUnion("kind", [keylessSigner, keySigner, certificateSigner]);
export type Signer = z.infer<typeof signer>;

const attestation = z.strictObject({
  predicateType: text,
  signers: z.array(signer),
  threshold: z.number(),
  conditions: z.array(z.record(text, z.unknown())),
});
export type Attestation = z.infer<typeof attestation>;

const imageRule = z.strictObject({
  name: text,
  repositories: texts,
  signers: z.array(signer),
  threshold: z.number(),
  /** How the signatures are stored; absent for Cosign's tag format. */
  format: z.enum([SignatureFormat.SigstoreBundle, SignatureFormat.Notation]).optional(),
  signatureRepository: text.optional(),
  attestations: z.array(attestation),
});
export type ImageRule = z.infer<typeof imageRule>;

const exemptImages = z.strictObject({ repositories: texts, reason: text });
export type ExemptImages = z.infer<typeof exemptImages>;

/** Namespaces of one rule: those that match `include` (empty: all) and none of `exclude`. */
const namespaceScope = z.strictObject({ name: text, include: texts, exclude: texts });
export type NamespaceScope = z.infer<typeof namespaceScope>;

const policyPlan = z.strictObject({
  /** metadata.name in the cluster. */
  name: text,
  /** The name that people use for it: in `suspend` and in the bypass annotation. */
  role: z.enum(POLICY_ROLES),
  mode,
  failurePolicy: z.enum(FailurePolicy),
  timeoutSeconds: z.number(),
  scopes: z.array(namespaceScope),
  uncovered: z.enum(UncoveredAction),
});
export type PolicyPlan = z.infer<typeof policyPlan>;

const bypass = people.extend({ maxHours: z.number() });
export type Bypass = z.infer<typeof bypass>;

const suspension = z.strictObject({ policy: text, reason: text, until: text });
export type Suspension = z.infer<typeof suspension>;

const trust = z.strictObject({
  root: z.enum(TrustRoot),
  /** Fingerprints of what is trusted, absent where nothing is. */
  fulcioCertificates: texts,
  rekor: z.strictObject({ url: text, publicKey: text }).optional(),
  ctLogPublicKey: text.optional(),
  /** Whose anchors count for bundles, with the fingerprint of its root; absent for the public ones. */
  tuf: z.strictObject({ mirror: text, root: text }).optional(),
  /** Where these stop being valid, ISO date, if they do. */
  validUntil: text.optional(),
});
export type Trust = z.infer<typeof trust>;

const registryIdentity = z.strictObject({
  awsRoleArn: text.optional(),
  azureClientId: text.optional(),
  googleServiceAccount: text.optional(),
});
export type RegistryIdentity = z.infer<typeof registryIdentity>;

const proxy = z.strictObject({ http: text.optional(), https: text.optional(), noProxy: texts });
export type Proxy = z.infer<typeof proxy>;

const acknowledgedFinding = z.strictObject({ finding: z.enum(InstallationFinding), reason: text });

const kyvernoPlan = z.strictObject({
  /** Only where somebody else runs Kyverno. */
  install: z.literal(false).optional(),
  /** Only where Kyverno stays when the stack goes. */
  retainOnDelete: z.literal(true).optional(),
  /** What is lived with there. */
  acknowledged: z.array(acknowledgedFinding).optional(),
  target: z.enum(KyvernoTarget),
  /** Only where the policies have another form than ClusterPolicy. */
  policies: z.literal(PolicyForm.ImageValidatingPolicy).optional(),
  chartVersion: text,
  appVersion: text,
  chart,
  namespace: text,
  releaseName: text,
  replicas: z.union([z.literal(1), z.literal(3)]),
  priorityClassName: text,
  imageRegistry: text,
  imagePullSecrets: texts,
  registrySecrets: texts,
  /** Cloud identities, absent where none is given. */
  registryIdentity: registryIdentity.optional(),
  /** Fingerprints of the authorities of registries, absent where only the public ones count. */
  registryCa: texts.optional(),
  proxy: proxy.optional(),
  platform: z.enum(KyvernoPlatform).optional(),
  hostNetwork: z.boolean().optional(),
  /** Only where the chart cleans up by kubectl. */
  kubectlImage: text.optional(),
  memoryLimit: text,
  /** Absent where anybody may call Kyverno's webhooks. */
  apiServerAddresses: texts.optional(),
  timeoutSeconds: z.number(),
  /** Paths of chart values that security rests on and that the user has changed, with permission. */
  unsafeValues: texts,
  /** The one namespace whose PolicyExceptions count; absent for none. */
  exceptionsNamespace: text.optional(),
});
export type KyvernoPlan = z.infer<typeof kyvernoPlan>;

/** What the API server itself refuses, whatever becomes of Kyverno. */
const backstop = z.strictObject({
  /** Where no pod starts while Kyverno's webhooks are not registered as they must be; empty for nowhere. */
  scopes: z.array(namespaceScope),
  /** Who may write namespaced Kyverno policies. */
  policyAuthors: people,
  /** Most containers of a pod; absent where no pod is too large. */
  maxContainers: z.number().optional(),
});
export type Backstop = z.infer<typeof backstop>;

const alertSetting = z.strictObject({
  alert: z.enum(AlertName),
  severity: z.enum(AlertSeverity),
  for: text,
  /** Absent where the alert has none. */
  threshold: z.number().optional(),
});
export type AlertSetting = z.infer<typeof alertSetting>;

const policyReporter = z.strictObject({ chart, chartVersion: text, namespace: text, ui: z.boolean() });
export type PolicyReporter = z.infer<typeof policyReporter>;

/** How the guard is watched; it has no part in what gets in. */
const monitoring = z.strictObject({
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
  /** Those that are on. */
  alerts: z.array(alertSetting),
  policyReporter: z.union([z.literal("off"), policyReporter]),
});
export type Monitoring = z.infer<typeof monitoring>;

/**
 * What will be enforced, fully defaulted and serialisable. Everything else is derived from it: the resources, the
 * rendered YAML, the first lines of every preview. Key material is named by fingerprint; the PEM itself is in
 * {@link Materials}.
 */
export const postureShape = z.strictObject({
  mode,
  namespaces: z.array(namespaceGroup),
  images: z.array(imageRule),
  exempt: z.array(exemptImages),
  tags: z.enum(TagHandling),
  policies: z.array(policyPlan),
  bypass: z.union([z.literal("off"), bypass]),
  suspended: z.array(suspension),
  trust,
  kyverno: kyvernoPlan,
  /** Absent where the API server itself refuses nothing. */
  backstop: backstop.optional(),
  runbookUrl: text,
  extraPolicies: texts,
  /** Absent where nothing is monitored. */
  monitoring: monitoring.optional(),
});
export type Posture = z.infer<typeof postureShape>;

/** PEM text by fingerprint, and what else is too long for a posture. */
export interface Materials {
  readonly pem: Record<string, string>;
  readonly extraPolicies: Record<string, unknown>[];
  /** The user's chart values. */
  readonly values: Record<string, unknown>;
  /** The user's values of policy-reporter's chart. */
  readonly policyReporterValues: Record<string, unknown>;
}

export interface Resolved {
  readonly posture: Posture;
  readonly materials: Materials;
  readonly warnings: string[];
}
