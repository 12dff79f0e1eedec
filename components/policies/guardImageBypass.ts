import type { Bypass, NamespaceScope, PolicyPlan, Resolved } from "../posture/types";
import {
  LONGEST_REASON,
  REASON_ANNOTATION,
  reason,
  reasonLength,
  SHORTEST_REASON,
  SKIP_ANNOTATION,
  skip,
  UNTIL_ANNOTATION,
  until,
  untilIsWellFormed,
} from "./bypassTerms";
import { type ClusterPolicy, clusterPolicy, type Rule } from "./clusterPolicy";
import { imageTexts, listLiteral, shown, when } from "./jmespath";
import { RULE, ruleName } from "./names";
import { type Place, PODS, type Side, TEMPLATES } from "./place";
import { matchKinds, matchPlace } from "./scope";

/**
 * Kubernetes' own controllers, which carry out a template that somebody else had to get past this policy. With shared
 * credentials they all are `system:kube-controller-manager`.
 */
export const WORKLOAD_CONTROLLERS = [
  "system:kube-controller-manager",
  ...["deployment", "replicaset", "daemon-set", "statefulset", "job", "cronjob"].map(
    (name) => `system:serviceaccount:kube-system:${name}-controller`,
  ),
  "system:serviceaccount:kube-system:replication-controller",
];
/** Takes the owner off what outlives it. */
export const GARBAGE_COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector";

/** guard-image-bypass: who may bypass, why and until when. It reads the caller's identity, so it can't run in the background. */
export function guardImageBypass(plan: PolicyPlan, { posture }: Resolved): ClusterPolicy[] {
  const bypass = posture.bypass as Bypass;
  const text = {
    title: "Guard the emergency bypass",
    severity: "high",
    description: "Only the configured people bypass image verification, with a reason and for a limited time.",
  } as const;
  return [PODS, TEMPLATES].map((place) => {
    const rules = plan.scopes.flatMap((scope) => [
      bypassRule(plan, scope, place, bypass, posture.runbookUrl),
      ...(place === TEMPLATES ? [revisionRule(plan, scope, bypass)] : []),
    ]);
    const title = place === TEMPLATES ? `${text.title}: pod templates` : text.title;
    return clusterPolicy(
      { ...plan, name: `${plan.name}${place.suffix}` },
      { ...text, title },
      { background: false, rules },
    );
  });
}

/** Each reason to refuse a bypass, in the order in which they are told: only the first that holds is. */
function bypassRule(plan: PolicyPlan, scope: NamespaceScope, place: Place, bypass: Bypass, runbook: string): Rule {
  const side = "request.object";
  const end = until(place, side);
  const refused = (message: string, expression: string) => when(expression, `${message} How to bypass: ${runbook}`);
  return {
    name: ruleName(RULE.bypassIsAllowed, plan.scopes, scope),
    ...matchPlace(scope, place, place === PODS ? "for a bypass" : "whatever"),
    validate: {
      deny: {
        conditions: {
          any: [
            refused(
              `${CALLER} may not set ${SKIP_ANNOTATION} or change the images of a workload that has it. Ask ${whoMay(bypass)}.`,
              `!(${isAllowed(bypass)})`,
            ),
            refused(
              `a bypass needs ${REASON_ANNOTATION} with ${SHORTEST_REASON} to ${LONGEST_REASON} characters on the pod template.`,
              `${reasonLength(place)} < \`${SHORTEST_REASON}\` || length(${reason(place, side)}) > \`${LONGEST_REASON}\``,
            ),
            refused(
              `a bypass needs ${UNTIL_ANNOTATION} on the pod template, a time with zone such as 2026-12-01T18:00:00Z.`,
              `!${untilIsWellFormed(place, side)}`,
            ),
            refused(
              `${UNTIL_ANNOTATION} must lie ahead, at most ${bypass.maxHours} hours from now.`,
              `!time_after(${end}, time_now_utc()) || time_after(${end}, time_add(time_now_utc(), '${bypass.maxHours}h1m'))`,
            ),
          ],
          all: [when(isBypassRequest(place))],
        },
      },
    },
  };
}

const CALLER = shown("request.userInfo.username");

/**
 * A StatefulSet's controller makes pods from the revisions it finds, and is allowed to carry out a bypass. So revisions
 * are written by controllers, and by whom a bypass is allowed to. Those that belong to other kinds (virtual machines have
 * some) make no pods; taking such an owner off would let a StatefulSet adopt them.
 */
function revisionRule(plan: PolicyPlan, scope: NamespaceScope, bypass: Bypass): Rule {
  const written = (side: Side) =>
    `to_string(${side}.[data, revision, (metadata.labels || ''), (metadata.ownerReferences || '')])`;
  const isForeign =
    "length((request.object.metadata.ownerReferences || `[]`)[?controller && !starts_with(apiVersion, 'apps/')]) > `0`";
  const mayWrite = isAllowed({ ...bypass, users: [...bypass.users, GARBAGE_COLLECTOR] });
  return {
    name: ruleName(RULE.onlyControllersWriteRevisions, plan.scopes, scope),
    ...matchKinds(scope, ["apps/*/ControllerRevision"]),
    validate: {
      deny: {
        conditions: {
          any: [
            when(
              `!(${mayWrite})`,
              `${CALLER} may not write a revision: a controller makes pods from it. Ask ${whoMay(bypass)}.`,
            ),
          ],
          all: [
            when(
              `(request.operation != 'UPDATE' || ${written("request.object")} != ${written("request.oldObject")}) && !(${isForeign})`,
            ),
          ],
        },
      },
    },
  };
}

/**
 * A request is a use of the bypass when the annotation is there and it, its terms or the images are new. A controller's
 * status, scaling or label update of an old object is none, also after the bypass has ended.
 */
function isBypassRequest(place: Place): string {
  const state = (side: Side) =>
    `to_string([${skip(place, side)}, ${reason(place, side)}, ${until(place, side)}, ${imageTexts(place, side)}])`;
  return `length(${skip(place, "request.object")}) > \`0\` && ${state("request.object")} != ${state("request.oldObject")}`;
}

function isAllowed({ groups, users }: Bypass): string {
  const named = `contains(${listLiteral([...users, ...WORKLOAD_CONTROLLERS])}, request.userInfo.username)`;
  if (groups.length === 0) return named;
  return `${named} || length((request.userInfo.groups || \`[]\`)[?contains(${listLiteral(groups)}, @)]) > \`0\``;
}

export function whoMay({ groups, users }: Bypass): string {
  return [...groups.map((group) => `group ${group}`), ...users].join(", ");
}
