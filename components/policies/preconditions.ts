import { GuardMode } from "../args";
import type { Json } from "../kubernetes/manifest";
import type { PolicyPlan, Resolved } from "../posture/types";
import { bypassRuns } from "./bypassTerms";
import { variable } from "./jmespath";

export function preconditions(conditions: Json[]): Json {
  return conditions.length > 0 ? { preconditions: { all: conditions } } : {};
}

/** A rule that enforces is skipped while a bypass of its policy runs. */
export function unlessBypassed(plan: PolicyPlan, { posture }: Resolved): Json[] {
  if (posture.bypass === "off" || plan.mode !== GuardMode.Enforce) return [];
  return [
    { key: variable(bypassRuns(plan.role)), operator: "Equals", value: false, message: "bypassed by annotation" },
  ];
}
