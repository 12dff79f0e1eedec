import * as assert from "node:assert/strict";
import { globMatches } from "../../../../components/globs";
import { mergeValues } from "../../../../components/kyverno/values";
import { problemsOf } from "../../../support/problems";
import { compile, settings } from "../../../support/settings";

/** The chart values of a stack, read by dotted path. */
function valuesOf(kyverno: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const { chartValues } = compile(settings({ kyverno, ...more }));
  return (path: string) =>
    path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], chartValues);
}

const variables = (value: unknown) => (value as { name: string }[] | undefined)?.map(({ name }) => name);
const COLLECTOR_VARIABLES = ["GOGC", "GOMEMLIMIT"];
const TRUST_VARIABLES = ["SIGSTORE_ROOT_FILE", "SIGSTORE_REKOR_PUBLIC_KEY", "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE"];

describe("chart values", () => {
  it("keep Kyverno's webhooks away from system namespaces", () => {
    const value = valuesOf({}, { namespaces: { system: ["istio-system"] } });
    const [webhook] = value("config.webhooks") as { namespaceSelector: { matchExpressions: unknown } }[];
    assert.deepEqual(webhook!.namespaceSelector.matchExpressions, [
      {
        key: "kubernetes.io/metadata.name",
        operator: "NotIn",
        values: ["istio-system", "kube-node-lease", "kube-public", "kube-system"],
      },
    ]);
    const filters = value("config.resourceFilters") as string[];
    for (const name of ["istio-system", "kube-system"]) assert.ok(filters.includes(`[*/*,${name},*]`), name);
  });

  it("let policies see ReplicaSets, which the chart would filter", () => {
    const filters = valuesOf()("config.resourceFilters") as string[];
    assert.ok(!filters.some((filter) => filter.startsWith("[ReplicaSet")), filters.join());
    assert.ok(filters.includes("[Event,*,*]"));
  });

  it("filter out kinds of other groups that are called like a workload, and none of Kubernetes' own", () => {
    const filters = valuesOf()("config.resourceFilters") as string[];
    const patterns = filters.flatMap((filter) => /^\[([^/,]+)\/\*\/Deployment\/\*,\*,\*\]$/.exec(filter)?.[1] ?? []);
    assert.equal(patterns.length, 1, filters.join());
    for (const group of ["rollouts.example.com", "apps.kruise.io"]) assert.ok(globMatches(patterns[0]!, group), group);
    for (const group of ["", "apps", "batch"]) assert.ok(!globMatches(patterns[0]!, group), group);
  });

  it("spare nobody by group", () => {
    assert.deepEqual(valuesOf()("config.excludeGroups"), []);
  });

  it("keep exceptions off and failures closed", () => {
    const value = valuesOf();
    assert.equal(value("features.policyExceptions.enabled"), false);
    assert.equal(value("features.forceFailurePolicyIgnore.enabled"), false);
  });

  it("mount the trust files where images are verified: at admission and for reports", () => {
    const value = valuesOf();
    const name = compile(settings()).trust!.metadata.name;
    for (const controller of ["admissionController", "reportsController"])
      assert.deepEqual(value(`${controller}.sigstoreVolume`), { emptyDir: null, configMap: { name } }, controller);
    assert.deepEqual(variables(value("admissionController.container.extraEnvVars")), [
      ...COLLECTOR_VARIABLES,
      ...TRUST_VARIABLES,
    ]);
    assert.deepEqual(variables(value("reportsController.extraEnvVars")), TRUST_VARIABLES);
  });

  it("run one replica by default, and three apart from one another on request", () => {
    assert.equal(valuesOf()("admissionController.replicas"), 1);
    assert.equal(valuesOf()("admissionController.podDisruptionBudget"), undefined);
    const three = valuesOf({ replicas: 3 });
    assert.equal(three("admissionController.replicas"), 3);
    assert.deepEqual(three("admissionController.podDisruptionBudget"), { minAvailable: 2 });
    const [spread] = three("admissionController.topologySpreadConstraints") as { topologyKey: string }[];
    assert.equal(spread!.topologyKey, "kubernetes.io/hostname");
    assert.equal(three("admissionController.priorityClassName"), "system-cluster-critical");
    assert.equal(three("admissionController.container.resources.limits.memory"), "1Gi");
  });

  it("take every image from the mirror", () => {
    const value = valuesOf({ imageRegistry: "mirror.example.com/hub", kubectlImage: "docker.io/alpine/k8s:1.31.5" });
    for (const path of [
      ...["admissionController.container", "admissionController.initContainer", "backgroundController"],
      ...["cleanupController", "reportsController"],
    ])
      assert.equal(value(`${path}.image.registry`), "mirror.example.com/hub", path);
    assert.equal(value("webhooksCleanup.image"), "mirror.example.com/hub/alpine/k8s:1.31.5");
    assert.deepEqual(value("cleanupJobs.admissionReports.image"), {
      registry: "mirror.example.com",
      repository: "hub/alpine/k8s",
      tag: "1.31.5",
    });
  });

  it("keep a digest of the clean-up image whole", () => {
    const digest = "a".repeat(64);
    const value = valuesOf({ kubectlImage: `docker.io/alpine/k8s@sha256:${digest}` });
    const { registry, repository, tag } = value("cleanupJobs.admissionReports.image") as Record<string, string>;
    assert.equal(`${registry}/${repository}:${tag}`, `docker.io/alpine/k8s@sha256:${digest}`);
  });

  it("hand pull secrets to every controller and registry secrets to verification", () => {
    const value = valuesOf({ imagePullSecrets: ["pull"], registrySecrets: ["read"] });
    for (const name of ["admission", "background", "cleanup", "reports"])
      assert.deepEqual(value(`${name}Controller.imagePullSecrets`), [{ name: "pull" }], name);
    assert.deepEqual(value("existingImagePullSecrets"), ["read"]);
  });

  it("give the cloud identity to both controllers that read registries", () => {
    const value = valuesOf({
      registryIdentity: {
        awsRoleArn: "arn:aws:iam::123456789012:role/kyverno",
        azureClientId: "00000000-0000-0000-0000-000000000000",
      },
    });
    for (const name of ["admission", "reports"]) {
      assert.deepEqual(value(`${name}Controller.rbac.serviceAccount.annotations`), {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/kyverno",
        "azure.workload.identity/client-id": "00000000-0000-0000-0000-000000000000",
      });
      assert.deepEqual(value(`${name}Controller.podLabels`), { "azure.workload.identity/use": "true" });
    }
    assert.equal(value("cleanupController.rbac"), undefined);
  });

  it("let Go collect garbage rarely, but before the memory limit is reached", () => {
    for (const [memoryLimit, limit] of [
      ["384Mi", "288MiB"],
      ["1Gi", "768MiB"],
      ["500Mi", "375MiB"],
    ]) {
      const value = valuesOf({ memoryLimit });
      assert.deepEqual((value("admissionController.container.extraEnvVars") as unknown[]).slice(0, 2), [
        { name: "GOGC", value: "400" },
        { name: "GOMEMLIMIT", value: limit },
      ]);
    }
  });

  it("take the user's garbage collector instead of the guard's", () => {
    const mine = { name: "GOGC", value: "100" };
    const value = valuesOf({ values: { admissionController: { container: { extraEnvVars: [mine] } } } });
    const given = value("admissionController.container.extraEnvVars") as { name: string; value: string }[];
    assert.deepEqual(
      given.filter(({ name }) => name === "GOGC"),
      [mine],
    );
    assert.ok(given.some(({ name }) => name === "GOMEMLIMIT"));
  });

  it("take the user's values over the guard's, and add the user's variables", () => {
    const proxy = { name: "HTTPS_PROXY", value: "http://proxy" };
    const value = valuesOf({
      values: {
        features: { omitEvents: { eventTypes: [] }, logging: { format: "json" } },
        admissionController: { container: { extraEnvVars: [proxy] } },
      },
    });
    assert.deepEqual(value("features.omitEvents.eventTypes"), []);
    assert.equal(value("features.logging.format"), "json");
    assert.equal(value("features.policyExceptions.enabled"), false);
    assert.deepEqual(variables(value("admissionController.container.extraEnvVars")), [
      ...COLLECTOR_VARIABLES,
      ...TRUST_VARIABLES,
      proxy.name,
    ]);
  });

  it("are merged without changing either side", () => {
    const base = Object.freeze({ a: Object.freeze({ b: 1 }), list: [1] });
    const over = Object.freeze({ a: Object.freeze({ c: 2 }), list: [2] });
    assert.deepEqual(mergeValues(base, over), { a: { b: 1, c: 2 }, list: [2] });
  });

  describe("of Kyverno 1.19", () => {
    const next = (kyverno: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
      valuesOf({ target: "1.19", ...kyverno }, more);

    it("mount the trust files apart from where Kyverno writes its own", () => {
      const name = compile(settings({ kyverno: { target: "1.19" } })).trust!.metadata.name;
      for (const controller of ["admissionController", "reportsController"]) {
        assert.equal(next()(`${controller}.sigstoreVolume`), undefined);
        assert.deepEqual(next()(`${controller}.extraVolumes`), [
          { name: "image-signing-guard-trust", configMap: { name } },
        ]);
        const [mount] = next()(`${controller}.extraVolumeMounts`) as { mountPath: string; readOnly: boolean }[];
        assert.deepEqual([mount!.mountPath, mount!.readOnly], ["/image-signing-guard-trust", true]);
      }
      const list = next()("admissionController.container.extraEnvVars") as { name: string; value: string }[];
      assert.equal(
        list.find((one) => one.name === "SIGSTORE_ROOT_FILE")!.value,
        "/image-signing-guard-trust/fulcio.pem",
      );
    });

    it("keep ours beside volumes of the user's", () => {
      const mine = { name: "mine", emptyDir: {} };
      const value = next({ values: { admissionController: { extraVolumes: [mine] } } });
      assert.deepEqual(
        (value("admissionController.extraVolumes") as { name: string }[]).map(({ name }) => name),
        ["image-signing-guard-trust", "mine"],
      );
    });

    it("take the right to write policies from namespaces' admins, and have no Job that another image runs", () => {
      assert.equal(next()("rbac.roles.aggregate.admin"), false);
      assert.equal(valuesOf()("rbac"), undefined);
      assert.equal(next()("crds.migration.enabled"), false);
      assert.deepEqual(next()("webhooksCleanup"), { enabled: false });
      assert.equal(next()("cleanupJobs"), undefined);
    });

    it("filter the reports of both lines", () => {
      const filters = next()("config.resourceFilters") as string[];
      for (const kind of ["EphemeralReport", "ClusterEphemeralReport", "AdmissionReport"])
        assert.ok(filters.includes(`[${kind},*,*]`), kind);
    });

    it("have no use for kubectl", () => {
      const problem = problemsOf(() => next({ kubectlImage: "docker.io/alpine/k8s:1.31.5" }))[0]!;
      assert.equal(problem.key, "kyverno.kubectlImage");
      assert.match(problem.fix, /kyverno\.target: "1\.10"/);
    });
  });
});
