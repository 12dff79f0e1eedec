import { GuardMode } from "../../components/args";
import type { Resolved } from "../../components/posture/types";
import { resolveConfig } from "../../components/resolve";
import type { GuardConfig } from "../../components/schema";
import { type Evidence, readEvidence } from "../cluster/evidence";
import { type Requirement, readPolicies, requirementOf } from "../cluster/policies";
import { gist, rowReason } from "../cluster/rows";
import { type Gap, type ObjectSource, rightsFix } from "../cluster/source";
import { readUsages } from "../cluster/workloads";
import { checkImage } from "../judging/image";
import type { Check } from "./check";
import { type Answer, type Case, openCase, toEffect } from "./predict";
import { type Effect, type ImpactResult, VERDICTS, type Verdict } from "./result";

export interface ImpactRequest {
  readonly stack: string;
  readonly config: GuardConfig;
  readonly namespaces: readonly string[];
  readonly everywhere: boolean;
  readonly rollbacks: boolean;
  readonly check: Check;
  readonly now: Date;
  /** Told after each image that a registry was asked about. */
  readonly progress?: (done: number, of: number) => void;
  /** Stands in for the registries in tests. */
  readonly ask?: typeof checkImage;
}

/** Registries limit clients that hurry. */
const AT_ONCE = 4;

/** What would be refused if the stack's posture were enforced now. */
export async function assessImpact(source: ObjectSource, request: ImpactRequest): Promise<ImpactResult> {
  const resolved = resolveConfig({ ...request.config, mode: GuardMode.Enforce }, { now: request.now });
  const { usages, objects, gaps } = await readUsages(source, request.namespaces, request.now);
  const { policies, gaps: policyGaps } = await readPolicies(source);
  const { evidence, gaps: reportGaps } = await readEvidence(source, policies, request.namespaces);

  const cases = usages
    // A debug container ends with its pod; nothing starts it again.
    .filter(({ place }) => place !== "debug")
    .filter(({ uses }) => request.rollbacks || uses.some(({ when }) => when !== "rollback"))
    .map((usage) => openCase(usage, resolved, request.everywhere, request.now));
  const requirements = new Map(resolved.posture.images.map((entry) => [entry.name, requirementOf(entry, resolved)]));
  const told = (one: Case): Answer | undefined => {
    if (request.check === "always" || !one.entry || !one.usage.reference) return undefined;
    return reportAnswer(evidence.of(one.usage.reference, requirements.get(one.entry.name) as Requirement));
  };
  const answers = new Map(cases.map((one) => [one, one.settled ?? told(one)]));
  const open = cases.filter((one) => undecided(answers.get(one)));
  const asked = request.check === "never" ? new Map() : await askRegistries(open, resolved, request);
  const effects = cases.map((one) => {
    const answer = asked.get(one.usage.image) ?? answers.get(one) ?? NOBODY_TOLD;
    return toEffect(one, one.settled ?? answer, resolved.posture);
  });
  effects.sort(bySeverity);

  const notRead = [...gaps, ...policyGaps, ...reportGaps];
  const images = counts(effects);
  return {
    version: 1,
    kind: "impact",
    stack: request.stack,
    source: source.name,
    askedAt: request.now.toISOString(),
    kyverno: resolved.posture.kyverno.appVersion,
    everywhere: request.everywhere,
    readiness: { ...readiness(effects), images },
    findings: effects,
    notRead,
    notes: notesOf(resolved, { objects, policies: policies.length, staleRows: evidence.staleRows, notRead, request }),
    exitCode: exitCode(images, gaps, objects),
  };
}

function undecided(answer: Answer | undefined): boolean {
  return answer === undefined || (answer.source !== "config" && answer.passes === undefined);
}

const NOBODY_TOLD: Answer = {
  passes: undefined,
  reason: "cannotTell",
  detail: "no report names this image, and no registry was asked",
  source: "none",
};

function reportAnswer(evidence: Evidence | undefined): Answer | undefined {
  if (!evidence) return undefined;
  const { passes, why, policy, at } = evidence;
  const from = `${policy} says so`;
  const toldAt = new Date(at * 1000).toISOString();
  if (passes) return { passes, reason: "signed", detail: from, source: "report", toldAt };
  const detail = gist(why) || from;
  return { passes, reason: passes === false ? rowReason(why) : "cannotTell", detail, source: "report", toldAt };
}

/** Each image once, some at a time. */
async function askRegistries(
  cases: readonly Case[],
  resolved: Resolved,
  { ask = checkImage, progress }: ImpactRequest,
): Promise<Map<string, Answer>> {
  const byImage = new Map(cases.map((one) => [one.usage.image, one]));
  const queue = [...byImage.values()];
  const answers = new Map<string, Answer>();
  const work = async (): Promise<void> => {
    for (let one = queue.shift(); one; one = queue.shift()) {
      const { image, namespace } = one.usage;
      const { digest, judgements } = await ask(image, [namespace], resolved);
      const { passes, reason, detail } = judgements[0]!;
      answers.set(image, {
        passes: passes ?? undefined,
        reason,
        detail,
        source: "registry",
        ...(digest && { digest }),
      });
      progress?.(answers.size, byImage.size);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
}

function bySeverity(a: Effect, b: Effect): number {
  const text = ({ image, namespace, owner }: Effect) => [image, namespace, owner.kind, owner.name].join("\n");
  return VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || (text(a) < text(b) ? -1 : 1);
}

function counts(effects: readonly Effect[]): Record<Verdict, number> {
  const of = (verdict: Verdict) => effects.filter((effect) => effect.verdict === verdict).length;
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, of(verdict)])) as Record<Verdict, number>;
}

/** A workload is ready when everything of it would be admitted, without a bypass. */
function readiness(effects: readonly Effect[]): { percent: number; workloads: number; ready: number } {
  const workloads = new Map<string, boolean>();
  for (const { namespace, owner, verdict, mode } of effects) {
    if (mode !== "enforce" && verdict !== "cannotTell") continue;
    const key = [namespace, owner.kind, owner.name].join("\n");
    workloads.set(key, (workloads.get(key) ?? true) && verdict === "admitted");
  }
  const ready = [...workloads.values()].filter(Boolean).length;
  // Rounded down: 100 is only said when nothing is left.
  return {
    percent: workloads.size === 0 ? 100 : Math.floor((100 * ready) / workloads.size),
    workloads: workloads.size,
    ready,
  };
}

function exitCode(images: Record<Verdict, number>, workloadGaps: readonly Gap[], objects: number): 0 | 1 | 2 {
  if (images.refused > 0) return 1;
  // In saved lists a kind may be left out on purpose; in a cluster a gap hides workloads.
  const blind = workloadGaps.some(({ why }) => why === "forbidden") || objects === 0;
  return images.cannotTell > 0 || blind ? 2 : 0;
}

interface Circumstances {
  readonly objects: number;
  readonly policies: number;
  readonly staleRows: number;
  readonly notRead: readonly Gap[];
  readonly request: ImpactRequest;
}

function notesOf({ posture }: Resolved, { objects, policies, staleRows, notRead, request }: Circumstances): string[] {
  const notes: string[] = [];
  if (objects === 0) notes.push("Nothing was found that makes pods, so this says nothing about enforcing.");
  if (policies === 0) notes.push("No policy of this guard was found, so no report could be used, only registries.");
  if (staleRows > 0)
    notes.push(`${staleRows} rows of reports are older than their policy's last change and were left out.`);
  const fix = rightsFix(notRead);
  if (fix) notes.push(`Rights lack. Whoever administers the cluster can give them: ${fix}`);
  for (const { policy, until } of posture.suspended)
    notes.push(`${policy} is suspended until ${until}: what it would refuse is not in here.`);
  if (request.check === "never") notes.push("No registry was asked (--check never).");
  if (posture.trust.root !== "offline" || policies > 0)
    notes.push(
      "A report tells what was true when it was written; --check always asks the registries about everything.",
    );
  return notes;
}
