import * as assert from "node:assert/strict";
import { findUnsafeValues } from "../../../../components/posture/unsafeValues";
import { problemsOf } from "../../../support/problems";
import { postureOf, settings } from "../../../support/settings";

const at = (path: string, value: unknown) =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
const pathsOf = (values: Record<string, unknown>) => findUnsafeValues(values).map(({ path }) => path);

const UNSAFE = [
  ...["config.webhooks", "config.resourceFilters", "config.excludeGroups", "config.excludeUsernames", "crds.install"],
  ...["fullnameOverride", "nameOverride", "namespaceOverride", "webhooksCleanup.enabled", "templating.enabled"],
  ...[
    "features.forceFailurePolicyIgnore.enabled",
    "features.policyExceptions.enabled",
    "features.policyReports.enabled",
  ],
  ...[
    "features.autoUpdateWebhooks.enabled",
    "features.backgroundScan.enabled",
    "features.registryClient.allowInsecure",
  ],
  ...["admissionController.replicas", "admissionController.container.image.tag", "admissionController.rbac.create"],
  ...["admissionController.container.extraArgs.allowInsecureRegistry", "admissionController.sigstoreVolume.emptyDir"],
  ...["admissionController.featuresOverride.policyExceptions.enabled", "reportsController.enabled"],
  ...["admissionController.createSelfSignedCert", "reportsController.sigstoreVolume", "reportsController.extraArgs.x"],
];
const SAFE = [
  ...["features.logging.format", "features.dumpPayload.enabled", "admissionController.nodeSelector.disk"],
  ...["admissionController.tolerations", "reportsController.resources.limits.memory", "customLabels.team"],
  ...["admissionController.container.resources.limits.cpu", "backgroundController.replicas", "grafana.enabled"],
  ...["admissionController.serviceMonitor.enabled", "configuration", "crdsExtra.install"],
];

describe("unsafe chart values", () => {
  for (const path of UNSAFE) it(`are found at ${path}`, () => assert.deepEqual(pathsOf(at(path, "x")), [path]));

  for (const path of SAFE) it(`are not seen in ${path}`, () => assert.deepEqual(pathsOf(at(path, "x")), []));

  it("are found where a block above them is emptied", () => {
    for (const path of ["features", "admissionController", "admissionController.container", "reportsController"])
      for (const nothing of [null, "", []]) assert.deepEqual(pathsOf(at(path, nothing)), [path]);
  });

  it("are variables that replace trust anchors, and not other variables", () => {
    const list = ["SIGSTORE_ROOT_FILE", "TUF_ROOT", "COSIGN_EXPERIMENTAL", "HTTPS_PROXY"].map((name) => ({
      name,
      value: "x",
    }));
    for (const path of ["admissionController.container.extraEnvVars", "reportsController.extraEnvVars"])
      assert.deepEqual(
        pathsOf(at(path, list)),
        ["SIGSTORE_ROOT_FILE", "TUF_ROOT", "COSIGN_EXPERIMENTAL"].map((name) => `${path}.${name}`),
      );
  });

  it("are variables that are no list, which would take the trust anchors away", () => {
    for (const path of ["admissionController.container.extraEnvVars", "reportsController.extraEnvVars"])
      for (const wrong of [null, {}, { a: 1 }, "x"]) assert.deepEqual(pathsOf(at(path, wrong)), [path]);
  });

  it("are features that another controller overrides, since the chart merges them into those of all", () => {
    for (const controller of ["backgroundController", "cleanupController"]) {
      const path = `${controller}.featuresOverride.forceFailurePolicyIgnore.enabled`;
      assert.deepEqual(pathsOf(at(path, true)), [path]);
    }
  });

  it("are refused unless allowed, and then stand in the posture", () => {
    const values = { crds: { install: false }, config: { excludeGroups: ["x"] } };
    const keys = problemsOf(() => postureOf(settings({ kyverno: { values } }))).map(({ key }) => key);
    assert.deepEqual(keys, ["kyverno.values.crds.install", "kyverno.values.config.excludeGroups"]);
    const { kyverno } = postureOf(settings({ kyverno: { values, allowUnsafeValues: true } }));
    assert.deepEqual(kyverno.unsafeValues, ["config.excludeGroups", "crds.install"]);
  });
});
