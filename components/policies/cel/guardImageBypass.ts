import { GuardMode } from "../../args";
import type { Json } from "../../kubernetes/manifest";
import { listOf } from "../../posture/cel";
import type { Bypass, PolicyPlan, Resolved } from "../../posture/types";
import { LONGEST_REASON, REASON_ANNOTATION, SHORTEST_REASON, SKIP_ANNOTATION, UNTIL_ANNOTATION } from "../bypassTerms";
import { GARBAGE_COLLECTOR, WORKLOAD_CONTROLLERS, whoMay } from "../guardImageBypass";
import { SUFFIX } from "../names";
import { until, untilIsWellFormed } from "./bypassTerms";
import { type CelPolicy, celPolicy, joined, type Text, type Validation } from "./celPolicy";
import { asksForBypass, type CelPlace, DEBUG, imageTexts, PODS, podAnnotation, type Side, TEMPLATES } from "./place";

const TEXT = {
  title: "Guard the emergency bypass",
  severity: "high",
  description: "Only the configured people bypass image verification, with a reason and for a limited time.",
} as const;

const TITLES: Record<string, string> = {
  [SUFFIX.templates]: ": pod templates",
  [SUFFIX.debug]: ": debug containers",
};

/** Behind the name of the policy that reports bypasses which have ended. */
export const ENDED = "-ended";

export const REVISIONS = {
  suffix: "-revisions",
  rules: ["CREATE", "UPDATE"].map((operation) => ({
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: [operation],
    resources: ["controllerrevisions"],
    scope: "Namespaced",
  })),
};

/** guard-image-bypass: who may bypass, why and until when. */
export function guardImageBypass(plan: PolicyPlan, { posture }: Resolved): CelPolicy[] {
  const bypass = posture.bypass as Bypass;
  return [
    ...[PODS, TEMPLATES, DEBUG].map((place) => bypassPolicy(plan, place, bypass, posture.runbookUrl)),
    revisionPolicy(plan, bypass),
    endedPolicy(plan),
  ];
}

/** It reads the caller's identity, so it can't run in the background. */
const JUDGED = { admission: true, background: false };

function bypassPolicy(plan: PolicyPlan, place: CelPlace, bypass: Bypass, runbook: string): CelPolicy {
  const title = `${TEXT.title}${TITLES[place.suffix] ?? ""}`;
  const side = place.bypassIn;
  const conditions = [
    { name: "bypass", expression: asksForBypass(place) },
    // A debug container is new by itself.
    ...(place === DEBUG
      ? []
      : [
          {
            name: "new",
            expression: `request.operation == 'CREATE' || ${state(place, "object")} != ${state(place, "oldObject")}`,
          },
        ]),
  ];
  const reason = podAnnotation(place, side, REASON_ANNOTATION);
  const refused = (expression: string, ...message: Text[]): Validation => ({
    expression,
    messageExpression: joined(...message, ` How to bypass: ${runbook}`),
  });
  const validations = [
    refused(
      isAllowed(bypass),
      CALLER,
      ` may not set ${SKIP_ANNOTATION} or change the images of a workload that has it. Ask ${whoMay(bypass)}.`,
    ),
    refused(
      `${reason}.matches('^(?:[ \\\\t\\\\r\\\\n\\\\f\\\\v]*[^ \\\\t\\\\r\\\\n\\\\f\\\\v]){${SHORTEST_REASON}}') && ${reason}.size() <= ${LONGEST_REASON}`,
      `a bypass needs ${REASON_ANNOTATION} with ${SHORTEST_REASON} to ${LONGEST_REASON} characters on the pod template.`,
    ),
    refused(
      untilIsWellFormed(place, side),
      `a bypass needs ${UNTIL_ANNOTATION} on the pod template, a time with zone such as 2026-12-01T18:00:00Z.`,
    ),
    refused(
      `${until(place, side)} > time.now() && ${until(place, side)} <= time.now() + duration('${bypass.maxHours}h1m')`,
      `${UNTIL_ANNOTATION} must lie ahead, at most ${bypass.maxHours} hours from now.`,
    ),
  ];
  return celPolicy(
    "ValidatingPolicy",
    { plan, place, text: { ...TEXT, title }, conditions, ...JUDGED },
    { validations: validations as unknown as Json[] },
  );
}

/** A request is a use of the bypass when the annotation is there and it, its terms or the images are new. */
function state(place: CelPlace, side: Side): string {
  const terms = [SKIP_ANNOTATION, REASON_ANNOTATION, UNTIL_ANNOTATION].map((name) => podAnnotation(place, side, name));
  return `[${terms.join(", ")}] + ${imageTexts(place, side)}`;
}

const CALLER = { cel: "cel.bind(u, request.userInfo.username, u.size() > 500 ? u.substring(0, 500) : u)" };

function isAllowed({ groups, users }: Bypass): string {
  const named = `request.userInfo.username in ${listOf([...users, ...WORKLOAD_CONTROLLERS])}`;
  if (groups.length === 0) return named;
  return `${named} || request.userInfo.?groups.orValue([]).exists(g, g in ${listOf(groups)})`;
}

/** Reports what runs on after its bypass has ended. Metrics of these kinds know policies and no rules, so it is one. */
function endedPolicy(plan: PolicyPlan): CelPolicy {
  const until = podAnnotation(PODS, "object", UNTIL_ANNOTATION);
  return celPolicy(
    "ValidatingPolicy",
    {
      plan: { ...plan, mode: GuardMode.Audit },
      place: { ...PODS, suffix: ENDED },
      text: {
        title: "Report bypasses that have ended",
        severity: "medium",
        description: "Lists pods that run on although their emergency bypass is over. Nothing is refused.",
      },
      conditions: [{ name: "bypass", expression: asksForBypass(PODS) }],
      admission: false,
      background: true,
    },
    {
      validations: [
        {
          expression: `${untilIsWellFormed(PODS, "object")} && timestamp(${until}) > time.now()`,
          messageExpression: joined("the bypass has ended: ", { cel: `cel.bind(u, ${until}, u.size() > 40 ? '' : u)` }),
        },
      ],
    },
  );
}

/** As the rule on revisions among the ClusterPolicies says: a StatefulSet's controller makes pods from what it finds there. */
function revisionPolicy(plan: PolicyPlan, bypass: Bypass): CelPolicy {
  const written = (side: Side) =>
    ["data", "revision", "metadata.?labels", "metadata.?ownerReferences"].map((field) => `${side}.?${field}`);
  const changed = written("object")
    .map((field, index) => `${field} != ${written("oldObject")[index]}`)
    .join(" || ");
  const isForeign =
    "object.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false) && !o.apiVersion.startsWith('apps/'))";
  const mayWrite = isAllowed({ ...bypass, users: [...bypass.users, GARBAGE_COLLECTOR] });
  return celPolicy(
    "ValidatingPolicy",
    {
      plan,
      place: REVISIONS,
      text: { ...TEXT, title: `${TEXT.title}: revisions` },
      conditions: [
        { name: "new", expression: `request.operation == 'CREATE' || ${changed}` },
        { name: "of-apps", expression: `!${isForeign}` },
      ],
      ...JUDGED,
    },
    {
      validations: [
        {
          expression: mayWrite,
          messageExpression: joined(
            CALLER,
            ` may not write a revision: a controller makes pods from it. Ask ${whoMay(bypass)}.`,
          ),
        },
      ],
    },
  );
}
