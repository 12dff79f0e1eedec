import type { Json, Manifest } from "../kubernetes/manifest";
import { containersIn } from "../posture/cel";
import type { Posture } from "../posture/types";
import { BACKSTOP_LABELS, resources } from "./manifests";
import { notIn, STARTS } from "./startingPods";

/** Where each kind keeps the spec of its pods. */
const SPECS: readonly { readonly of: string; readonly spec: string; readonly rules: Json[] }[] = [
  {
    of: "pod",
    spec: ".spec",
    rules: STARTS,
  },
  {
    of: "template",
    spec: ".spec.?template.?spec",
    rules: [
      resources("apps", "*", ["deployments", "statefulsets", "daemonsets", "replicasets"], ["CREATE", "UPDATE"]),
      resources("batch", "*", ["jobs"], ["CREATE", "UPDATE"]),
      resources("", "v1", ["replicationcontrollers"], ["CREATE", "UPDATE"]),
    ],
  },
  {
    of: "cronjob",
    spec: ".spec.?jobTemplate.?spec.?template.?spec",
    rules: [resources("batch", "*", ["cronjobs"], ["CREATE", "UPDATE"])],
  },
];

/**
 * What a pod costs Kyverno grows with its containers, and a few large ones starve it. ValidatingAdmissionPolicies come
 * after Kyverno's mutating webhook, so they would come too late. Mutating webhooks are asked in the order of their
 * configurations' names, and this one's conditions hold for pods that are too large and for nothing else: there is
 * nobody to answer, so that those are refused before Kyverno hears of them, and no other request ever waits for it.
 */
export function podSizeLimit(posture: Posture, maxContainers: number): Manifest {
  const system = posture.namespaces.find(({ name }) => name === "system")!.patterns;
  const webhooks = SPECS.map(({ of, spec, rules }) => {
    const [now, before] = [`object${spec}`, `oldObject${spec}`].map(containersIn);
    return {
      // Names are all that the API server's refusal shows.
      name: `at-most-${maxContainers}-containers.${of}.image-signing-guard`,
      clientConfig: {
        service: {
          namespace: posture.kyverno.namespace,
          name: `a-pod-may-have-at-most-${maxContainers}-containers`,
          path: "/",
          port: 443,
        },
      },
      rules: rules.map((rule) => ({ ...rule, scope: "Namespaced" })),
      matchConditions: [
        { name: "too-large", expression: `${now} > ${maxContainers}` },
        // What is there already may still be changed, as long as it does not grow.
        { name: "grows", expression: `request.operation == 'CREATE' || ${now} > ${before}` },
      ],
      namespaceSelector: { matchExpressions: notIn(system) },
      objectSelector: {},
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      reinvocationPolicy: "Never",
      sideEffects: "None",
      timeoutSeconds: 1,
      admissionReviewVersions: ["v1"],
    };
  });
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    // Before "kyverno-...", which is what makes it come first.
    metadata: { name: "image-signing-guard-pod-size", labels: { ...BACKSTOP_LABELS } },
    webhooks,
  };
}
