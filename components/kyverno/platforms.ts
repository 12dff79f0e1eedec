import { KyvernoPlatform } from "../args";
import type { Json } from "../kubernetes/manifest";
import type { KyvernoPlan, RegistryIdentity } from "../posture/types";

/** Chart values that a Kubernetes of somebody's needs; docs/platforms.md has the reasons for people. */
const PLATFORM_VALUES: Readonly<Record<KyvernoPlatform, (kyverno: KyvernoPlan) => Json>> = {
  // restricted-v2 gives each namespace its own user IDs and refuses a pod that asks for another.
  [KyvernoPlatform.OpenShift]: () => {
    const assigned = { podSecurityContext: { runAsUser: null, runAsGroup: null } };
    return {
      cleanupJobs: { admissionReports: assigned, clusterAdmissionReports: assigned },
      test: { securityContext: { runAsUser: null, runAsGroup: null } },
    };
  },
  // Its admissions enforcer would add selectors of its own to the webhooks, and Kyverno take them out again, without end.
  [KyvernoPlatform.Aks]: () => ({ config: { webhookAnnotations: { "admissions.enforcer/disabled": "true" } } }),
  // Limits become what is requested, and requests below its least are raised.
  [KyvernoPlatform.GkeAutopilot]: ({ memoryLimit }) => {
    const least = { limits: { memory: "512Mi" }, requests: { cpu: "250m", memory: "512Mi" } };
    return {
      admissionController: { container: { resources: { requests: { cpu: "500m", memory: memoryLimit } } } },
      backgroundController: { resources: least },
      cleanupController: { resources: least },
      reportsController: { resources: least },
    };
  },
};

export function platformValues(kyverno: KyvernoPlan): Json {
  return kyverno.platform ? PLATFORM_VALUES[kyverno.platform](kyverno) : {};
}

/** On the node's network, where the API server can't reach pods. Kyverno 1.10 listens on 9443 and 8000, and on nothing else. */
export function hostNetworkValues({ hostNetwork, replicas }: KyvernoPlan): Json {
  if (!hostNetwork) return {};
  return {
    hostNetwork: true,
    // Else the pod would ask the node's DNS, which knows no Services.
    dnsPolicy: "ClusterFirstWithHostNet",
    // A second pod does not fit on the node while the first has its ports.
    ...(replicas === 1
      ? { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } }
      : {}),
  };
}

/**
 * A proxy for whoever reads registries. The API server is never asked through it: its address in the cluster is in the
 * variable that Kubernetes itself sets.
 */
export function proxyVariables({ proxy }: KyvernoPlan): Json[] {
  if (!proxy) return [];
  const noProxy = ["localhost", "127.0.0.1", "$(KUBERNETES_SERVICE_HOST)", ".svc", ".cluster.local", ...proxy.noProxy];
  return [
    ...(proxy.http ? [{ name: "HTTP_PROXY", value: proxy.http }] : []),
    ...(proxy.https ? [{ name: "HTTPS_PROXY", value: proxy.https }] : []),
    { name: "NO_PROXY", value: noProxy.join(",") },
  ];
}

/** What the clouds look for on a pod that acts as one of their identities; Kyverno's registry helpers do the rest. */
export function cloudIdentity({ awsRoleArn, azureClientId, googleServiceAccount }: RegistryIdentity): {
  readonly annotations: Readonly<Record<string, string>>;
  readonly podLabels?: Readonly<Record<string, string>>;
} {
  return {
    annotations: {
      ...(awsRoleArn ? { "eks.amazonaws.com/role-arn": awsRoleArn } : {}),
      ...(azureClientId ? { "azure.workload.identity/client-id": azureClientId } : {}),
      ...(googleServiceAccount ? { "iam.gke.io/gcp-service-account": googleServiceAccount } : {}),
    },
    ...(azureClientId ? { podLabels: { "azure.workload.identity/use": "true" } } : {}),
  };
}
