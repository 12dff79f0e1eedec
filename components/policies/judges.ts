import { GuardMode } from "../args";
import type { Manifest } from "../kubernetes/manifest";
import type { PolicyPlan, Resolved } from "../posture/types";
import { clusterPolicy, type PolicyText } from "./clusterPolicy";
import { debugRules, judgingRules } from "./judgingRules";
import { SUFFIX } from "./names";

/** require-signed-images: production. What no signer covers is refused as well, unless the stack says otherwise. */
export function requireSignedImages(plan: PolicyPlan, resolved: Resolved): Manifest[] {
  return judges(plan, resolved, {
    title: "Require signed images in production",
    severity: "high",
    description: "Production namespaces run images only if a configured signer has signed them.",
  });
}

/** verify-image-signatures: every other namespace but the system's. */
export function verifyImageSignatures(plan: PolicyPlan, resolved: Resolved): Manifest[] {
  return judges(plan, resolved, {
    title: "Verify image signatures",
    severity: "high",
    description: "Images with a configured signer are verified in every namespace outside production and the system.",
  });
}

/** The policy and, where it refuses, its sibling for debug containers. */
function judges(plan: PolicyPlan, resolved: Resolved, text: PolicyText): Manifest[] {
  const policy = clusterPolicy(plan, text, { background: true, rules: judgingRules(plan, resolved) });
  if (plan.mode !== GuardMode.Enforce) return [policy];
  const debug = clusterPolicy(
    { ...plan, name: `${plan.name}${SUFFIX.debug}` },
    { ...text, title: `${text.title}: debug containers` },
    { background: false, rules: debugRules(plan, resolved) },
  );
  const annotations = { ...debug.metadata.annotations, "pod-policies.kyverno.io/autogen-controllers": "none" };
  return [policy, { ...debug, metadata: { ...debug.metadata, annotations } }];
}
