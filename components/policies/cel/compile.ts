import type { PolicyPlan, Resolved } from "../../posture/types";
import { GuardInputError } from "../../problems";
import { JUDGE_TEXTS } from "../judges";
import { type PolicyRole, ROLE } from "../names";
import { LARGEST_POLICY } from "../parts";
import { auditUnsignedImages } from "./auditUnsignedImages";
import type { CelPolicy } from "./celPolicy";
import { guardImageBypass } from "./guardImageBypass";
import { judges } from "./judges";

/** The policies of a stack in the form that Kyverno 1.20 and later want. */
export function celPolicies(resolved: Resolved): CelPolicy[] {
  const policies = resolved.posture.policies.flatMap((plan) => BY_ROLE[plan.role](plan, resolved));
  for (const policy of policies) assertFits(policy);
  return policies;
}

/** Several entries stand in several policies; one alone may still be too large. */
function assertFits({ kind, metadata, spec }: CelPolicy): void {
  const size = Buffer.byteLength(JSON.stringify(spec));
  if (size <= LARGEST_POLICY) return;
  throw new GuardInputError([
    {
      key: "images",
      found: `so much that ${kind} ${metadata.name} takes ${size} bytes`,
      allowed: `at most ${LARGEST_POLICY} bytes, since Kyverno could not store the policy`,
      fix: "join repositories by wildcards, or give the entry fewer signers or trust anchors",
    },
  ]);
}

const BY_ROLE: Record<PolicyRole, (plan: PolicyPlan, resolved: Resolved) => CelPolicy[]> = {
  [ROLE.production]: (plan, resolved) => judges(plan, resolved, JUDGE_TEXTS[ROLE.production]),
  [ROLE.applications]: (plan, resolved) => judges(plan, resolved, JUDGE_TEXTS[ROLE.applications]),
  [ROLE.uncovered]: auditUnsignedImages,
  // Nothing in an object says here that an image was verified, so nothing can be forged.
  [ROLE.verdicts]: () => [],
  [ROLE.bypass]: guardImageBypass,
};
