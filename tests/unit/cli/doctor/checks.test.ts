import * as assert from "node:assert/strict";
import { allChecks } from "../../../../cli/doctor/checks";
import type { DeploymentFacts, Facts, PolicyObject, WebhookConfiguration } from "../../../../cli/doctor/facts";
import { exitCode, type Finding, type Severity } from "../../../../cli/doctor/finding";
import { differences } from "../../../../components/policies/drift";
import { certificate, healthyFacts, type Mutable } from "../../../support/doctorFacts";

const NOT_WELL = (findings: readonly Finding[]) => findings.filter(({ severity }) => severity !== "ok");
const told = (findings: readonly Finding[]) =>
  findings.map((one) => `${one.severity} ${one.id}: ${one.evidence}`).join("\n");

type Known<T> = T extends { known: infer K } ? K : never;
const value = <K extends keyof Facts>(facts: Facts, key: K) => (facts[key] as { known: Known<Facts[K]> }).known;

/** The facts with one of them changed. */
function change<K extends keyof Facts>(facts: Mutable<Facts>, key: K, by: (known: Known<Facts[K]>) => unknown): void {
  facts[key] = { known: by(structuredClone(value(facts, key))) } as Facts[K];
}
const each =
  (component: string, by: (one: Mutable<DeploymentFacts>) => Partial<DeploymentFacts>) => (all: DeploymentFacts[]) =>
    all.map((one) => (one.component === component ? { ...one, ...by(one) } : one));
const hooks =
  (by: (hook: WebhookConfiguration["webhooks"][number]) => object, name = /resource/) =>
  (all: WebhookConfiguration[]) =>
    all.map((one) =>
      name.test(one.name) ? { ...one, webhooks: one.webhooks.map((hook) => ({ ...hook, ...by(hook) })) } : one,
    );
const policy =
  (by: (one: PolicyObject) => object, name = "require-signed-images") =>
  (all: PolicyObject[]) =>
    all.map((one) => (one.name === name ? { ...one, ...by(one) } : one));

interface Case {
  readonly title: string;
  readonly id: string;
  readonly severity: Severity;
  readonly says: RegExp;
  readonly fix?: RegExp;
  readonly break: (facts: Mutable<Facts>) => void | Promise<void>;
}

const CASES: readonly Case[] = [
  {
    title: "no engine here",
    id: "engine.cli",
    severity: "note",
    says: /no pulumi on PATH/,
    fix: /get\.pulumi\.com/,
    break: (f) => {
      f.engine = { plugins: ["4.34.2"], wantedPlugin: "4.34.2" };
    },
  },
  {
    title: "another plugin",
    id: "engine.plugin",
    severity: "note",
    says: /only 4\.1\.0 is installed/,
    fix: /^pulumi plugin install resource kubernetes 4\.34\.2$/,
    break: (f) => {
      f.engine = { ...f.engine, plugins: ["4.1.0"] };
    },
  },
  {
    title: "a plugin on PATH",
    id: "engine.pluginOnPath",
    severity: "warning",
    says: /\/opt\/pulumi-resource-kubernetes is on PATH/,
    fix: /^mv /,
    break: (f) => {
      f.engine = { ...f.engine, pluginOnPath: "/opt/pulumi-resource-kubernetes" };
    },
  },
  {
    title: "a clock that is wrong",
    id: "cluster.clock",
    severity: "problem",
    says: /125 s behind this machine's/,
    fix: /timedatectl/,
    break: (f) => change(f, "cluster", (c) => ({ ...c, skewSeconds: -125 })),
  },
  {
    title: "a clock that is a little wrong",
    id: "cluster.clock",
    severity: "warning",
    says: /20 s ahead of/,
    break: (f) => change(f, "cluster", (c) => ({ ...c, skewSeconds: 20 })),
  },
  {
    title: "a newer Kubernetes than tested",
    id: "cluster.version",
    severity: "note",
    says: /v1\.39\.0 is newer/,
    break: (f) => change(f, "cluster", (c) => ({ ...c, version: "v1.39.0" })),
  },
  {
    title: "an interrupted upgrade",
    id: "release.status",
    severity: "problem",
    says: /revision 4 is pending-upgrade/,
    fix: /^kubectl -n kyverno delete secret stuck$/,
    break: (f) =>
      change(f, "releases", (all) => [
        ...all,
        { name: "kyverno", revision: 4, status: "pending-upgrade", secret: "stuck" },
      ]),
  },
  {
    title: "a failed release",
    id: "release.status",
    severity: "problem",
    says: /revision 3 is failed/,
    fix: /^pulumi up --refresh --stack=prod$/,
    break: (f) => change(f, "releases", (all) => all.map((one) => ({ ...one, status: "failed" }))),
  },
  {
    title: "another chart",
    id: "release.version",
    severity: "problem",
    says: /chart kyverno-3\.0\.0.*the stack wants chart kyverno-3\.0\.9/,
    break: (f) => change(f, "releases", (all) => all.map((one) => ({ ...one, chart: "kyverno-3.0.0" }))),
  },
  {
    title: "scaled to nothing",
    id: "kyverno.admission-controller",
    severity: "problem",
    says: /scaled to nothing/,
    fix: /^kubectl -n kyverno scale deployment kyverno-admission-controller --replicas=3$/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("admission-controller", () => ({ wanted: 0, available: 0 })),
      ),
  },
  {
    title: "none available",
    id: "kyverno.admission-controller",
    severity: "problem",
    says: /0 of 3 available/,
    fix: /rollout restart/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("admission-controller", () => ({ available: 0 })),
      ),
  },
  {
    title: "fewer replicas than the stack says",
    id: "kyverno.admission-controller",
    severity: "warning",
    says: /the stack wants 3/,
    fix: /--replicas=3/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("admission-controller", () => ({ wanted: 1, available: 1 })),
      ),
  },
  {
    title: "another version runs",
    id: "kyverno.reports-controller",
    severity: "problem",
    says: /the stack wants Kyverno v1\.10\.7/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("reports-controller", () => ({ image: "ghcr.io/kyverno/x:v1.10.0" })),
      ),
  },
  {
    title: "a Deployment is gone",
    id: "kyverno.reports-controller",
    severity: "problem",
    says: /no Deployment of the reports-controller/,
    break: (f) => change(f, "deployments", (all) => all.filter(({ component }) => component !== "reports-controller")),
  },
  {
    title: "a flag that lets everything through",
    id: "kyverno.flags",
    severity: "problem",
    says: /--forceFailurePolicyIgnore=true/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("admission-controller", () => ({ args: ["--forceFailurePolicyIgnore"] })),
      ),
  },
  {
    title: "an image of Kyverno's can't be pulled",
    id: "kyverno.pods",
    severity: "warning",
    says: /p waits: ImagePullBackOff/,
    fix: /describe pod p$/,
    break: (f) => change(f, "pods", () => [{ name: "p", waiting: ["ImagePullBackOff"], restarts: 0 }]),
  },
  {
    title: "too little memory",
    id: "kyverno.pods",
    severity: "warning",
    says: /killed for its memory/,
    fix: /memoryLimit 1Gi --stack=prod$/,
    break: (f) => change(f, "pods", () => [{ name: "p", waiting: [], restarts: 3, lastEnd: "OOMKilled" }]),
  },
  {
    title: "a Kyverno that is not called any more",
    id: "kyverno.heartbeat",
    severity: "problem",
    says: /600 s ago/,
    break: (f) => change(f, "heartbeat", () => new Date(f.now.getTime() - 600_000)),
  },
  {
    title: "a webhook configuration is gone",
    id: "webhooks.present",
    severity: "problem",
    says: /missing or empty: validating\/kyverno-resource-validating-webhook-cfg/,
    fix: /rollout restart deployment kyverno-admission-controller/,
    break: (f) =>
      change(f, "webhooks", (all) => all.filter(({ kind, name }) => kind !== "validating" || !/resource/.test(name))),
  },
  {
    title: "webhooks that Kyverno took away when it was scaled to nothing",
    id: "webhooks.present",
    severity: "problem",
    says: /takes them away when it is scaled to 0/,
    fix: /^kubectl -n kyverno scale deployment kyverno-admission-controller --replicas=3$/,
    break: (f) => {
      change(
        f,
        "deployments",
        each("admission-controller", () => ({ wanted: 0, available: 0 })),
      );
      change(f, "webhooks", (all) => all.filter(({ name }) => !/resource/.test(name)));
    },
  },
  {
    title: "webhooks that Kyverno withdrew because nobody reached it",
    id: "webhooks.present",
    severity: "problem",
    says: /withdrew them: the API server last reached it 240 s ago/,
    fix: /get endpoints kyverno-svc && kubectl -n kyverno rollout restart/,
    break: (f) => {
      f.heartbeat = { known: new Date(f.now.getTime() - 240_000) };
      change(f, "webhooks", (all) => all.map((one) => (/resource/.test(one.name) ? { ...one, webhooks: [] } : one)));
    },
  },
  {
    title: "webhooks that somebody emptied",
    id: "webhooks.present",
    severity: "problem",
    says: /somebody emptied them/,
    fix: /rollout restart/,
    break: (f) =>
      change(f, "webhooks", (all) => all.map((one) => (/resource/.test(one.name) ? { ...one, webhooks: [] } : one))),
  },
  {
    title: "webhooks that are not called for pods",
    id: "webhooks.excluded",
    severity: "problem",
    says: /none of them is called for pods/,
    fix: /^helm get manifest/,
    break: (f) =>
      change(
        f,
        "webhooks",
        hooks(() => ({ calledForPods: false })),
      ),
  },
  {
    title: "no backstop",
    id: "backstop.present",
    severity: "problem",
    says: /ValidatingAdmissionPolicy image-signing-guard-mutating-webhook/,
    fix: /^pulumi up --refresh --stack=prod$/,
    break: (f) => change(f, "backstop", () => []),
  },
  {
    title: "a backstop that only warns",
    id: "backstop.drift",
    severity: "problem",
    says: /ValidatingAdmissionPolicyBinding run-image-signing-guard-doctor-mutating \(spec\.validationActions/,
    fix: /^pulumi up --refresh --stack=prod$/,
    break: (f) =>
      change(f, "backstop", (all) =>
        all.map((one) =>
          one.kind.endsWith("Binding")
            ? { ...one, spec: { ...(one.spec as object), validationActions: ["Warn"] } }
            : one,
        ),
      ),
  },
  {
    title: "a backstop of another posture",
    id: "backstop.leftover",
    severity: "warning",
    says: /ValidatingAdmissionPolicy old is no part of the stack/,
    fix: /^kubectl delete validatingadmissionpolicy old$/,
    break: (f) => change(f, "backstop", (all) => [...all, { ...all[0]!, metadata: { name: "old" } }]),
  },
  {
    title: "a namespaced policy",
    id: "backstop.policies",
    severity: "warning",
    says: /run with Kyverno's own rights: shop\/spy/,
    fix: /get policies\.kyverno\.io -A/,
    break: (f) =>
      change(f, "policies", (all) => [
        ...all,
        { ...all[0]!, kind: "Policy" as const, name: "shop/spy", role: undefined },
      ]),
  },
  {
    title: "another authority",
    id: "webhooks.ca",
    severity: "problem",
    says: /kyverno-resource-mutating-webhook-cfg/,
    fix: /^kubectl delete mutatingwebhookconfiguration kyverno-resource-mutating-webhook-cfg && kubectl delete validating/,
    break: async (f) => {
      const other = await certificate(-1, 1);
      change(
        f,
        "webhooks",
        hooks(() => ({ caBundle: other })),
      );
    },
  },
  {
    title: "a certificate that has ended",
    id: "webhooks.certificate",
    severity: "problem",
    says: /certificate ends 2026-05-2\d, in -\d+ days/,
    fix: /delete secret kyverno-svc\.kyverno\.svc\.kyverno-tls-ca kyverno-svc\.kyverno\.svc\.kyverno-tls-pair && /,
    break: async (f) => {
      f.certificates = { known: { ...value(f, "certificates"), pair: await certificate(-100, -5) } };
    },
  },
  {
    title: "a certificate that is not renewed",
    id: "webhooks.certificate",
    severity: "warning",
    says: /should have been renewed/,
    break: async (f) => {
      f.certificates = { known: { ...value(f, "certificates"), pair: await certificate(-100, 3) } };
    },
  },
  {
    title: "webhooks that fail open",
    id: "webhooks.failurePolicy",
    severity: "problem",
    says: /let everything through while Kyverno is down/,
    break: (f) =>
      change(
        f,
        "webhooks",
        hooks(() => ({ failurePolicy: "Ignore" })),
      ),
  },
  {
    title: "a namespace that is left out",
    id: "webhooks.excluded",
    severity: "problem",
    says: /images in production are never looked at/,
    break: (f) =>
      change(
        f,
        "webhooks",
        hooks((hook) => ({ excluded: [...hook.excluded, "production"] })),
      ),
  },
  {
    title: "webhooks that look at some labels only",
    id: "webhooks.excluded",
    severity: "problem",
    says: /by labels/,
    break: (f) =>
      change(
        f,
        "webhooks",
        hooks(() => ({ otherConditions: 1 })),
      ),
  },
  {
    title: "kube-system is not left out",
    id: "webhooks.excluded",
    severity: "warning",
    says: /outage would stop kube-system/,
    break: (f) =>
      change(
        f,
        "webhooks",
        hooks((hook) => ({ excluded: hook.excluded.filter((name) => name !== "kube-system") })),
      ),
  },
  {
    title: "webhooks without a Kyverno",
    id: "webhooks.leftover",
    severity: "problem",
    says: /^5 webhook configurations without a Kyverno, and they refuse/,
    fix: /^npx image-signing-guard recover --namespace=kyverno --remove-webhooks$/,
    break: (f) =>
      change(f, "deployments", (all) => all.filter(({ component }) => component !== "admission-controller")),
  },
  {
    title: "no CRDs",
    id: "policies.crds",
    severity: "problem",
    says: /does not know clusterpolicies\.kyverno\.io/,
    break: (f) => change(f, "crds", () => []),
  },
  {
    title: "a policy is gone",
    id: "policies.present",
    severity: "problem",
    says: /the stack has guard-image-verdicts, the cluster does not/,
    fix: /^pulumi up --refresh --stack=prod$/,
    break: (f) => change(f, "policies", (all) => all.filter(({ name }) => name !== "guard-image-verdicts")),
  },
  {
    title: "a policy that the stack does not have",
    id: "policies.leftover",
    severity: "problem",
    says: /the cluster has old-one/,
    fix: /^kubectl delete clusterpolicy old-one$/,
    break: (f) => change(f, "policies", (all) => [...all, { ...all[0]!, name: "old-one" }]),
  },
  {
    title: "a policy that is not Ready",
    id: "policies.ready",
    severity: "problem",
    says: /require-signed-images is not Ready: no webhook/,
    break: (f) =>
      change(
        f,
        "policies",
        policy(() => ({ ready: false, readyMessage: "no webhook" })),
      ),
  },
  {
    title: "a policy that was weakened",
    id: "policies.drift",
    severity: "problem",
    says: /require-signed-images was changed: spec\.validationFailureAction: "Enforce" → "Audit"/,
    fix: /^pulumi up --refresh/,
    break: (f) =>
      change(
        f,
        "policies",
        policy((one) => ({ spec: { ...one.spec, validationFailureAction: "Audit" } })),
      ),
  },
  {
    title: "somebody else's policy",
    id: "policies.foreign",
    severity: "warning",
    says: /Policy shop\/theirs verifies images too/,
    fix: /kubectl get policy -n shop theirs -o yaml/,
    break: (f) =>
      change(f, "policies", (all) => [
        ...all,
        {
          kind: "Policy" as const,
          name: "shop/theirs",
          spec: { rules: [{ verifyImages: [] }] },
          annotations: {},
          managers: [],
        },
      ]),
  },
  {
    title: "no trust bundle",
    id: "trust.configMap",
    severity: "problem",
    says: /sigstore-trust-\w+ is missing/,
    break: (f) => change(f, "trustMap", () => undefined),
  },
  {
    title: "another trust bundle",
    id: "trust.configMap",
    severity: "problem",
    says: /rekor\.pub differ from the stack/,
    break: (f) => change(f, "trustMap", (data) => ({ ...data, "rekor.pub": "x" })),
  },
  {
    title: "a controller without the trust bundle",
    id: "trust.mounted",
    severity: "problem",
    says: /kyverno-reports-controller lacks the volume of sigstore-trust-\w+, SIGSTORE_ROOT_FILE/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("reports-controller", () => ({ env: {}, configMaps: [] })),
      ),
  },
  {
    title: "a registry that can't be reached",
    id: "registries.access",
    severity: "warning",
    says: /ghcr\.io can't be reached, asked from this machine: no route/,
    break: (f) => {
      f.registries = [{ host: "ghcr.io", trouble: "unreachable", message: "no route" }];
    },
  },
  ...(["unauthorized", "forbidden", "rateLimited", "notFound"] as const).map(
    (trouble): Case => ({
      title: `a registry: ${trouble}`,
      id: "registries.access",
      severity: trouble === "notFound" ? "warning" : "note",
      says: { unauthorized: /401/, forbidden: /403/, rateLimited: /429/, notFound: /404/ }[trouble],
      break: (f) => {
        f.registries = [{ host: "ghcr.io", repository: "a/b", trouble }];
      },
    }),
  ),
  {
    title: "no reports yet",
    id: "reports.newest",
    severity: "note",
    says: /no report yet/,
    break: (f) => change(f, "reports", () => ({ count: 0 })),
  },
  {
    title: "reports that nobody writes any more",
    id: "reports.newest",
    severity: "warning",
    says: /5 h ago: nothing scans/,
    fix: /restart deployment kyverno-reports-controller/,
    break: (f) => change(f, "reports", (r) => ({ ...r, newest: new Date(f.now.getTime() - 5 * 3_600_000) })),
  },
  {
    title: "PolicyExceptions are on",
    id: "exceptions.enabled",
    severity: "problem",
    says: /PolicyExceptions of every namespace count, and the stack does not say so/,
    break: (f) =>
      change(
        f,
        "deployments",
        each("background-controller", () => ({ args: ["--enablePolicyException"] })),
      ),
  },
  {
    title: "a PolicyException that counts for nothing",
    id: "exceptions.objects",
    severity: "note",
    says: /shop\/out excepts require-signed-images \(exceptions are off/,
    fix: /^kubectl -n shop delete policyexception out$/,
    break: (f) => change(f, "exceptions", () => [{ name: "shop/out", policies: ["require-signed-images"] }]),
  },
  {
    title: "a filter that hides ReplicaSets",
    id: "filters.resources",
    severity: "problem",
    says: /the stack does not have \[ReplicaSet,\*,\*\]/,
    fix: /^helm get manifest kyverno --namespace kyverno | kubectl .*apply --server-side --force-conflicts --namespace kyverno -f -$/,
    break: (f) =>
      change(f, "config", (data) => ({ ...data, resourceFilters: `${data!.resourceFilters} [ReplicaSet,*,*]` })),
  },
  {
    title: "a group that is exempt",
    id: "filters.people",
    severity: "problem",
    says: /excludeGroups: system:nodes/,
    fix: /^kubectl -n kyverno patch configmap kyverno --type=json -p '\[{"op":"remove","path":"\/data\/excludeGroups"}\]'$/,
    break: (f) => change(f, "config", (data) => ({ ...data, excludeGroups: "system:nodes,!system:serviceaccounts" })),
  },
];

describe("doctor: checks over facts", () => {
  it("says nothing of a cluster in order, and looks at everything", async () => {
    const findings = allChecks(await healthyFacts());
    assert.equal(told(NOT_WELL(findings)), "");
    assert.ok(findings.length > 30, `${findings.length}`);
    assert.equal(exitCode(findings), 0);
  });

  for (const { title, id, severity, says, fix, break: breakIt } of CASES) {
    it(title, async () => {
      const facts = await healthyFacts();
      await breakIt(facts);
      const findings = allChecks(facts);
      const found = findings.find((one) => one.id === id && one.severity === severity);
      assert.ok(found, `no ${severity} of ${id} in\n${told(NOT_WELL(findings))}`);
      assert.match(found.evidence, says);
      if (fix) assert.match(found.fix ?? "", fix);
      if (severity === "problem") {
        assert.ok(found.fix, "a problem without a command");
        assert.equal(exitCode(findings), 1);
      }
    });
  }

  it("what could not be seen is unknown, with its reason, and nothing else is said of it", async () => {
    const facts = await healthyFacts();
    const why = { unknown: "dora lacks the right to list things", fix: "grant it" };
    for (const key of ["releases", "deployments", "pods", "heartbeat", "webhooks", "certificates", "crds"] as const)
      facts[key] = why;
    for (const key of ["policies", "config", "trustMap", "reports", "exceptions"] as const) facts[key] = why;
    const findings = NOT_WELL(allChecks(facts));
    assert.ok(findings.length > 8);
    for (const one of findings)
      assert.deepEqual([one.severity, one.evidence, one.fix], ["unknown", why.unknown, "grant it"], one.id);
    assert.equal(exitCode(findings), 2);
  });

  it("without a cluster only that is said", async () => {
    const facts = await healthyFacts();
    facts.cluster = { unknown: "https://k can't be reached", fix: "kubectl cluster-info" };
    const findings = NOT_WELL(allChecks(facts));
    assert.deepEqual(
      findings.map(({ id }) => id),
      ["cluster.reachable"],
    );
    assert.equal(exitCode(findings), 2);
  });

  it("where the policies were applied by hand, the commands do so too", async () => {
    const facts = await healthyFacts();
    change(facts, "policies", (all) => all.map((one) => ({ ...one, managers: ["kubectl"] })).slice(1));
    const found = allChecks(facts).find((one) => one.id === "policies.present")!;
    assert.match(
      found.fix!,
      /^npx image-signing-guard render --stack=prod --out rendered && kubectl apply --server-side --force-conflicts -f rendered\/3-policies\.yaml$/,
    );
  });

  it("without a stack it still says what can be said, and asks for the stack where it needs it", async () => {
    const facts = await healthyFacts();
    delete (facts as { stack?: unknown }).stack;
    assert.equal(told(NOT_WELL(allChecks(facts))), "");
    change(facts, "policies", () => []);
    const found = allChecks(facts).find((one) => one.id === "policies.present")!;
    assert.equal(found.severity, "problem");
    assert.match(found.fix!, /--stack NAME/);
  });

  it("extra policies of the stack may leave out what Kyverno defaults, but not differ", async () => {
    const facts = await healthyFacts();
    const { stack } = facts;
    const spec = { rules: [{ name: "labels", match: { any: [{ resources: { kinds: ["Pod"] } }] }, validate: {} }] };
    const extra = { apiVersion: "kyverno.io/v1", kind: "ClusterPolicy", metadata: { name: "extra" }, spec };
    facts.stack = { ...stack!, compiled: { ...stack!.compiled, judges: [...stack!.compiled.judges, extra] } };
    const stored = (more: object) => ({
      kind: "ClusterPolicy" as const,
      name: "extra",
      spec: { ...structuredClone(spec), validationFailureAction: "Audit", background: true, ...more },
      annotations: {},
      ready: true,
      managers: [],
    });
    const policies = value(facts, "policies");
    facts.policies = { known: [...policies, stored({})] };
    assert.equal(told(NOT_WELL(allChecks(facts))), "");
    facts.policies = { known: [...policies, stored({ rules: [] })] };
    assert.match(told(NOT_WELL(allChecks(facts))), /problem policies\.drift: extra was changed: spec\.rules\[0\]/);
  });

  it("names the places where two specs differ", () => {
    assert.deepEqual(differences({ a: [1, { b: 2 }] }, { a: [1, { b: 3, c: 4 }] }, "spec"), [
      "spec.a[1].b: 2 → 3",
      "spec.a[1].c: absent → 4",
    ]);
    assert.deepEqual(differences({ a: 1 }, { a: 1 }, "spec"), []);
    // What the API server adds by itself is no change, unless its value was.
    assert.deepEqual(differences({ a: {} }, { a: { useCache: true } }, "spec", { useCache: true }), []);
    assert.equal(differences({ a: {} }, { a: { useCache: false } }, "spec", { useCache: true }).length, 1);
  });
});
