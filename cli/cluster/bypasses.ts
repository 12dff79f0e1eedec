import {
  LONGEST_REASON,
  REASON_ANNOTATION,
  SHORTEST_REASON,
  SKIP_ANNOTATION,
  UNTIL_ANNOTATION,
  UNTIL_FORMAT,
} from "../../components/policies/bypassTerms";

export type BypassState = "running" | "ended" | "invalid";

/** A bypass as it stands on an object. */
export interface BypassFound {
  readonly policies: string[];
  readonly reason: string;
  readonly until: string;
  readonly state: BypassState;
}

/** Reads a pod's or pod template's annotations; undefined when there is no bypass. */
export function readBypass(annotations: Record<string, string> | undefined, now: Date): BypassFound | undefined {
  const skip = annotations?.[SKIP_ANNOTATION];
  if (!skip) return undefined;
  const until = annotations[UNTIL_ANNOTATION] ?? "";
  const wellFormed = new RegExp(UNTIL_FORMAT).test(until) && !Number.isNaN(Date.parse(until));
  const reason = annotations[REASON_ANNOTATION] ?? "";
  const valid = wellFormed && saysWhy(reason);
  return {
    policies: skip.split(",").map((name) => name.trim()),
    reason,
    until,
    state: !valid ? "invalid" : Date.parse(until) > now.getTime() ? "running" : "ended",
  };
}

export function saysWhy(reason: string): boolean {
  return reason.replace(/\s/g, "").length >= SHORTEST_REASON && reason.length <= LONGEST_REASON;
}
