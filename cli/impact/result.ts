import { z } from "zod";
import { gapSchema } from "../cluster/source";
import { WHEN } from "../cluster/workloads";
import { REASONS } from "../judging/imageReport";

/** What enforcing would do to an image of a workload. */
export const VERDICTS = ["refused", "cannotTell", "bypassed", "reported", "admitted"] as const;
export type Verdict = (typeof VERDICTS)[number];

const IMPACT_REASONS = [...REASONS, "wrongCA", "notVerified", "bypassEnded", "bypassTooLong", "imageVolume"] as const;

const count = z.int().min(0);

export const effectSchema = z.strictObject({
  verdict: z.enum(VERDICTS),
  namespace: z.string(),
  owner: z.strictObject({ kind: z.string(), name: z.string() }),
  image: z.string().describe("As the workload writes it."),
  reference: z.string().optional().describe("As policies see it; absent where it is no image name."),
  digest: z.string().optional().describe("What the name stands for now, where that is known."),
  runningDigests: z.array(z.string()).describe("What nodes say they run under this name."),
  place: z.enum(["container", "volume"]),
  uses: z
    .array(z.strictObject({ when: z.enum(WHEN), kind: z.string(), count, names: z.array(z.string()) }))
    .describe("Where it was found; at most three names each."),
  mode: z.enum(["audit", "enforce", "none"]).describe("What the namespace would be, were the stack enforced."),
  policy: z.string().optional(),
  rule: z.string().optional(),
  entry: z.string().optional().describe("The entry of images that covers it."),
  reason: z.enum([...new Set(IMPACT_REASONS)]),
  detail: z.string(),
  source: z.enum(["config", "report", "registry", "none"]).describe("Who told."),
  toldAt: z.string().optional().describe("When the report was written."),
  bypass: z
    .strictObject({ state: z.enum(["running", "ended", "invalid"]), until: z.string(), reason: z.string() })
    .optional(),
});
/** One image of one workload; `findings` in the output. */
export type Effect = z.infer<typeof effectSchema>;

export const impactSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal("impact"),
  stack: z.string(),
  source: z.string().describe("Context of the kubeconfig, or the files."),
  askedAt: z.string(),
  kyverno: z.string().describe("Version that the stack installs."),
  everywhere: z.boolean().describe("Whether audited namespaces were judged as if they enforced."),
  readiness: z.strictObject({
    percent: z.int().min(0).max(100),
    workloads: count.describe("In namespaces that would enforce."),
    ready: count.describe("Those of whom everything would be admitted."),
    images: z.strictObject({
      refused: count,
      cannotTell: count,
      bypassed: count,
      reported: count,
      admitted: count,
    }),
  }),
  findings: z.array(effectSchema),
  notRead: z
    .array(gapSchema)
    .describe("What could not be read; where it holds workloads, the exit code is 2 at least."),
  notes: z.array(z.string()),
  exitCode: z.union([z.literal(0), z.literal(1), z.literal(2)]),
});
export type ImpactResult = z.infer<typeof impactSchema>;
