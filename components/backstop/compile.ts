import type { Manifest } from "../kubernetes/manifest";
import type { Posture } from "../posture/types";
import { namespacedPolicies } from "./namespacedPolicies";
import { podSizeLimit } from "./podSize";
import { readyPolicies } from "./readyPolicies";
import { celWebhookPolicies, webhookPolicies } from "./webhooks";

/** Everything that the API server itself refuses. Made after the policies are in force, and removed before anything else. */
export function compileBackstop(posture: Posture, policies: readonly Manifest[]): Manifest[] {
  const { backstop } = posture;
  if (!backstop) return [];
  return [
    ...namespacedPolicies(posture, backstop),
    ...(backstop.maxContainers === undefined ? [] : [podSizeLimit(posture, backstop.maxContainers)]),
    ...(posture.kyverno.policies
      ? celWebhookPolicies(posture, backstop, policies)
      : webhookPolicies(posture, backstop)),
    ...readyPolicies(posture, backstop),
  ];
}
