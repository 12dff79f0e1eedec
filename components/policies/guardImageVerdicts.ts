import type { NamespaceScope, PolicyPlan } from "../posture/types";
import {
  type ClusterPolicy,
  type Condition,
  clusterPolicy,
  type Operation,
  type Resources,
  type Rule,
} from "./clusterPolicy";
import { unless, when } from "./jmespath";
import { RULE, ruleName } from "./names";
import { PODS, type Side, TEMPLATES } from "./place";
import { matchKinds } from "./scope";

/** Kyverno's own record of what it verified, image to verdict, on the object itself. */
export const VERDICT_ANNOTATION = "kyverno.io/verify-images";

const ANNOTATIONS = "/metadata/annotations";
const RECORD = `${ANNOTATIONS}/kyverno.io~1verify-images`;

/**
 * Kyverno 1.10 believes its record also when the request brought it, so whoever writes a pod could write the verdict.
 * This policy runs before verification in the same call: on creation the record is removed; on an update it becomes
 * empty where the object had one (Kyverno refuses its disappearance) and is removed where it had none. Kyverno then
 * verifies what is new and writes its own record.
 */
export function guardImageVerdicts(plan: PolicyPlan): ClusterPolicy {
  const text = {
    title: "Guard the verdicts of image verification",
    severity: "high",
    description: "A verification record that a request brings along never counts.",
  } as const;
  const rules = plan.scopes.flatMap((scope) => [
    rule(plan, scope, RULE.forgetOnCreate, "CREATE", WITH_RECORD, [], { op: "remove", path: RECORD }),
    rule(plan, scope, RULE.forgetOnUpdate, "UPDATE", WITH_RECORD, [unless(HAD_RECORD)], { op: "remove", path: RECORD }),
    rule(plan, scope, RULE.resetOnUpdate, "UPDATE", {}, [when(HAD_RECORD), when(HAS_ANNOTATIONS)], {
      op: "add",
      path: RECORD,
      value: "{}",
    }),
    // `kubectl replace` with a manifest that has no annotations at all.
    rule(plan, scope, RULE.restoreOnUpdate, "UPDATE", {}, [when(HAD_RECORD), unless(HAS_ANNOTATIONS)], {
      op: "add",
      path: ANNOTATIONS,
      value: { [VERDICT_ANNOTATION]: "{}" },
    }),
    namespacedPolicyRule(plan, scope),
  ]);
  return clusterPolicy(plan, text, { background: false, rules });
}

const WITH_RECORD = { annotations: { [VERDICT_ANNOTATION]: "*" } };

/** The empty-object literal is the one object that may stand inside a variable. */
const annotationsIn = (side: Side) => `keys(${side}.metadata.annotations || \`{}\`)`;
const HAD_RECORD = `contains(${annotationsIn("request.oldObject")}, '${VERDICT_ANNOTATION}')`;
const HAS_ANNOTATIONS = `length(${annotationsIn("request.object")}) > \`0\``;

function rule(
  plan: PolicyPlan,
  scope: NamespaceScope,
  name: string,
  operation: Operation,
  resources: Partial<Resources>,
  conditions: readonly Condition[],
  patch: object,
): Rule {
  return {
    name: ruleName(name, plan.scopes, scope),
    ...matchKinds(scope, [...PODS.kinds, ...TEMPLATES.kinds], { operations: [operation], ...resources }),
    ...(conditions.length > 0 ? { preconditions: { all: conditions } } : {}),
    // Over several lines: two closing braces side by side would look like the end of a variable.
    mutate: { patchesJson6902: JSON.stringify([patch], null, 1) },
  };
}

/**
 * A namespace's own Policy runs after the cluster's in the same call, so one that mutates could write a verdict after
 * this guard has removed it. The chart lets every namespace admin create such policies.
 */
function namespacedPolicyRule(plan: PolicyPlan, scope: NamespaceScope): Rule {
  return {
    name: ruleName(RULE.noPolicyWritesVerdicts, plan.scopes, scope),
    ...matchKinds(scope, ["kyverno.io/*/Policy"]),
    validate: {
      deny: {
        conditions: {
          any: [
            when(
              "length((request.object.spec.rules || `[]`)[?mutate || verifyImages]) > `0`",
              "a namespace's own Policy may not mutate or verify images here: it runs after the guard and could forge a verdict. Ask the platform team to add it to extraPolicies.",
            ),
          ],
        },
      },
    },
  };
}
