import type { Manifest } from "../kubernetes/manifest";
import type { PolicyPlan, Resolved } from "../posture/types";
import { clusterPolicy } from "./clusterPolicy";
import { anyNew, uncoveredImages } from "./imageSources";
import { variable } from "./jmespath";
import { RULE } from "./names";
import { matchPods } from "./scope";

/**
 * audit-unsigned-images: reports, cluster-wide and in system namespaces too, images that no signer covers. It asks no
 * registry, so it costs nothing and can't disturb the verdicts of the policies that verify.
 */
export function auditUnsignedImages(plan: PolicyPlan, resolved: Resolved): Manifest {
  const text = {
    title: "Report images without a signer",
    severity: "medium",
    description: "Lists running images that nobody is configured to sign, for compliance. Nothing is refused.",
  } as const;
  const repositories = resolved.posture.images.flatMap((image) => image.repositories);
  const rules = plan.scopes.map((scope) => ({
    name: RULE.imageHasASigner,
    ...matchPods(scope),
    context: [uncoveredImages(repositories)],
    validate: {
      message: `no signer is configured for ${variable("join(', ', uncovered)")}`,
      deny: anyNew("uncovered"),
    },
  }));
  return clusterPolicy(plan, text, { background: true, rules });
}
