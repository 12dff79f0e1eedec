import { literal, podAnnotation } from "./jmespath";
import type { PolicyRole } from "./names";
import type { Place, Side } from "./place";

/** Comma list of the policies to skip. Kyverno itself knows no such annotation; the guard's policies honour it. */
export const SKIP_ANNOTATION = "policies.kyverno.io/skip";
export const REASON_ANNOTATION = "policies.kyverno.io/skip-reason";
export const UNTIL_ANNOTATION = "policies.kyverno.io/skip-until";

export const SHORTEST_REASON = 10;
export const LONGEST_REASON = 500;

const DATE = [
  "[0-9]{4}-(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])",
  "[0-9]{4}-(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)",
  "[0-9]{4}-02-(?:0[1-9]|1[0-9]|2[0-8])",
  "[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29",
].join("|");
const HOUR_AND_MINUTE = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";

/**
 * ISO 8601 with seconds and zone, real dates only. Checked before a time function sees the text, whose own error helps
 * nobody.
 */
export const UNTIL_FORMAT = `^(?:${DATE})T${HOUR_AND_MINUTE}:[0-5][0-9](?:Z|[+-]${HOUR_AND_MINUTE})$`;

export const skip = (place: Place, side: Side) => podAnnotation(place, side, SKIP_ANNOTATION);
export const reason = (place: Place, side: Side) => podAnnotation(place, side, REASON_ANNOTATION);
export const until = (place: Place, side: Side) => podAnnotation(place, side, UNTIL_ANNOTATION);

/** Whether the pod's annotation lists a policy. */
export function lists(role: PolicyRole, place: Place): string {
  return `contains(map(&trim(@, ' '), split(${skip(place, place.bypassIn)}, ',')), ${literal(role)})`;
}

export function untilIsWellFormed(place: Place, side: Side): string {
  return `regex_match(${literal(UNTIL_FORMAT)}, ${until(place, side)})`;
}

/** True while a bypass runs. Who may set it is the other policy's affair. */
export function bypassRuns(role: PolicyRole, place: Place): string {
  const side = place.bypassIn;
  return `${lists(role, place)} && ${untilIsWellFormed(place, side)} && time_after(${until(place, side)}, time_now_utc())`;
}

/** Characters of the reason that say something. */
export function reasonLength(place: Place): string {
  return `length(regex_replace_all('[[:space:]]', ${reason(place, "request.object")}, ''))`;
}
