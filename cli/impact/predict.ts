import { GuardMode } from "../../components/args";
import type { ImageRule, Posture, Resolved } from "../../components/posture/types";
import type { Usage } from "../cluster/workloads";
import { parseReference } from "../images/reference";
import { type Treatment, treatmentOf } from "../judging/rules";
import type { Effect, Verdict } from "./result";

/** What somebody found out about the signatures of an image. */
export interface Answer {
  readonly passes: boolean | undefined;
  readonly reason: Effect["reason"];
  readonly detail: string;
  readonly source: Effect["source"];
  readonly toldAt?: string;
  readonly digest?: string;
}

/** A usage, how the stack treats it, and what is settled before anybody looks at signatures. */
export interface Case {
  readonly usage: Usage;
  readonly treatment?: Treatment;
  readonly refuses: boolean;
  readonly settled?: Answer;
  /** The entry whose signers must be held against the image, where it comes to that. */
  readonly entry?: ImageRule;
}

export function openCase(usage: Usage, { posture }: Resolved, everywhere: boolean, now: Date): Case {
  if (usage.reference === undefined) {
    const detail = "no image name; nothing starts from it";
    return { usage, refuses: false, settled: { passes: undefined, reason: "cannotTell", detail, source: "config" } };
  }
  const treatment = treatmentOf(posture, parseReference(usage.image), usage.namespace);
  const refuses = treatment.mode === GuardMode.Enforce || (everywhere && treatment.mode === GuardMode.Audit);
  const settled = settle(usage, treatment, refuses, posture, now);
  return {
    usage,
    treatment,
    refuses,
    ...(settled ? { settled } : {}),
    ...(treatment.entry ? { entry: treatment.entry } : {}),
  };
}

function settle(usage: Usage, treatment: Treatment, refuses: boolean, posture: Posture, now: Date): Answer | undefined {
  const config = (passes: boolean, reason: Effect["reason"], detail: string): Answer => ({
    passes,
    reason,
    detail,
    source: "config",
  });
  if (treatment.mode !== "none") {
    const ended = refuses ? endedBypass(usage, posture, now) : undefined;
    if (ended) return config(false, ended.reason, ended.detail);
    if (usage.place === "volume") return config(false, "imageVolume", "image volumes can't be verified");
  }
  if (!treatment.settled) return undefined;
  const { passes, reason, detail } = treatment.settled;
  return config(passes, reason, detail);
}

/** guard-image-bypass refuses new pods whose bypass does not run, signed or not. */
function endedBypass(
  { bypass }: Usage,
  posture: Posture,
  now: Date,
): { reason: "bypassEnded" | "bypassTooLong"; detail: string } | undefined {
  if (!bypass || posture.bypass === "off") return undefined;
  if (bypass.state === "ended")
    return { reason: "bypassEnded", detail: `its bypass ended ${bypass.until}: revoke it or grant it again` };
  if (bypass.state === "invalid") {
    const detail = "its bypass lacks a reason or a time, which guard-image-bypass refuses: revoke it";
    return { reason: "bypassEnded", detail };
  }
  const hours = (Date.parse(bypass.until) - now.getTime()) / 3_600_000;
  if (hours <= posture.bypass.maxHours) return undefined;
  const detail = `its bypass runs until ${bypass.until}, longer than the ${posture.bypass.maxHours} h that the stack allows`;
  return { reason: "bypassTooLong", detail };
}

/** Whether a bypass keeps the rule from looking. */
function isBypassed({ usage, treatment }: Case, posture: Posture): boolean {
  if (usage.bypass?.state !== "running" || posture.bypass === "off") return false;
  const role = posture.policies.find(({ name }) => name === treatment?.policy)?.role;
  return role !== undefined && usage.bypass.policies.includes(role);
}

export function toEffect(one: Case, answer: Answer, posture: Posture): Effect {
  const { usage, treatment } = one;
  const { bypass } = usage;
  const digest = answer.digest ?? /@(sha256:[0-9a-f]{64})$/.exec(usage.image)?.[1];
  return {
    verdict: verdictOf(one, answer, posture),
    namespace: usage.namespace,
    owner: usage.owner,
    image: usage.image,
    ...(usage.reference ? { reference: usage.reference } : {}),
    ...(digest ? { digest } : {}),
    runningDigests: usage.runningDigests,
    place: usage.place === "volume" ? "volume" : "container",
    uses: usage.uses,
    mode: one.refuses ? "enforce" : (treatment?.mode ?? "none"),
    ...(treatment?.policy ? { policy: treatment.policy } : {}),
    ...(treatment?.rule ? { rule: treatment.rule } : {}),
    ...(treatment?.entry ? { entry: treatment.entry.name } : {}),
    reason: answer.reason,
    detail: [answer.detail, movedTag(usage, answer)].filter(Boolean).join("; "),
    source: answer.source,
    ...(answer.toldAt ? { toldAt: answer.toldAt } : {}),
    ...(bypass ? { bypass: { state: bypass.state, until: bypass.until, reason: bypass.reason } } : {}),
  };
}

function verdictOf(one: Case, { passes, reason }: Answer, posture: Posture): Verdict {
  if (passes === true) return "admitted";
  if (!one.refuses) return one.treatment ? "reported" : "cannotTell";
  const byGuard = reason === "bypassEnded" || reason === "bypassTooLong";
  if (!byGuard && isBypassed(one, posture)) return "bypassed";
  return passes === false ? "refused" : "cannotTell";
}

/** What runs and what the next pod would get are two images. */
function movedTag({ runningDigests }: Usage, { digest, source }: Answer): string {
  if (source !== "registry" || !digest || runningDigests.length === 0 || runningDigests.includes(digest)) return "";
  return `the tag has moved: it names ${short(digest)} now, and ${runningDigests.map(short).join(", ")} runs`;
}

const short = (digest: string) => digest.slice(0, "sha256:".length + 12);
