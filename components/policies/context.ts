import { GuardMode } from "../args";
import type { PolicyPlan, Resolved } from "../posture/types";
import { bypassRuns } from "./bypassTerms";
import type { Condition } from "./clusterPolicy";
import { unless } from "./jmespath";
import type { Place } from "./place";

/** What a judging policy's rules are made from. */
export interface JudgeContext {
  readonly plan: PolicyPlan;
  readonly resolved: Resolved;
  readonly place: Place;
}

export function enforces({ plan }: Pick<JudgeContext, "plan">): boolean {
  return plan.mode === GuardMode.Enforce;
}

/** A policy that audits has nothing to bypass. */
export function honoursBypass(context: Pick<JudgeContext, "plan" | "resolved">): boolean {
  return enforces(context) && context.resolved.posture.bypass !== "off";
}

/** A rule with this precondition is skipped while a bypass of its policy runs. */
export function unlessBypassed({ plan, place }: JudgeContext): Condition {
  return unless(bypassRuns(plan.role, place), "bypassed by annotation");
}
