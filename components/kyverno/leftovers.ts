import { MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import { KYVERNO_LINES } from "../posture/kyvernoLines";
import type { KyvernoPlan } from "../posture/types";
import { CORE_RULES } from "./coreRules";

/**
 * Objects whose only purpose is that nothing of Kyverno stays behind. They are created first and deleted last.
 */
export function leftoverGuards(kyverno: KyvernoPlan): Manifest[] {
  return [...webhookOwners(kyverno), ...(KYVERNO_LINES[kyverno.target].heldRoles ? heldRoles(kyverno) : [])];
}

/**
 * Kyverno makes the ClusterRole `*:webhook` of component `kyverno` the owner of its webhook configurations, so they go
 * when it goes, even if no pod is left to run the chart's pre-delete hook. Deleted after the namespace: without the CA
 * in it, a Kyverno that still lives can't register them again. Some configurations have no owner.
 */
function webhookOwners(kyverno: KyvernoPlan): Manifest[] {
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: {
        name: `${kyverno.releaseName}:webhook`,
        labels: { ...MANAGED_BY, "app.kubernetes.io/component": "kyverno" },
      },
    },
    ...KYVERNO_LINES[kyverno.target].unownedWebhooks.map((name) => ({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name, labels: { "webhook.kyverno.io/managed-by": "kyverno" } },
    })),
  ];
}

/**
 * The same rules as the chart's own parts of its aggregated roles. Uninstalling deletes wholes and parts at once; on
 * seeing a part go, the controller manager applies the whole anew, and where it may create roles that brings back what
 * Helm waits to see gone. With these parts, deleted only after the release, the whole never changes.
 */
function heldRoles(kyverno: KyvernoPlan): Manifest[] {
  return Object.entries(CORE_RULES).map(([component, rules]) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: {
      name: `${kyverno.releaseName}:${component}:held`,
      labels: {
        ...MANAGED_BY,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/instance": kyverno.releaseName,
        "app.kubernetes.io/part-of": kyverno.releaseName,
      },
    },
    rules,
  }));
}
