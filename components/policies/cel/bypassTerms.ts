import { text } from "../../posture/cel";
import { SKIP_ANNOTATION, UNTIL_ANNOTATION, UNTIL_FORMAT } from "../bypassTerms";
import type { PolicyRole } from "../names";
import { type CelPlace, podAnnotation, type Side } from "./place";

/** Whether the pod's annotation lists a policy. */
export function lists(role: PolicyRole, place: CelPlace): string {
  return `${podAnnotation(place, place.bypassIn, SKIP_ANNOTATION)}.split(',').exists(p, p.matches(${text(`^ *${role} *$`)}))`;
}

export function untilIsWellFormed(place: CelPlace, side: Side): string {
  return `${podAnnotation(place, side, UNTIL_ANNOTATION)}.matches(${text(UNTIL_FORMAT)})`;
}

/** The end of the bypass; only of a text that is one. */
export function until(place: CelPlace, side: Side): string {
  return `timestamp(${podAnnotation(place, side, UNTIL_ANNOTATION)})`;
}

/** True while a bypass runs. Who may set it is the other policy's affair. */
export function bypassRuns(role: PolicyRole, place: CelPlace): string {
  const side = place.bypassIn;
  return `${lists(role, place)} && ${untilIsWellFormed(place, side)} && ${until(place, side)} > time.now()`;
}
