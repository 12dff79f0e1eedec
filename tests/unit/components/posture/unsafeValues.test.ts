import * as assert from "node:assert/strict";
import chartKeysOnRecord from "../../../../components/posture/chartKeys.json";
import { findUnsafeValues } from "../../../../components/posture/unsafeValues";
import { chartKeysOf } from "../../../../local/packaging/chartKeys";
import { CHART_VARIABLE } from "../../../support/crdSchema";
import { problemsOf } from "../../../support/problems";
import { postureOf, settings, warningsOf } from "../../../support/settings";

const at = (path: string, value: unknown) =>
  path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
const pathsOf = (values: Record<string, unknown>) => findUnsafeValues(values).map(({ path }) => path);

/** A value that is refused, and a word of what it would undo. */
const UNSAFE: [path: string, undoes: RegExp][] = [
  ["config.webhooks", /namespaces that Kyverno is asked about/],
  ["config.resourceFilters", /judged by no policy/],
  ["config.excludeGroups", /run any image/],
  ["config.excludeUsernames", /run any image/],
  ["config.defaultRegistry", /read otherwise/],
  ["crds.install", /removes every policy/],
  ["fullnameOverride", /fixed names/],
  ["nameOverride", /fixed names/],
  ["namespaceOverride", /kyverno\.namespace/],
  ["webhooksCleanup.enabled", /webhooks that block the cluster/],
  ["webhooksCleanup.image", /kyverno\.kubectlImage/],
  ["templating.enabled", /template/],
  ["config.matchConditions", /not be asked/],
  ["config.resourceFiltersInclude", /judged by no policy/],
  ["crds.groups.kyverno.clusterpolicies", /removes every policy/],
  ["rbac.roles.aggregate.admin", /Kyverno's own rights/],
  ["openreports.enabled", /wgpolicyk8s/],
  ["global.caCertificates.data", /kyverno\.registryCa/],
  ["global.image.registry", /kyverno\.imageRegistry/],
  ["features.tuf.mirror", /trust\.tuf/],
  ["features.reporting.imageVerify", /leave out/],
  ["admissionController.container.extraArgs.tufMirror", /trust\.tuf/],
  ["reportsController.extraArgs.openreportsEnabled", /wgpolicyk8s/],
  ["features.forceFailurePolicyIgnore.enabled", /while Kyverno is down/],
  ["features.policyExceptions.enabled", /switches policies off/],
  ["features.policyReports.enabled", /no reports/],
  ["features.autoUpdateWebhooks.enabled", /nothing would be judged/],
  ["features.backgroundScan.enabled", /no longer be scanned/],
  ["features.registryClient.allowInsecure", /without TLS/],
  ["admissionController.replicas", /kyverno\.replicas/],
  ["admissionController.container.image.tag", /kyverno\.target/],
  ["admissionController.rbac.create", /update its webhooks/],
  ["admissionController.container.extraArgs.allowInsecureRegistry", /without TLS/],
  ["admissionController.container.extraArgs.serverIP", /instead of Kyverno's Service/],
  ["admissionController.sigstoreVolume.emptyDir", /trust anchors/],
  ["admissionController.featuresOverride.policyExceptions.enabled", /merges it into every/],
  ["admissionController.createSelfSignedCert", /new certificate/],
  ["reportsController.enabled", /no reports/],
  ["reportsController.sigstoreVolume", /trust anchors/],
  ["reportsController.extraArgs.skipResourceFilters", /vanish from the reports/],
];
/** Neighbours of those, and others. */
const SAFE = [
  ...["config.webhookAnnotations.example", "config.annotations.example", "config.generateSuccessEvents"],
  ...["crds.annotations.example", "webhooksCleanup.tolerations", "features.backgroundScan.backgroundScanWorkers"],
  ...["features.registryClient.credentialHelpers", "admissionController.container.image.pullPolicy"],
  ...["admissionController.container.extraArgs.clientRateLimitQPS", "reportsController.extraArgs.maxQueuedEvents"],
  ...["admissionController.container.extraArgs.webhookServerPort", "admissionController.hostNetwork"],
  ...["admissionController.featuresOverride.logging.format", "admissionController.service.port"],
  ...["admissionController.rbac.serviceAccount.annotations.example", "admissionController.rbac.clusterRole"],
  ...["features.logging.format", "features.dumpPayload.enabled", "admissionController.nodeSelector.disk"],
  ...["admissionController.tolerations", "reportsController.resources.limits.memory", "customLabels.team"],
  ...["admissionController.container.resources.limits.cpu", "backgroundController.replicas", "grafana.enabled"],
  ...["admissionController.serviceMonitor.enabled", "configuration", "crdsExtra.install"],
];

describe("unsafe chart values", () => {
  for (const [path, undoes] of UNSAFE)
    it(`are found at ${path}, with what it would undo`, () => {
      const found = findUnsafeValues(at(path, "x"));
      assert.deepEqual(
        found.map((value) => value.path),
        [path],
      );
      assert.match(found[0]!.why, undoes);
    });

  for (const path of SAFE) it(`are not seen in ${path}`, () => assert.deepEqual(pathsOf(at(path, "x")), []));

  it("are found where a block above them is emptied", () => {
    for (const path of ["features", "admissionController", "admissionController.container", "reportsController"])
      for (const nothing of [null, "", []]) assert.deepEqual(pathsOf(at(path, nothing)), [path]);
  });

  it("are variables that replace trust anchors, and not other variables", () => {
    const list = ["SIGSTORE_ROOT_FILE", "TUF_ROOT", "SSL_CERT_FILE", "KYVERNO_SVC", "HTTPS_PROXY"].map((name) => ({
      name,
      value: "x",
    }));
    for (const path of ["admissionController.container.extraEnvVars", "reportsController.extraEnvVars"])
      assert.deepEqual(
        pathsOf(at(path, list)),
        ["SIGSTORE_ROOT_FILE", "TUF_ROOT", "SSL_CERT_FILE", "KYVERNO_SVC"].map((name) => `${path}.${name}`),
      );
  });

  it("are the volume of the trust files, and not other volumes", () => {
    for (const path of ["admissionController.extraVolumes", "reportsController.extraVolumeMounts"]) {
      assert.deepEqual(pathsOf(at(path, [{ name: "mine" }])), []);
      assert.deepEqual(pathsOf(at(path, [{ name: "image-signing-guard-trust" }])), [
        `${path}.image-signing-guard-trust`,
      ]);
      assert.deepEqual(pathsOf(at(path, "none")), [path]);
    }
    const list = [{ name: "SIGSTORE_ROOT_FILE", value: "x" }];
    assert.deepEqual(pathsOf(at("global.extraEnvVars", list)), ["global.extraEnvVars.SIGSTORE_ROOT_FILE"]);
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

describe("chart values that the chart does not have", () => {
  const found = (values: Record<string, unknown>) => problemsOf(() => postureOf(settings({ kyverno: { values } })));
  /** A value of a newer chart or a mistyped one, and what it was meant to be. */
  const UNKNOWN: [path: string, fix: RegExp][] = [
    ["admissionController.podDisruptionBudget.enabled", /remove it/],
    ["features.globalContext.maxApiCallResponseLength", /remove it/],
    ["global.image.registry", /remove it/],
    ["admissionController.replica", /did you mean admissionController\.replicas\?/],
    ["admissionController.container.extraEnvVar", /did you mean admissionController\.container\.extraEnvVars\?/],
    ["reportsControler.resources.limits.memory", /did you mean reportsController\.resources\?/],
    ["crds.migration.enabled", /remove it/],
    ["config.matchConditions", /remove it/],
    ["webhooksCleanup.image.repository", /remove it/],
  ];
  for (const [path, fix] of UNKNOWN)
    it(`are refused: ${path}`, () => {
      const problem = found(at(path, "x")).find(({ key }) => key === `kyverno.values.${path}`);
      assert.match(problem!.found, /chart 3\.0\.9 does not have/);
      assert.match(problem!.fix, fix);
    });

  it("are not those that it hands on whole, and another line has others", () => {
    for (const path of [
      ...["customLabels.team", "admissionController.nodeSelector.disk", "reportsController.resources.limits.cpu"],
      ...["admissionController.container.securityContext.runAsUser", "config.webhookAnnotations.a/b.c"],
      ...["admissionController.startupProbe.httpGet.port", "imagePullSecrets.ghcr.username", "grafana.labels.x"],
    ])
      postureOf(settings({ kyverno: { values: at(path, "x") } }));
    postureOf(settings({ kyverno: { target: "1.19", values: at("global.resyncPeriod", "x") } }));
  });

  it("are flags too, which would keep Kyverno from starting", () => {
    const raw = settings({ kyverno: { values: at("admissionController.container.extraArgs.webhookServerPort", 1) } });
    assert.match(warningsOf(raw).join(), /v1\.10\.7 has no flag --webhookServerPort/);
    const known = settings({
      kyverno: { values: at("admissionController.container.extraArgs.clientRateLimitQPS", 1) },
    });
    assert.deepEqual(warningsOf(known), []);
  });

  it("are known from the chart itself", function () {
    const folder = process.env[CHART_VARIABLE];
    if (!folder) {
      (this as unknown as { skipReason: string }).skipReason = `${CHART_VARIABLE} names no chart folder`;
      return this.skip();
    }
    const { version, keys } = chartKeysOf(folder);
    assert.deepEqual(
      chartKeysOnRecord[version as keyof typeof chartKeysOnRecord],
      keys,
      "npm run chart-keys CHART_FOLDER",
    );
  });
});
