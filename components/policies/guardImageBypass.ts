import type { Json, Manifest } from "../kubernetes/manifest";
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
import { clusterPolicy } from "./clusterPolicy";
import { imageTexts, listLiteral, variable } from "./jmespath";
import { RULE, ruleName } from "./names";
import { matchKinds, matchPods } from "./scope";

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

/** guard-image-bypass: who may bypass, why and until when. It reads the caller's identity, so it can't run in the background. */
export function guardImageBypass(plan: PolicyPlan, resolved: Resolved): Manifest {
  const bypass = resolved.posture.bypass as Bypass;
  const text = {
    title: "Guard the emergency bypass",
    severity: "high",
    description: "Only the configured people bypass image verification, with a reason and for a limited time.",
  } as const;
  const rules = plan.scopes.flatMap((scope) => {
    // One condition instead of preconditions: a skipped rule would show up in every refusal of another policy.
    const rule = (name: string, message: string, refusedIf: string): Json => ({
      name: ruleName(name, plan.scopes, scope),
      ...matchPods(scope),
      validate: {
        message: `${message} How to bypass: ${resolved.posture.runbookUrl}`,
        deny: {
          conditions: {
            any: [{ key: variable(`${isBypassRequest()} && (${refusedIf})`), operator: "Equals", value: true }],
          },
        },
      },
    });
    return [
      revisionRule(plan, scope, bypass),
      rule(
        RULE.bypassByWhom,
        `${variable("request.userInfo.username")} may not set ${SKIP_ANNOTATION} or change the images of a workload that has it. Ask ${whoMay(bypass)}.`,
        `!(${isAllowed(bypass)})`,
      ),
      rule(
        RULE.bypassSaysWhy,
        `a bypass needs ${REASON_ANNOTATION} with ${SHORTEST_REASON} to ${LONGEST_REASON} characters on the pod template.`,
        `${reasonLength()} < \`${SHORTEST_REASON}\` || length(${reason("request.object")}) > \`${LONGEST_REASON}\``,
      ),
      rule(
        RULE.bypassSaysUntil,
        `a bypass needs ${UNTIL_ANNOTATION} on the pod template, a time with zone such as 2026-12-01T18:00:00Z.`,
        `!${untilIsWellFormed()}`,
      ),
      rule(
        RULE.bypassIsCurrent,
        `${UNTIL_ANNOTATION} must lie ahead, at most ${bypass.maxHours} hours from now; it says ${variable(until("request.object"))}.`,
        `${untilIsWellFormed()} && (!time_after(${until("request.object")}, time_now_utc()) || time_after(${until("request.object")}, time_add(time_now_utc(), '${bypass.maxHours}h1m')))`,
      ),
    ];
  });
  return clusterPolicy(plan, text, { background: false, rules });
}

/**
 * A StatefulSet's controller makes pods from the revisions it finds, and is allowed to carry out a bypass. So a revision
 * with a bypass in it may only be written by whom a bypass is allowed to.
 */
function revisionRule(plan: PolicyPlan, scope: NamespaceScope, bypass: Bypass): Json {
  // Searched as text: the controller reads field names in any case, so there is no one path to look at.
  const hasBypass = `contains(to_string(request.object.data), '${SKIP_ANNOTATION}')`;
  return {
    name: ruleName(RULE.bypassInRevision, plan.scopes, scope),
    ...matchKinds(scope, ["apps/*/ControllerRevision"], ["CREATE", "UPDATE"]),
    validate: {
      message: `${variable("request.userInfo.username")} may not write a revision with ${SKIP_ANNOTATION}. Ask ${whoMay(bypass)}.`,
      deny: {
        conditions: {
          any: [
            {
              key: variable(`${hasBypass} && !(${isAllowed(bypass)})`),
              operator: "Equals",
              value: true,
            },
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
function isBypassRequest(): string {
  const state = (side: "request.object" | "request.oldObject") =>
    `to_string([${skip(side)}, ${reason(side)}, ${until(side)}, ${imageTexts(side)}])`;
  return `length(${skip("request.object")}) > \`0\` && ${state("request.object")} != ${state("request.oldObject")}`;
}

function isAllowed({ groups, users }: Bypass): string {
  const named = `contains(${listLiteral([...users, ...WORKLOAD_CONTROLLERS])}, request.userInfo.username)`;
  if (groups.length === 0) return named;
  return `${named} || length((request.userInfo.groups || \`[]\`)[?contains(${listLiteral(groups)}, @)]) > \`0\``;
}

function whoMay({ groups, users }: Bypass): string {
  return [...groups.map((group) => `group ${group}`), ...users].join(", ");
}
