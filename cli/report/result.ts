import { z } from "zod";
import { gapSchema } from "../cluster/source";
import { WHEN } from "../cluster/workloads";

/** What is known about an image in a namespace. Documented in docs/report.md. */
export const STATES = ["notSigned", "noSigner", "cannotTell", "notJudged", "signed"] as const;
export type State = (typeof STATES)[number];

const count = z.int().min(0);
const percent = z.int().min(0).max(100).nullable();
const perState = z.strictObject({
  notSigned: count,
  noSigner: count,
  cannotTell: count,
  notJudged: count,
  signed: count,
});

export const imageSchema = z.strictObject({
  image: z.string().describe("As policies see it."),
  namespace: z.string(),
  state: z.enum(STATES),
  violation: z.boolean().describe("Whether the policy of the namespace fails it; it is refused where that enforces."),
  bypassed: z.boolean().describe("Whether a running bypass lets it in."),
  workloads: z.array(z.string()).describe("Who has it, KIND/NAME."),
  pods: count,
  when: z.array(z.enum(WHEN)),
  policy: z.string().optional(),
  detail: z.string(),
  scannedAt: z.string().optional(),
});
export type ReportImage = z.infer<typeof imageSchema>;

export const namespaceSchema = z.strictObject({
  name: z.string(),
  mode: z.enum(["enforce", "audit", "none"]),
  percent,
  workloads: count,
  images: perState,
});
export type ReportNamespace = z.infer<typeof namespaceSchema>;

export const policySchema = z.strictObject({
  name: z.string(),
  role: z.string(),
  mode: z.enum(["enforce", "audit"]),
  ready: z.boolean(),
  background: z.boolean().describe("Whether it scans what is there; one that does not leaves no rows."),
  results: z.strictObject({ pass: count, fail: count, warn: count, error: count, skip: count }),
});
export type ReportPolicy = z.infer<typeof policySchema>;

export const bypassSchema = z.strictObject({
  namespace: z.string(),
  workload: z.string(),
  policies: z.array(z.string()),
  state: z.enum(["running", "ended", "invalid"]),
  until: z.string(),
  reason: z.string(),
  images: z.array(z.string()),
  pods: count,
});
export type ReportBypass = z.infer<typeof bypassSchema>;

const place = z.strictObject({ image: z.string(), namespace: z.string() });

export const trendSchema = z.strictObject({
  since: z.string(),
  percentBefore: percent,
  newlyFailing: z.array(place),
  fixed: z.array(place).describe("Failed then, is signed now."),
  gone: z.array(place).describe("Failed then, is not in use now."),
  bypassesStarted: z.array(z.string()),
  bypassesOver: z.array(z.string()),
});
export type Trend = z.infer<typeof trendSchema>;

export const reportSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal("report"),
  source: z.string().describe("Context of the kubeconfig, or the files."),
  madeAt: z.string(),
  summary: z.strictObject({
    percent: percent.describe("Signed, of all that the namespaces' policies demand signatures of; null for none."),
    workloads: count,
    images: perState,
    violations: count,
    bypasses: z.strictObject({ running: count, ended: count, invalid: count }),
  }),
  images: z.array(imageSchema),
  namespaces: z.array(namespaceSchema),
  policies: z.array(policySchema),
  bypasses: z.array(bypassSchema),
  trend: trendSchema.optional(),
  notRead: z.array(gapSchema),
  limits: z.array(z.string()).describe("What this report can't know."),
});
export type Report = z.infer<typeof reportSchema>;
