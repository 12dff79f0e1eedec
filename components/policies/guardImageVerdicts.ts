import type { Json, Manifest } from "../kubernetes/manifest";
import type { NamespaceScope, PolicyPlan } from "../posture/types";
import { clusterPolicy } from "./clusterPolicy";
import { variable } from "./jmespath";
import { RULE, ruleName } from "./names";
import { matchKinds } from "./scope";

/** Kyverno's own record of what it verified, image to verdict, on the object itself. */
export const VERDICT_ANNOTATION = "kyverno.io/verify-images";

const KINDS = [
  "Pod",
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Job",
  "CronJob",
];
const PATCH_PATH = "/metadata/annotations/kyverno.io~1verify-images";

/**
 * Kyverno 1.10 believes its record also when the request brought it, so whoever writes a pod could write the verdict.
 * This policy runs before verification in the same call: on creation the record is removed; on an update it becomes
 * empty where the object had one (Kyverno refuses its disappearance) and is removed where it had none. Kyverno then
 * verifies what is new and writes its own record.
 */
export function guardImageVerdicts(plan: PolicyPlan): Manifest {
  const text = {
    title: "Guard the verdicts of image verification",
    severity: "high",
    description: "A verification record that a request brings along never counts.",
  } as const;
  const rules = plan.scopes.flatMap((scope) => [
    rule(plan, scope, RULE.forgetOnCreate, ["CREATE"], [present("request.object", true)], {
      op: "remove",
      path: PATCH_PATH,
    }),
    rule(
      plan,
      scope,
      RULE.forgetOnUpdate,
      ["UPDATE"],
      [present("request.object", true), present("request.oldObject", false)],
      {
        op: "remove",
        path: PATCH_PATH,
      },
    ),
    rule(plan, scope, RULE.resetOnUpdate, ["UPDATE"], [present("request.oldObject", true), hasAnnotations()], {
      op: "add",
      path: PATCH_PATH,
      value: "{}",
    }),
    namespacedPolicyRule(plan, scope),
  ]);
  return clusterPolicy(plan, text, { background: false, rules });
}

function rule(
  plan: PolicyPlan,
  scope: NamespaceScope,
  name: string,
  operations: string[],
  conditions: Json[],
  patch: Json,
): Json {
  return {
    name: ruleName(name, plan.scopes, scope),
    ...matchKinds(scope, KINDS, operations),
    preconditions: { all: conditions },
    mutate: { patchesJson6902: JSON.stringify([patch]) },
  };
}

/**
 * A namespace's own Policy runs after the cluster's in the same call, so one that mutates could write a verdict after
 * this guard has removed it. The chart lets every namespace admin create such policies.
 */
function namespacedPolicyRule(plan: PolicyPlan, scope: NamespaceScope): Json {
  return {
    name: ruleName(RULE.noPolicyWritesVerdicts, plan.scopes, scope),
    ...matchKinds(scope, ["kyverno.io/*/Policy"], ["CREATE", "UPDATE"]),
    validate: {
      message:
        "a namespace's own Policy may not mutate or verify images here: it runs after the guard and could forge a verdict. Ask the platform team to add it to extraPolicies.",
      deny: {
        conditions: {
          any: [
            {
              key: variable("length((request.object.spec.rules || `[]`)[?mutate || verifyImages]) > `0`"),
              operator: "Equals",
              value: true,
            },
          ],
        },
      },
    },
  };
}

/** The empty-object literal is the one object that may stand inside a variable. */
function present(object: "request.object" | "request.oldObject", value: boolean): Json {
  return {
    key: variable(`contains(keys(${object}.metadata.annotations || \`{}\`), '${VERDICT_ANNOTATION}')`),
    operator: "Equals",
    value,
  };
}

/** Without any annotation there is nothing to add a member to; Kyverno then refuses the update by itself. */
function hasAnnotations(): Json {
  return {
    key: variable("length(keys(request.object.metadata.annotations || `{}`)) > `0`"),
    operator: "Equals",
    value: true,
  };
}
