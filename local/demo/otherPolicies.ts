import type { Json } from "../../components/kubernetes/manifest";

const EXCLUDED = { any: [{ resources: { namespaces: ["kube-*", "kyverno"] } }] };

const policy = (name: string, rule: Json, spec: Json = {}): Json => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name },
  spec: { validationFailureAction: "Enforce", background: true, ...spec, rules: [{ name, ...rule }] },
});

const pods = { any: [{ resources: { kinds: ["Pod"] } }] };

/** What other teams have in the same Kyverno: a check, a change, something that is generated, and their own images. */
export const otherPolicies: readonly Json[] = [
  policy("no-privileged-containers", {
    match: pods,
    exclude: EXCLUDED,
    validate: {
      message: "privileged containers are not allowed",
      pattern: { spec: { containers: [{ "=(securityContext)": { "=(privileged)": "false" } }] } },
    },
  }),
  policy("no-latest-tag", {
    match: pods,
    exclude: EXCLUDED,
    validate: { message: "name a version", pattern: { spec: { containers: [{ image: "!*:latest" }] } } },
  }),
  policy("default-requests", {
    match: pods,
    exclude: EXCLUDED,
    mutate: {
      patchStrategicMerge: {
        spec: { containers: [{ "(name)": "*", resources: { requests: { "+(memory)": "64Mi" } } }] },
      },
    },
  }),
  policy("team-label", {
    match: pods,
    exclude: EXCLUDED,
    mutate: { patchStrategicMerge: { metadata: { labels: { "+(team)": "nobody" } } } },
  }),
  policy("deny-all-traffic", {
    match: { any: [{ resources: { kinds: ["Namespace"], names: ["new-*"] } }] },
    generate: {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      name: "deny-all",
      namespace: "{{request.object.metadata.name}}",
      synchronize: true,
      data: { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
    },
  }),
];

/** As many checks of pods as somebody has who has a policy for each line of a standard. */
export function manyPolicies(count: number): Json[] {
  return Array.from({ length: count }, (_, at) =>
    policy(`standard-${at}`, {
      match: pods,
      exclude: EXCLUDED,
      validate: {
        message: `annotation standard-${at} is reserved`,
        pattern: { "=(metadata)": { "=(annotations)": { [`=(example.com/standard-${at})`]: "?*" } } },
      },
    }),
  );
}
