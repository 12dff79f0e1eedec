import * as assert from "node:assert/strict";
import { ClusterClient } from "../../../../../components/kubernetes/client";
import type { Json } from "../../../../../components/kubernetes/manifest";
import { readInstallation } from "../../../../../components/kyverno/installed/facts";
import { unusable } from "../../../../../components/kyverno/installed/findings";
import { judgeInstallation, weigh } from "../../../../../components/kyverno/installed/judge";
import { mountsOf } from "../../../../../components/kyverno/installed/mounts";
import type { Controller, Installation } from "../../../../../components/kyverno/installed/types";
import { trustFiles, trustPatch } from "../../../../../components/kyverno/trustFiles";
import { resolvePosture } from "../../../../../components/resolve";
import { startFakeApi, status } from "../../../../support/fakeApi";
import { problemsOf } from "../../../../support/problems";
import { compile, NOW, postureOf, settings } from "../../../../support/settings";

const resolved = (changes: Record<string, unknown> = {}, kyverno: Record<string, unknown> = {}) =>
  resolvePosture(settings({ mode: "enforce", ...changes, kyverno: { install: false, ...kyverno } }), { now: NOW });

const TRUST = {
  SIGSTORE_ROOT_FILE: "/.sigstore/fulcio.pem",
  SIGSTORE_REKOR_PUBLIC_KEY: "/.sigstore/rekor.pub",
  SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: "/.sigstore/ctfe.pub",
};

const OWN = (() => {
  const { posture, ...rest } = resolved();
  return trustFiles({ posture, ...rest })!;
})();
const ANCHORS = OWN.data as Record<string, string>;

const controller = (component: string, changes: Partial<Controller> = {}): Controller => ({
  name: `kyverno-${component}`,
  namespace: "kyverno",
  component,
  release: "kyverno",
  image: "ghcr.io/kyverno/kyverno:v1.10.7",
  version: "1.10.7",
  available: 3,
  args: [],
  env: TRUST,
  mounts: [{ path: "/.sigstore", configMap: OWN.metadata.name }],
  serviceAccount: `kyverno-${component}`,
  memoryLimit: "1Gi",
  ...changes,
});

/** An installation that has the values which `render` prints, with changes. */
function installation(changes: Partial<Installation> = {}, admission: Partial<Controller> = {}): Installation {
  return {
    namespace: "kyverno",
    release: "kyverno",
    controllers: [controller("admission-controller", admission), controller("reports-controller")],
    elsewhere: [],
    configMaps: {},
    serviceAccounts: {},
    registered: [],
    config: {
      resourceFilters: "[Event,*,*][*/*,kube-system,*][*/*,kyverno,*][*.*?/*/Pod/*,*,*][Pod/binding,*,*]",
      webhooks:
        '[{"namespaceSelector":{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["kube-system","kyverno"]}]}}]',
    },
    aggregated: ["kyverno:rbac:admin:policies"],
    verifications: [{ name: "others/vendor", images: ["registry.example.com/vendor/*"] }],
    ...changes,
  };
}

const config = (changes: Record<string, string>) => installation({ config: { ...installation().config, ...changes } });
const webhooks = (selector: object) => config({ webhooks: JSON.stringify(selector) });

/** One line for each way in which somebody else's Kyverno undoes a promise: what it is called, and what is told. */
const CASES: [what: string, installation: Installation, finding: string, evidence: RegExp][] = [
  [
    "the chart's filter of ReplicaSets",
    config({ resourceFilters: "[ReplicaSet,*,*]" }),
    "resourceFilters",
    /ReplicaSet/,
  ],
  ["pods of one namespace", config({ resourceFilters: "[Pod,payments,*]" }), "resourceFilters", /payments/],
  ["pods of one name", config({ resourceFilters: "[Pod,*,debug-*]" }), "resourceFilters", /debug/],
  ["everything of production", config({ resourceFilters: "[*/*,prod-*,*]" }), "resourceFilters", /prod/],
  ["all there is", config({ resourceFilters: "[*,*,*]" }), "resourceFilters", /\[\*,\*,\*\]/],
  ["debug containers", config({ resourceFilters: "[Pod/*,*,*]" }), "resourceFilters", /Pod\/\*/],
  ["a kind with its version", config({ resourceFilters: "[v1/Pod,*,*]" }), "resourceFilters", /v1\/Pod/],
  ["a kind with all parts", config({ resourceFilters: "[apps/v1/Deployment,*,*]" }), "resourceFilters", /Deployment/],
  ["a group of people", config({ excludeGroups: "system:nodes,developers" }), "excludedCallers", /developers/],
  [
    "a user",
    config({ excludeUsernames: "!system:kube-scheduler,argocd" }),
    "excludedCallers",
    /excludeUsernames: argocd/,
  ],
  ["a role", config({ excludeClusterRoles: "cluster-admin" }), "excludedCallers", /cluster-admin/],
  [
    "a selector of objects",
    webhooks([{ objectSelector: { matchLabels: { verify: "yes" } } }]),
    "webhookSelectors",
    /objectSelector/,
  ],
  [
    "a label of namespaces",
    webhooks([{ namespaceSelector: { matchExpressions: [{ key: "team", operator: "In", values: ["a"] }] } }]),
    "webhookSelectors",
    /team/,
  ],
  [
    "labels that a namespace must have",
    webhooks({ namespaceSelector: { matchLabels: { kyverno: "on" } } }),
    "webhookSelectors",
    /matchLabels/,
  ],
  [
    "an enforced namespace left out",
    webhooks([
      {
        namespaceSelector: {
          matchExpressions: [
            { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "production"] },
          ],
        },
      },
    ]),
    "webhookSelectors",
    /production/,
  ],
  [
    "exceptions everywhere",
    installation({}, { args: ["--enablePolicyException=true"] }),
    "policyExceptions",
    /of every namespace count/,
  ],
  [
    "exceptions of a namespace that the stack does not name",
    installation({}, { args: ["--enablePolicyException", "--exceptionNamespace=team"] }),
    "policyExceptions",
    /of team count/,
  ],
  [
    "policies that never fail closed",
    installation({}, { args: ["--forceFailurePolicyIgnore=true"] }),
    "controllerFlags",
    /Ignore/,
  ],
  [
    "webhooks that follow nothing",
    installation({}, { args: ["--autoUpdateWebhooks=false"] }),
    "controllerFlags",
    /autoUpdate/,
  ],
  [
    "registries without TLS",
    installation({}, { args: ["--allowInsecureRegistry=true"] }),
    "controllerFlags",
    /Insecure/,
  ],
  ["no trust files", installation({}, { env: {} }), "trustFiles", /SIGSTORE_ROOT_FILE/],
  ...(
    [
      ["a variable without a file behind it", { mounts: [] }, {}, /that no ConfigMap brings/],
      [
        "the anchors of before a rotation",
        { mounts: [{ path: "/.sigstore", configMap: "sigstore-trust-old" }] },
        { "sigstore-trust-old": { ...ANCHORS, "rekor.pub": "another" } },
        /rekor\.pub of ConfigMap sigstore-trust-old, which holds other anchors \(SIGSTORE_REKOR_PUBLIC_KEY\)/,
      ],
      [
        "a variable that names a file elsewhere",
        { env: { ...TRUST, SIGSTORE_ROOT_FILE: "/elsewhere/fulcio.pem" } },
        {},
        /\/elsewhere\/fulcio\.pem that no ConfigMap/,
      ],
      [
        "a ConfigMap of which another key is mounted",
        {
          mounts: [
            { path: "/.sigstore", configMap: OWN.metadata.name, items: [{ key: "rekor.pub", path: "fulcio.pem" }] },
          ],
        },
        {},
        /fulcio\.pem of ConfigMap/,
      ],
    ] as const
  ).map(([what, admission, configMaps, evidence]): [string, Installation, string, RegExp] => [
    what,
    installation({ configMaps }, admission),
    "trustFiles",
    evidence,
  ]),
  [
    "a selector that something else than the settings wrote",
    installation({
      registered: [{ namespaceSelector: { matchExpressions: [{ key: "control-plane", operator: "DoesNotExist" }] } }],
    }),
    "webhookSelectors",
    /something else than its settings.*control-plane/,
  ],
  [
    "conditions of a webhook",
    installation({ registered: [{ matchConditions: [{ name: "not-mine" }] }] }),
    "webhookSelectors",
    /not-mine/,
  ],
  [
    "no trust files for scans",
    installation({
      controllers: [controller("admission-controller"), controller("reports-controller", { env: {} })],
    }),
    "trustFiles",
    /kyverno-reports-controller lacks/,
  ],
  [
    "a policy for the same images",
    installation({ verifications: [{ name: "check-images", images: ["ghcr.io/*"] }] }),
    "overlappingPolicies",
    /check-images/,
  ],
];

const judged = (seen: Installation, changes: Record<string, unknown> = {}, kyverno: Record<string, unknown> = {}) => {
  const { posture, ...rest } = resolved(changes, kyverno);
  return judgeInstallation(seen, posture, trustFiles({ posture, ...rest }));
};

describe("a Kyverno that somebody else runs", () => {
  it("with the values that render prints is as good as the guard's own", () => {
    assert.deepEqual(judged(installation()), { refused: [], warned: [] });
  });

  for (const [what, seen, name, evidence] of CASES) {
    it(`${what}: refuses a stack that enforces, and says what mends it`, () => {
      const { refused } = judged(seen);
      assert.equal(refused.length, 1, refused.join("\n"));
      assert.match(refused[0]!, evidence);
      assert.match(refused[0]!, new RegExp(`acknowledged: \\[\\{finding: ${name}, reason`));
    });
  }

  for (const name of new Set(CASES.map(([, , finding]) => finding)))
    it(`${name}: is lived with for a reason, and a stack that audits is only warned`, () => {
      const seen = CASES.find(([, , finding]) => finding === name)![1];
      const lived = judged(seen, {}, { acknowledged: [{ finding: name, reason: "decided by the platform board" }] });
      assert.deepEqual(lived.refused, []);
      assert.match(lived.warned.join("\n"), /acknowledged: decided by the platform board/);
      const audit = judged(seen, { mode: "audit" });
      assert.deepEqual(audit.refused, []);
    });

  it("what is acknowledged and is not so is told", () => {
    const reason = "decided by the platform board";
    const { refused, warned } = judged(installation(), {}, { acknowledged: [{ finding: "policyExceptions", reason }] });
    assert.deepEqual(refused, []);
    assert.match(warned.join(), /policyExceptions is not so/);
  });

  it("without the backstop, admins of namespaces may not write policies; Secrets must be known to both controllers", () => {
    assert.match(
      judged(installation(), { backstop: { enabled: false } }).refused.join(),
      /kyverno:rbac:admin:policies/,
    );
    assert.match(
      judged(installation(), {}, { registrySecrets: ["pull"] }).refused.join(),
      /does not read registries with pull/,
    );
  });

  it("takes the same anchors from any ConfigMap and any place, under any name", () => {
    const mounted = {
      env: { ...TRUST, SIGSTORE_ROOT_FILE: "/anchors/root", SIGSTORE_REKOR_PUBLIC_KEY: "/rekor.pub" },
      mounts: [
        { path: "/anchors", configMap: "theirs", items: [{ key: "ca", path: "root" }] },
        { path: "/rekor.pub", subPath: "rekor.pub", configMap: "theirs" },
        { path: "/.sigstore", configMap: "theirs" },
      ],
    };
    const theirs = { ...ANCHORS, ca: `${ANCHORS["fulcio.pem"]}\n` };
    assert.deepEqual(judged(installation({ configMaps: { theirs } }, mounted)).refused, []);
  });

  it("with the patch that render prints, has the anchors", () => {
    const controllers = trustPatch(OWN).map(({ metadata, spec }) => {
      const pod = ((spec as Json).template as Json).spec as Json;
      const [container] = pod.containers as Json[];
      const { name } = metadata as { name: string };
      const env = Object.fromEntries((container!.env as Json[]).map((one) => [one.name, one.value]));
      return controller(name.replace("kyverno-", ""), { env: env as never, mounts: mountsOf(pod, container!) });
    });
    assert.equal(controllers.length, 2);
    assert.deepEqual(judged(installation({ controllers })).refused, []);
  });

  it("reads registries as the stack says: with its identity and through its proxy", () => {
    const kyverno = {
      registryIdentity: { awsRoleArn: "arn:aws:iam::123456789012:role/kyverno" },
      proxy: { https: "http://proxy.example.com:3128" },
    };
    const lacking = judged(installation(), {}, kyverno).refused.join("\n");
    assert.match(lacking, /kyverno-admission-controller lacks the annotation eks\.amazonaws\.com\/role-arn/);
    assert.match(lacking, /kyverno-reports-controller does not go through the proxy \(HTTPS_PROXY\)/);
    const annotations = { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/kyverno" };
    const env = { ...TRUST, HTTPS_PROXY: "http://proxy.example.com:3128" };
    const names = ["admission-controller", "reports-controller"] as const;
    const has = installation({
      controllers: names.map((component) => controller(component, { env })),
      serviceAccounts: Object.fromEntries(names.map((name) => [`kyverno-${name}`, annotations])),
    });
    assert.deepEqual(judged(has, {}, kyverno).refused, []);
  });

  it("warns where reports or scans are switched off", () => {
    for (const flag of ["backgroundScan", "admissionReports", "policyReports"]) {
      const controllers = [
        controller("admission-controller"),
        controller("reports-controller", { args: [`--${flag}=false`] }),
      ];
      assert.match(judged(installation({ controllers })).warned.join(), new RegExp(`--${flag}=false`));
    }
  });

  it("warns of what makes it weaker", () => {
    const weak = installation({
      controllers: [controller("admission-controller", { available: 1, memoryLimit: "384Mi" })],
    });
    const { refused, warned } = judged(weak);
    assert.deepEqual(refused, []);
    assert.match(warned.join("\n"), /no reports controller(.|\n)*1 of 3 admission(.|\n)*384Mi of memory/);
    assert.match(judged(installation({}, { version: "1.10.0" })).warned.join(), /1\.10\.0, and .* tried on v1\.10\.7/);
    assert.match(judged(config({ excludeGroups: "system:nodes" })).warned.join(), /stolen kubelet/);
  });

  it("takes the nulls that the chart writes for nothing", () => {
    const own = { matchLabels: null, matchExpressions: null };
    assert.deepEqual(judged(webhooks([{ namespaceSelector: own, objectSelector: null }, null])).refused, []);
  });

  it("looks at filters only where something is enforced", () => {
    const seen = config({ resourceFilters: "[*/*,dev-*,*]" });
    assert.deepEqual(weigh(seen, resolved().posture, undefined), []);
  });

  const elsewhere = controller("admission-controller", { namespace: "security", release: "policies" });
  for (const [what, seen, kyverno, found] of [
    ["none", installation({ controllers: [] }), {}, /no Kyverno in this cluster/],
    ["another place", installation({ controllers: [], elsewhere: [elsewhere] }), {}, /kyverno\.namespace: security/],
    ["two", installation({ elsewhere: [elsewhere] }), {}, /two Kyvernos/],
    ["too old", installation({}, { version: "1.9.5" }), {}, /Kyverno 1\.9\.5/],
    [
      "from before there were several controllers",
      installation({ controllers: [], elsewhere: [controller("kyverno", { name: "kyverno", version: "1.9.5" })] }),
      {},
      /Kyverno 1\.9\.5/,
    ],
    ["too new", installation({}, { version: "1.16.0" }), {}, /Kyverno 1\.16\.0/],
    ["another line", installation({}, { version: "1.19.1" }), {}, /set kyverno\.target: "1\.19"/],
    ["1.19.0", installation({}, { version: "1.19.0" }), { target: "1.19" }, /1\.19\.1 or later/],
    [
      "a tag that is no version",
      installation({ controllers: [{ ...controller("admission-controller"), version: undefined } as never] }),
      {},
      /no version/,
    ],
  ] as const)
    it(`${what}: nothing is made, with a reason or without`, () => {
      const none = unusable(seen, resolved({}, kyverno).posture);
      assert.match(`${none?.found}; ${none?.fix}`, found);
      assert.equal(judged(seen, { mode: "audit" }, kyverno).refused.length, 1);
    });

  it("makes nothing of the installation: no namespace, no roles, and values only to hand over", () => {
    const { namespace, leftoverGuards, chartValues, policies } = compile(
      settings({ mode: "enforce", kyverno: { install: false } }),
    );
    assert.equal(namespace, undefined);
    assert.deepEqual(leftoverGuards, []);
    assert.ok(policies.length > 5);
    assert.deepEqual(Object.keys(chartValues), ["config", "features", "admissionController", "reportsController"]);
  });

  for (const [key, kyverno] of [
    ["kyverno.values", { values: { x: 1 } }],
    ["kyverno.chart", { chart: { path: "./chart" } }],
    ["kyverno.imageRegistry", { imageRegistry: "mirror.example.com" }],
    ["kyverno.timeoutSeconds", { timeoutSeconds: 300 }],
  ] as const)
    it(`${key} is an error: it is not the guard's to say`, () => {
      const problems = problemsOf(() => postureOf(settings({ kyverno: { install: false, ...kyverno } })));
      assert.ok(
        problems.some((problem) => problem.key === key && /whoever runs Kyverno/.test(problem.fix)),
        JSON.stringify(problems),
      );
    });

  it("acknowledging a finding about the guard's own Kyverno is an error", () => {
    const acknowledged = [{ finding: "reports", reason: "no" }];
    assert.ok(problemsOf(() => postureOf(settings({ kyverno: { acknowledged } }))).length > 0);
    const right = [{ finding: "trustFiles", reason: "decided by the platform board" }];
    assert.match(
      problemsOf(() => postureOf(settings({ kyverno: { acknowledged: right } })))[0]!.allowed,
      /install: false/,
    );
  });
});

describe("reading somebody else's installation", () => {
  const deployment = (name: string, namespace: string, component: string, image: string, spec: object = {}) => ({
    metadata: {
      name,
      namespace,
      labels: { "app.kubernetes.io/component": component, "app.kubernetes.io/instance": "kyverno" },
    },
    spec: { template: { spec: { containers: [{ image, ...spec }] } } },
    status: { availableReplicas: 1 },
  });

  it("takes what it is asked for, and no other project's admission controller", async () => {
    const api = await startFakeApi(({ pathname, searchParams }) => {
      const own = [
        deployment(
          "kyverno-admission-controller",
          "kyverno",
          "admission-controller",
          "ghcr.io/kyverno/kyverno:v1.10.3",
          {
            args: ["--enablePolicyException=false"],
            env: [
              { name: "INIT_CONFIG", value: "settings" },
              { name: "FROM", valueFrom: {} },
            ],
            resources: { limits: { memory: "384Mi" } },
            volumeMounts: [{ name: "sigstore", mountPath: "/.sigstore" }],
          },
        ),
      ];
      Object.assign(own[0]!.spec.template.spec, {
        serviceAccountName: "kyverno-admission",
        volumes: [{ name: "sigstore", configMap: { name: "anchors" } }],
      });
      own[0]!.spec.template.spec.containers.unshift({ image: "istio/proxyv2:1.20" } as never);
      if (pathname === "/apis/apps/v1/namespaces/kyverno/deployments") return { body: { items: own } };
      if (pathname === "/apis/apps/v1/deployments") {
        assert.match(searchParams.get("labelSelector") ?? "", /admission-controller/);
        const other = deployment("gatekeeper", "gatekeeper", "admission-controller", "openpolicyagent/gatekeeper:v3");
        const second = deployment(
          "kyverno",
          "security",
          "admission-controller",
          "mirror.local/kyverno/kyverno:v1.11.0",
        );
        return { body: { items: [...own, other, second] } };
      }
      if (pathname === "/api/v1/namespaces/kyverno/configmaps/settings")
        return { body: { data: { excludeGroups: "a" } } };
      if (pathname === "/api/v1/namespaces/kyverno/configmaps/anchors")
        return { body: { metadata: { name: "anchors" }, data: { a: "b" } } };
      if (pathname === "/api/v1/namespaces/kyverno/serviceaccounts/kyverno-admission")
        return { body: { metadata: { name: "kyverno-admission", annotations: { role: "reader" } } } };
      if (pathname.endsWith("/mutatingwebhookconfigurations/kyverno-resource-mutating-webhook-cfg"))
        return { body: { webhooks: [{ objectSelector: { matchLabels: { a: "b" } } }] } };
      if (pathname === "/apis/rbac.authorization.k8s.io/v1/clusterroles") {
        const role = (name: string, label: string, verbs: string[]) => ({
          metadata: { name, labels: { [`rbac.authorization.k8s.io/aggregate-to-${label}`]: "true" } },
          rules: [{ apiGroups: ["kyverno.io"], resources: ["policies"], verbs }],
        });
        return {
          body: {
            items: [
              role("writes", "admin", ["create"]),
              role("reads", "view", ["get"]),
              role("gets", "admin", ["get"]),
            ],
          },
        };
      }
      if (pathname === "/apis/kyverno.io/v1/clusterpolicies") {
        const rules = [{ verifyImages: [{ imageReferences: ["ghcr.io/x/*"] }, { image: "ghcr.io/y/*" }] }, {}];
        const own = { "app.kubernetes.io/managed-by": "image-signing-guard" };
        return {
          body: {
            items: [
              { metadata: { name: "theirs" }, spec: { rules } },
              { metadata: { name: "ours", labels: own }, spec: { rules } },
              { metadata: { name: "other" } },
            ],
          },
        };
      }
      return status(404, "not found");
    });
    try {
      const client = ClusterClient.of({ kubeconfig: api.kubeconfig });
      const seen = await readInstallation(client, { namespace: "kyverno", releaseName: "kyverno" });
      assert.deepEqual(
        seen.controllers.map(({ name, version, available, memoryLimit }) => [name, version, available, memoryLimit]),
        [["kyverno-admission-controller", "1.10.3", 1, "384Mi"]],
      );
      assert.deepEqual(
        seen.elsewhere.map(({ namespace }) => namespace),
        ["security"],
      );
      assert.deepEqual(seen.config, { excludeGroups: "a" });
      assert.deepEqual(seen.controllers[0]!.mounts, [{ path: "/.sigstore", configMap: "anchors" }]);
      assert.deepEqual(seen.configMaps, { anchors: { a: "b" } });
      assert.deepEqual(seen.serviceAccounts, { "kyverno-admission": { role: "reader" } });
      assert.deepEqual(seen.registered, [{ objectSelector: { matchLabels: { a: "b" } } }]);
      assert.deepEqual(seen.aggregated, ["writes"]);
      assert.deepEqual(seen.verifications, [{ name: "theirs", images: ["ghcr.io/x/*", "ghcr.io/y/*"] }]);
    } finally {
      api.stop();
    }
  });
});
