import * as assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { Finding } from "../../../../cli/doctor/finding";
import { doctor } from "../../../../cli/doctor/run";
import { missingRight } from "../../../../components/kubernetes/errors";
import { type Answerer, type FakeApi, startFakeApi, status } from "../../../support/fakeApi";

const shown = (findings: readonly Finding[]) =>
  findings.map((one) => `${one.severity} ${one.id}: ${one.evidence}`).join("\n");
const bad = (findings: readonly Finding[]) =>
  findings.filter(({ severity }) => severity === "unknown" || severity === "problem");

describe("doctor: asking an API server", () => {
  let api: FakeApi;
  let answer: Answerer;
  before(async () => {
    api = await startFakeApi((url, request) => answer(url, request));
  });
  after(() => api.stop());
  beforeEach(() => {
    api.requests.length = 0;
  });
  const ask = async (change: object = {}) =>
    (await doctor({ cwd: ".", kubeconfig: api.kubeconfig, ...change }, new Date())).findings;
  const version = (url: URL) => (url.pathname === "/version" ? { body: { gitVersion: "v1.30.0" } } : undefined);

  it("no rights: every question says which right lacks, with the command that gives it", async () => {
    answer = (url) => {
      const [, group = "", , namespace, resource = ""] =
        /^\/apis?\/(?:([a-z0-9.]+)\/)?(v[a-z0-9]+)\/(?:namespaces\/([^/]+)\/)?([^/?]+)/.exec(url.pathname) ?? [];
      const where = namespace ? `in the namespace "${namespace}"` : "at the cluster scope";
      // Everybody who is known may see which kinds there are.
      if (/^\/apis\/[^/]+\/[^/]+$/.test(url.pathname)) return status(404, "not found");
      return (
        version(url) ??
        status(403, `x is forbidden: User "dora" cannot list resource "${resource}" in API group "${group}" ${where}`)
      );
    };
    const findings = bad(await ask()).filter(({ id }) => id !== "policies.crds");
    assert.ok(findings.length >= 8, shown(findings));
    for (const one of findings) assert.match(one.evidence, /^dora lacks the right to list \S+ in /, one.id);
    const policies = findings.find(({ id }) => id === "policies.present")!;
    assert.equal(policies.evidence, "dora lacks the right to list clusterpolicies.kyverno.io in the whole cluster");
    assert.match(
      policies.fix!,
      /^kubectl --kubeconfig=.* create clusterrole image-signing-guard-doctor-list-clusterpolicies\.kyverno\.io --verb=list --resource=clusterpolicies\.kyverno\.io && kubectl .* --user=dora # as somebody/s,
    );
    const deployments = findings.find(({ id }) => id === "kyverno.deployments")!;
    assert.match(deployments.evidence, /deployments\.apps in namespace kyverno$/);
  });

  it("an empty cluster: no CRDs, no release, no policy, each said once and no stack trace", async () => {
    answer = (url) => {
      const isList = url.searchParams.has("limit") && !/kyverno\.io|wgpolicy/.test(url.pathname);
      return version(url) ?? (isList ? { body: { items: [] } } : status(404, "not found"));
    };
    const findings = await ask();
    const ids = bad(findings).map(({ id }) => id);
    assert.deepEqual(ids.sort(), [
      "filters.resources",
      "kyverno.deployments",
      "policies.crds",
      "policies.present",
      "release.status",
    ]);
    assert.ok(!bad(findings).some(({ severity }) => severity === "unknown"), shown(findings));
    assert.match(findings.find(({ id }) => id === "exceptions.objects")!.evidence, /does not know/);
  });

  it("lists come in pages, and reports as metadata only", async () => {
    answer = (url) => {
      const next = url.searchParams.get("continue");
      const item = (name: string) => ({
        metadata: {
          name,
          labels: { "image-signing-guard/role": "require-signed-images" },
          creationTimestamp: new Date().toISOString(),
        },
      });
      if (url.pathname.endsWith("/clusterpolicies") || url.pathname.endsWith("/policyreports"))
        return {
          body: next ? { items: [item("second")] } : { items: [item("first")], metadata: { continue: "more" } },
        };
      return version(url) ?? { body: { items: [] } };
    };
    const findings = await ask();
    assert.match(shown(findings), /policies\.present: first, second/);
    assert.match(shown(findings), /2 reports/);
    const lists = api.requests.filter(({ url }) => url.includes("policyreports"));
    assert.equal(lists.length, 2);
    assert.ok(
      lists.every(({ url, accept }) => url.includes("limit=500") && accept!.includes("PartialObjectMetadataList")),
    );
    assert.ok(
      api.requests.every(({ method }) => method === "GET"),
      "it changed something",
    );
  });

  it("the chart is read from Helm's own record", async () => {
    const record = { chart: { metadata: { name: "kyverno", version: "3.0.9", appVersion: "v1.10.7" } } };
    const release = Buffer.from(gzipSync(JSON.stringify(record)).toString("base64")).toString("base64");
    const labels = { owner: "helm", name: "kyverno", status: "deployed", version: "1" };
    answer = (url) =>
      version(url) ?? {
        body: {
          items: url.pathname.endsWith("/secrets") ? [{ metadata: { name: "s", labels }, data: { release } }] : [],
        },
      };
    assert.match(shown(await ask()), /ok release\.version: kyverno: chart kyverno-3\.0\.9, Kyverno v1\.10\.7/);
  });

  it("the clock is read from the Date header, whose second counts for nothing", async () => {
    for (const [seconds, severity] of [
      [0, "ok"],
      [90, "problem"],
      [-90, "problem"],
      [20, "warning"],
    ] as const) {
      answer = (url) => ({ ...(version(url) ?? { body: { items: [] } }), date: new Date(Date.now() + seconds * 1000) });
      const found = (await ask()).find(({ id }) => id === "cluster.clock")!;
      assert.equal(found.severity, severity, `${seconds}: ${found.evidence}`);
    }
  });

  it("an API server that knows nobody, is none, is slow or gone: one line with the reason", async () => {
    const cases: [Answerer, RegExp][] = [
      [() => status(401, "Unauthorized"), /does not know who asks \(401\): log in again/],
      [() => ({ body: "<html>" }), /did not answer with JSON/],
      [() => ({ body: {} }), /does not say its version/],
      [() => ({ code: 503, body: "" }), /answered 503/],
      [() => ({ body: {}, delayMs: 2000 }), /did not answer in time/],
    ];
    for (const [one, says] of cases) {
      answer = one;
      const findings = bad(await ask({ requestTimeout: 300 }));
      assert.deepEqual(
        findings.map(({ id }) => id),
        ["cluster.reachable"],
      );
      assert.match(findings[0]!.evidence, says);
      assert.ok(findings[0]!.fix);
    }
    const gone = api.kubeconfig.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1");
    assert.match(shown(bad(await ask({ kubeconfig: gone }))), /nothing listens there \(ECONNREFUSED\)/);
    assert.match(shown(bad(await ask({ kubeconfig: "/nowhere" }))), /there is no kubeconfig \/nowhere/);
    assert.match(shown(bad(await ask({ context: "x" }))), /has no context "x", only c/);
  });

  it("reads rights from the API server's words", () => {
    const text =
      'secrets is forbidden: User "system:serviceaccount:a:b" cannot list resource "secrets" in API group "" in the namespace "kyverno"';
    assert.deepEqual(missingRight(text), {
      user: "system:serviceaccount:a:b",
      verb: "list",
      resource: "secrets",
      namespace: "kyverno",
    });
    assert.equal(missingRight("forbidden"), undefined);
  });
});
