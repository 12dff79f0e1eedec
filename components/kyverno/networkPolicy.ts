import { MANAGED_BY, type Manifest } from "../kubernetes/manifest";
import type { KyvernoPlan } from "../posture/types";

/**
 * Keeps everybody but the API servers from Kyverno's webhooks, which answer whoever asks. Not the chart's own policy:
 * that ties the metrics, which stay open as before, to the same callers.
 */
export function admissionNetworkPolicy(kyverno: KyvernoPlan): Manifest | undefined {
  const { apiServerAddresses, namespace, releaseName } = kyverno;
  if (!apiServerAddresses) return undefined;
  const kubeSystem = { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "kyverno-webhooks", namespace, labels: { ...MANAGED_BY } },
    spec: {
      podSelector: {
        matchLabels: {
          "app.kubernetes.io/instance": releaseName,
          "app.kubernetes.io/component": "admission-controller",
        },
      },
      policyTypes: ["Ingress"],
      ingress: [
        {
          // Where the control plane is somebody else's, its agents in kube-system call for it.
          from: [...apiServerAddresses.map((cidr) => ({ ipBlock: { cidr } })), { namespaceSelector: kubeSystem }],
          ports: [{ protocol: "TCP", port: 9443 }],
        },
        { ports: [{ protocol: "TCP", port: 8000 }] },
      ],
    },
  };
}
