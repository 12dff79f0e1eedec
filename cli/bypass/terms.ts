import {
  LONGEST_REASON,
  REASON_ANNOTATION,
  SHORTEST_REASON,
  SKIP_ANNOTATION,
  UNTIL_ANNOTATION,
} from "../../components/policies/bypassTerms";
import { JUDGES } from "../../components/policies/names";
import type { Posture } from "../../components/posture/types";
import { ProblemList } from "../../components/problems";
import { saysWhy } from "../cluster/bypasses";

/** What somebody asks for. */
export interface BypassRequest {
  readonly policies: string[];
  readonly reason: string;
  /** `2h`, `90m`: how long from now. */
  readonly duration: string;
}

/** The annotations of a granted bypass. */
export type BypassAnnotations = Record<string, string>;

/** Refuses what the cluster would refuse, in the same words, before anything is sent. */
export function bypassAnnotations(request: BypassRequest, posture: Posture, now: Date): BypassAnnotations {
  const problems = new ProblemList();
  if (posture.bypass === "off") {
    problems.say(
      "bypass",
      "off in this stack",
      "a bypass block with groups or users",
      "add image-signing-guard:bypass to the stack and run pulumi up",
    );
    problems.throwIfAny();
  }
  const maxHours = posture.bypass === "off" ? 0 : posture.bypass.maxHours;
  for (const policy of request.policies) {
    if (JUDGES.some((role) => role === policy)) continue;
    problems.add("--policy", policy, `one of ${JUDGES.join(", ")}`, "name the policy that the refusal printed");
  }
  const reason = request.reason.trim();
  if (!saysWhy(reason)) {
    problems.add(
      "--reason",
      reason,
      `${SHORTEST_REASON} to ${LONGEST_REASON} characters`,
      "say what happened and where it is tracked",
    );
  }
  const minutes = minutesOf(request.duration);
  if (minutes === undefined || minutes < 1 || minutes > maxHours * 60) {
    problems.add(
      "--for",
      request.duration,
      `a duration such as 90m or 2h, at most ${maxHours}h`,
      minutes === undefined ? "write for example --for 2h" : "ask for less time; a bypass can be granted again",
    );
  }
  problems.throwIfAny();
  const until = new Date(now.getTime() + minutes! * 60_000);
  return {
    [SKIP_ANNOTATION]: [...new Set(request.policies)].join(","),
    [REASON_ANNOTATION]: reason,
    [UNTIL_ANNOTATION]: until.toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

function minutesOf(duration: string): number | undefined {
  const match = /^(\d{1,5})(m|h)$/.exec(duration);
  if (!match) return undefined;
  return Number(match[1]) * (match[2] === "h" ? 60 : 1);
}
