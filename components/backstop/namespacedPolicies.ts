import type { Manifest } from "../kubernetes/manifest";
import { listOf } from "../posture/cel";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import type { Backstop, Posture } from "../posture/types";
import { admissionPolicy, resources } from "./manifests";

/** The ValidatingAdmissionPolicy, as its refusals name it. */
export const NAMESPACED_POLICIES = "image-signing-guard-namespaced-policies";

/**
 * A namespaced Policy runs with Kyverno's own rights: it reads any Secret (`urlPath`), sends Kyverno's token anywhere
 * (`service`), creates what it likes (`method: POST`) and decides what the Fail webhook is asked about. The chart lets
 * every namespace's admin write them. No look into one tells a harmless one: images, config maps and JMESPath do harm
 * too. Deletion stays free, and so does an update that changes nothing that Kyverno reads, such as a finalizer's removal.
 */
export function namespacedPolicies({ kyverno }: Posture, { policyAuthors: { groups, users } }: Backstop): Manifest[] {
  const kinds = KYVERNO_LINES[kyverno.target].namespacedPolicies;
  const groupsOfKinds = [...new Set(kinds.map(({ group }) => group))];
  const authors = [...groups.map((group) => `group ${group}`), ...users];
  const spec = {
    matchConstraints: {
      matchPolicy: "Equivalent",
      resourceRules: groupsOfKinds.map((group) =>
        resources(
          group,
          "*",
          kinds.filter((kind) => kind.group === group).map(({ plural }) => plural),
          ["CREATE", "UPDATE"],
        ),
      ),
    },
    matchConditions: [
      {
        name: "read-by-kyverno",
        expression:
          "request.operation == 'CREATE' || object.spec != oldObject.spec || object.metadata.?annotations.orValue({}) != oldObject.metadata.?annotations.orValue({})",
      },
    ],
    validations: [
      {
        expression: `request.userInfo.username in ${listOf(users)} || request.userInfo.?groups.orValue([]).exists(g, g in ${listOf(groups)})`,
        message: `a Kyverno Policy of a namespace runs with Kyverno's own rights, so ${authors.length > 0 ? `only ${authors.join(", ")} may write one` : "nobody may write one"} here. Ask the platform team for a ClusterPolicy (extraPolicies); who may: backstop.policyAuthors`,
        reason: "Forbidden",
      },
    ],
  };
  return admissionPolicy(NAMESPACED_POLICIES, spec, [{ name: NAMESPACED_POLICIES }]);
}
