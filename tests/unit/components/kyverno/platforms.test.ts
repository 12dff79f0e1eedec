import * as assert from "node:assert/strict";
import type { Json, Manifest } from "../../../../components/kubernetes/manifest";
import { newAuthority, type TestAuthority } from "../../../support/pems";
import { problemsOf } from "../../../support/problems";
import { compile, postureOf, settings } from "../../../support/settings";

const compiled = (kyverno: Record<string, unknown>) => compile(settings({ kyverno }));
const valuesOf = (kyverno: Record<string, unknown>): Json => compiled(kyverno).chartValues;
const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((node, key) => (node as Json | undefined)?.[key], value);
const PLAIN = () => valuesOf({});

/** The paths at which two blocks differ. */
function differences(left: unknown, right: unknown, path = ""): string[] {
  const isBlock = (value: unknown): value is Json =>
    value !== null && typeof value === "object" && !Array.isArray(value);
  if (!isBlock(left) || !isBlock(right)) return JSON.stringify(left) === JSON.stringify(right) ? [] : [path];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    differences(left[key], right[key], path ? `${path}.${key}` : key),
  );
}

const CONTROLLERS = {
  admission: "admissionController.container.extraEnvVars",
  reports: "reportsController.extraEnvVars",
};
const variable = (values: Json, path: string, name: string) =>
  (at(values, path) as { name: string; value: string }[]).find((entry) => entry.name === name)?.value;

describe("platforms", () => {
  /** A setting, and every chart value that it changes with what it becomes. */
  const CHANGES: [what: string, kyverno: Record<string, unknown>, changed: Record<string, unknown>][] = [
    [
      "OpenShift gives the clean-up jobs their user",
      { platform: "openshift" },
      {
        "cleanupJobs.admissionReports.podSecurityContext.runAsUser": null,
        "cleanupJobs.admissionReports.podSecurityContext.runAsGroup": null,
        "cleanupJobs.clusterAdmissionReports.podSecurityContext.runAsUser": null,
        "cleanupJobs.clusterAdmissionReports.podSecurityContext.runAsGroup": null,
        test: { securityContext: { runAsUser: null, runAsGroup: null } },
      },
    ],
    [
      "AKS's enforcer leaves the webhooks alone",
      { platform: "aks" },
      { "config.webhookAnnotations": { "admissions.enforcer/disabled": "true" } },
    ],
    [
      "GKE Autopilot gets requests that it keeps",
      { platform: "gkeAutopilot" },
      {
        "admissionController.container.resources.requests": {
          cpu: "500m",
          memory: at(PLAIN(), "admissionController.container.resources.limits.memory"),
        },
        "backgroundController.resources": { limits: { memory: "512Mi" }, requests: { cpu: "250m", memory: "512Mi" } },
        "cleanupController.resources": { limits: { memory: "512Mi" }, requests: { cpu: "250m", memory: "512Mi" } },
        "reportsController.resources": { limits: { memory: "512Mi" }, requests: { cpu: "250m", memory: "512Mi" } },
      },
    ],
    [
      "EKS with another network has the admission controller on the node's",
      { hostNetwork: true, replicas: 3 },
      { "admissionController.hostNetwork": true, "admissionController.dnsPolicy": "ClusterFirstWithHostNet" },
    ],
    [
      "one replica on the node's network makes room before the next starts",
      { hostNetwork: true, replicas: 1 },
      {
        "admissionController.hostNetwork": true,
        "admissionController.dnsPolicy": "ClusterFirstWithHostNet",
        "admissionController.updateStrategy": {
          type: "RollingUpdate",
          rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
        },
      },
    ],
  ];
  for (const [what, kyverno, changed] of CHANGES)
    it(`${what}, and nothing else changes`, () => {
      const { platform: _, hostNetwork: __, ...rest } = kyverno;
      const [before, after] = [valuesOf(rest), valuesOf(kyverno)];
      assert.deepEqual(differences(before, after).sort(), Object.keys(changed).sort());
      for (const [path, value] of Object.entries(changed)) assert.deepEqual(at(after, path), value, path);
    });

  it("GKE Autopilot gets no critical priority class by itself", () => {
    assert.equal(
      postureOf(settings({ kyverno: { replicas: 3 } })).kyverno.priorityClassName,
      "system-cluster-critical",
    );
    const autopilot = (more: object) =>
      postureOf(settings({ kyverno: { replicas: 3, platform: "gkeAutopilot", ...more } })).kyverno.priorityClassName;
    assert.equal(autopilot({}), "");
    assert.equal(autopilot({ priorityClassName: "ours" }), "ours");
  });

  it("GKE Autopilot and the node's network exclude each other", () => {
    const raw = settings({ kyverno: { platform: "gkeAutopilot", hostNetwork: true } });
    assert.deepEqual(
      problemsOf(() => postureOf(raw)).map(({ key }) => key),
      ["kyverno.hostNetwork"],
    );
  });

  it("the user's values are merged over those of the platform", () => {
    const values = { config: { webhookAnnotations: { "admissions.enforcer/disabled": "false", team: "a" } } };
    assert.deepEqual(
      at(valuesOf({ platform: "aks", values }), "config.webhookAnnotations"),
      values.config.webhookAnnotations,
    );
  });
});

describe("a proxy", () => {
  it("is set for both controllers that read registries, and never for the API server", () => {
    const values = valuesOf({ proxy: { https: "http://proxy.example.com:3128", noProxy: ["10.0.0.0/8"] } });
    for (const path of Object.values(CONTROLLERS)) {
      assert.equal(variable(values, path, "HTTPS_PROXY"), "http://proxy.example.com:3128");
      assert.equal(variable(values, path, "HTTP_PROXY"), undefined);
      assert.equal(
        variable(values, path, "NO_PROXY"),
        "localhost,127.0.0.1,$(KUBERNETES_SERVICE_HOST),.svc,.cluster.local,10.0.0.0/8",
      );
      assert.ok(variable(values, path, "SIGSTORE_ROOT_FILE"), "beside the trust anchors");
    }
  });

  const BAD: [proxy: Record<string, unknown>, key: string, fix: RegExp][] = [
    [{ noProxy: ["a"] }, "kyverno.proxy", /name the proxy/],
    [{ https: "proxy:3128" }, "kyverno.proxy.https", /write http:\/\/ before it/],
    [{ https: "http://me:hunter2@proxy.example.com" }, "kyverno.proxy.https", /without user and password/],
    [{ https: "http://p", noProxy: ["https://x"] }, "kyverno.proxy.noProxy[0]", /scheme/],
    [{ https: "http://p", noProxy: ["a,b"] }, "kyverno.proxy.noProxy[0]", /10\.0\.0\.0/],
  ];
  for (const [proxy, key, fix] of BAD)
    it(`is refused: ${JSON.stringify(proxy)}`, () => {
      const [problem, ...others] = problemsOf(() => postureOf(settings({ kyverno: { proxy } })));
      assert.deepEqual([problem!.key, others.length], [key, 0]);
      assert.match(problem!.fix, fix);
      assert.doesNotMatch(JSON.stringify(problem), /hunter2/);
    });
});

describe("a registry's authority", () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await newAuthority();
  });

  it("reaches both controllers as a file in a folder of its own, beside the public authorities", () => {
    const { trust, chartValues } = compiled({ registryCa: authority.root.pem });
    const files = (trust as Manifest).data as Record<string, string>;
    assert.equal(files["registry-ca.pem"]?.trim(), authority.root.pem.trim());
    for (const [name, path] of Object.entries(CONTROLLERS)) {
      assert.equal(variable(chartValues, path, "SSL_CERT_DIR"), "/etc/ssl/certs:/.sigstore/registry-ca", name);
      const volume = at(chartValues, `${name}Controller.sigstoreVolume.configMap`) as { name: string; items: Json[] };
      assert.equal(volume.name, (trust as Manifest).metadata.name);
      // Fulcio's certificates must stay out of the folder: all in it are believed for TLS.
      assert.deepEqual(
        volume.items.filter(({ path }) => String(path).startsWith("registry-ca/")),
        [{ key: "registry-ca.pem", path: "registry-ca/registry-ca.pem" }],
      );
      assert.deepEqual(volume.items.map(({ key }) => key).sort(), Object.keys(files).sort());
    }
  });

  it("restarts Kyverno when it changes, and stands in the posture by its fingerprint", () => {
    const of = (registryCa: string) => compiled({ registryCa });
    const names = [authority.root.pem, authority.intermediate.pem].map((pem) => of(pem).trust!.metadata.name);
    assert.notEqual(names[0], names[1]);
    const posture = postureOf(settings({ kyverno: { registryCa: authority.root.pem } }));
    assert.match(posture.kyverno.registryCa![0]!, /^sha256:[0-9a-f]{64}$/);
    assert.ok(!JSON.stringify(posture).includes("BEGIN"));
    assert.equal(postureOf(settings()).kyverno.registryCa, undefined);
  });

  it("changes nothing where there is none", () => {
    assert.deepEqual(at(PLAIN(), "admissionController.sigstoreVolume.configMap.items"), undefined);
    assert.equal(variable(PLAIN(), CONTROLLERS.admission, "SSL_CERT_DIR"), undefined);
  });

  it("is refused where it is a server's certificate or no PEM", () => {
    for (const pem of [authority.leaf.pem, "/etc/ca.crt", authority.root.privateKeyPem]) {
      const problems = problemsOf(() => postureOf(settings({ kyverno: { registryCa: pem } })));
      assert.deepEqual(
        problems.map(({ key }) => key),
        ["kyverno.registryCa"],
      );
    }
  });
});
