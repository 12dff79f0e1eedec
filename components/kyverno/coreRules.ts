/** A rule of a ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly verbs: string[];
}

const MANAGE = ["create", "delete", "get", "list", "patch", "update", "watch", "deletecollection"];
const READ = ["get", "list", "watch"];
const KYVERNO_REPORTS = [
  "admissionreports",
  "clusteradmissionreports",
  "backgroundscanreports",
  "clusterbackgroundscanreports",
];
const POLICY_REPORTS: PolicyRule = {
  apiGroups: ["wgpolicyk8s.io"],
  resources: ["policyreports", "policyreports/status", "clusterpolicyreports", "clusterpolicyreports/status"],
  verbs: MANAGE,
};

/**
 * What each controller of chart 3.0.9 may do, in the chart's own order: two lists of rules count as one only when they
 * are equal to the letter.
 */
export const CORE_RULES: Record<string, PolicyRule[]> = {
  "admission-controller": [
    {
      apiGroups: ["admissionregistration.k8s.io"],
      resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
      verbs: MANAGE,
    },
    {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
      verbs: ["watch", "list"],
    },
    {
      apiGroups: ["kyverno.io"],
      resources: [
        "policies",
        "policies/status",
        "clusterpolicies",
        "clusterpolicies/status",
        "updaterequests",
        "updaterequests/status",
        ...KYVERNO_REPORTS,
      ],
      verbs: MANAGE,
    },
    POLICY_REPORTS,
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "update", "patch"] },
    { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
    { apiGroups: ["*"], resources: ["*"], verbs: READ },
  ],
  "background-controller": [
    { apiGroups: ["*"], resources: ["*"], verbs: READ },
    { apiGroups: ["kyverno.io"], resources: ["updaterequests", "updaterequests/status"], verbs: MANAGE },
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "update", "patch"] },
    {
      apiGroups: ["networking.k8s.io"],
      resources: ["ingresses", "ingressclasses", "networkpolicies"],
      verbs: ["create", "update", "patch", "delete"],
    },
    {
      apiGroups: [""],
      resources: ["configmaps", "secrets", "resourcequotas", "limitranges"],
      verbs: ["create", "update", "patch", "delete"],
    },
    {
      apiGroups: ["rbac.authorization.k8s.io"],
      resources: ["rolebindings", "roles"],
      verbs: ["create", "update", "patch", "delete"],
    },
  ],
  "cleanup-controller": [
    {
      apiGroups: ["admissionregistration.k8s.io"],
      resources: ["validatingwebhookconfigurations"],
      verbs: ["create", "delete", "get", "list", "update", "watch"],
    },
    { apiGroups: [""], resources: ["namespaces"], verbs: READ },
    {
      apiGroups: ["kyverno.io"],
      resources: ["clustercleanuppolicies", "cleanuppolicies", "clustercleanuppolicies/*", "cleanuppolicies/*"],
      verbs: MANAGE,
    },
    { apiGroups: ["batch"], resources: ["cronjobs"], verbs: ["create", "delete", "get", "list", "update", "watch"] },
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch", "update"] },
    { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
  ],
  "reports-controller": [
    { apiGroups: ["*"], resources: ["*"], verbs: READ },
    {
      apiGroups: ["kyverno.io"],
      resources: KYVERNO_REPORTS,
      verbs: MANAGE,
    },
    POLICY_REPORTS,
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
  ],
};
