import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import type { DoctorReport, Finding } from "../../cli/doctor/finding";
import { doctor } from "../../cli/doctor/run";
import { ensureTool } from "../../local/build";
import { pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings, projectFolder } from "../../local/demo/settings";
import { waitForPolicyWebhooks } from "../../local/kyverno";
import { isCelForm } from "../../local/policyForm";
import { requestObject } from "../../local/request";
import { waitFor } from "../../local/waitFor";
import { admissionControllers, create, killKyverno, log, withBuilds } from "./support";

const POLICIES = isCelForm
  ? "/apis/policies.kyverno.io/v1/imagevalidatingpolicies"
  : "/apis/kyverno.io/v1/clusterpolicies";
const ADMISSION = "/apis/admissionregistration.k8s.io/v1";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/kyverno/deployments";
const CONTROLLER = `${DEPLOYMENTS}/kyverno-admission-controller`;
const MERGE = "application/merge-patch+json";

describe("doctor: a real Kyverno, broken in one way after the other", function () {
  this.timeout(240_000);
  let cluster: DemoCluster;
  let folder: string;
  let bin: string;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, ["production", "shop"]);
    const settings = localSettings("prod", sigstore, node.kyverno);
    await applyRendered(plane, node.kyverno, settings);
    folder = path.join(plane.workDir, "stack");
    bin = path.join(plane.workDir, "bin");
    for (const made of [folder, bin]) fs.mkdirSync(made);
    const config = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`image-signing-guard:${key}`, value]),
    );
    fs.writeFileSync(path.join(folder, "Pulumi.local.yaml"), JSON.stringify({ config }));
    // What a person's PATH has.
    for (const tool of ["kubectl", "helm"] as const) fs.symlinkSync(await ensureTool(tool, log), path.join(bin, tool));
    const run = `TS_NODE_PROJECT=${projectFolder}/tsconfig.json exec ${process.execPath} -r ${require.resolve("ts-node/register/transpile-only")} ${projectFolder}/cli/main.ts`;
    fs.writeFileSync(path.join(bin, "npx"), `#!/bin/sh\nshift\n${run} "$@"\n`, { mode: 0o755 });
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const api = <T = unknown>(method: string, where: string, body?: unknown, type?: string) =>
    requestObject<T>(cluster.plane.client, method, where, body, type);
  const environment = () => ({
    ...process.env,
    ...cluster.proxy.env,
    NODE_EXTRA_CA_CERTS: cluster.proxy.caFile,
    PATH: `${bin}:${process.env.PATH}`,
    HOME: folder,
  });

  /** The command as a person runs it. */
  async function runDoctor(kubeconfig = cluster.plane.kubeconfig): Promise<DoctorReport> {
    const args = [
      "image-signing-guard",
      "doctor",
      "--stack=local",
      `--cwd=${folder}`,
      `--kubeconfig=${kubeconfig}`,
      "-ojson",
    ];
    const { stdout } = await promisify(execFile)(path.join(bin, "npx"), args, {
      env: environment(),
      maxBuffer: 8 << 20,
    }).catch((error: { stdout: string; code: number }) => error);
    return JSON.parse(stdout) as DoctorReport;
  }

  /** Without a process of its own, for waiting. The registries are asked elsewhere. */
  const glance = async () => {
    const options = { stack: "local", cwd: folder, kubeconfig: cluster.plane.kubeconfig };
    const { findings } = await doctor(options, new Date());
    return findings.filter(({ id }) => !id.startsWith("registries."));
  };
  const bad = (findings: readonly Finding[]) =>
    findings.filter(({ severity }) => severity === "problem" || severity === "unknown");
  const shown = (findings: readonly Finding[]) => findings.map(({ id, evidence }) => `${id}: ${evidence}`).join("\n");

  const becomesHealthy = () =>
    waitFor(
      "nothing is broken any more",
      120_000,
      async () => {
        const left = bad(await glance());
        if (left.length > 0) throw new Error(shown(left));
        return true;
      },
      1000,
    );

  /** The finding, and nothing else that is broken by it. */
  async function finds(id: string, says: RegExp, others: readonly string[] = []): Promise<Finding> {
    // A rollout that what was broken has set off is to end first.
    const report = await waitFor(`doctor finds ${id}`, 100_000, async () => {
      const seen = await glance();
      const isThere = seen.some((one) => one.id === id && one.severity !== "ok" && says.test(one.evidence));
      const rest = bad(seen).filter((one) => one.id !== id && !others.includes(one.id));
      if (rest.length > 0) throw new Error(shown(rest));
      return isThere && runDoctor();
    });
    const found = report.findings.filter((one) => one.id === id && one.severity !== "ok");
    assert.ok(found.length > 0, shown(report.findings));
    assert.match(shown(found), says);
    const wrong = bad(report.findings).filter((one) => one.id !== id && !others.includes(one.id));
    assert.deepEqual(shown(wrong), "");
    if (found[0]!.severity === "problem") assert.equal(report.exitCode, 1);
    return found.find(({ evidence }) => says.test(evidence))!;
  }

  /** Not synchronously: this process plays the cluster's node, and Helm waits for its pods. */
  async function run(command: string): Promise<void> {
    log(`$ ${command}`);
    await promisify(execFile)("bash", ["-ec", command], { cwd: folder, env: environment(), timeout: 150_000 });
  }

  it("healthy: nothing is broken and everything was seen", async () => {
    await create(cluster.plane.client, "shop", pod("old", "nginx:1.27"));
    await waitFor(
      "a first report",
      120_000,
      async () => (await glance()).some(({ id, severity }) => id === "reports.newest" && severity === "ok"),
      1000,
    );
    const report = await runDoctor();
    assert.deepEqual(shown(bad(report.findings)), "");
    assert.equal(report.exitCode, 0);
    const ids = new Set(report.findings.filter(({ severity }) => severity === "ok").map(({ id }) => id));
    for (const id of [
      ...["cluster.reachable", "cluster.clock", "release.status", "release.version", "kyverno.admission-controller"],
      ...["kyverno.reports-controller", "kyverno.flags", "kyverno.heartbeat", "webhooks.present", "webhooks.ca"],
      ...["webhooks.certificate", "webhooks.failurePolicy", "webhooks.excluded", "policies.crds", "policies.present"],
      ...["policies.ready", "policies.drift", "trust.configMap", "trust.mounted", "trust.window"],
      ...["filters.resources", "filters.people", "exceptions.enabled", "exceptions.objects", "registries.access"],
    ])
      assert.ok(ids.has(id), `${id} is not well: ${shown(report.findings.filter((one) => one.id === id))}`);
  });

  it("a policy that was changed: what differs, and the command brings it back", async () => {
    const shorter = isCelForm ? { webhookConfiguration: { timeoutSeconds: 5 } } : { webhookTimeoutSeconds: 5 };
    await api("PATCH", `${POLICIES}/verify-image-signatures`, { spec: shorter }, MERGE);
    const found = await finds(
      "policies.drift",
      /verify-image-signatures was changed: spec\.(?:webhookTimeoutSeconds|webhookConfiguration\.timeoutSeconds): 30 → 5/,
    );
    await run(found.fix!);
    await becomesHealthy();
  });

  it("a policy that is gone", async () => {
    await api("DELETE", `${isCelForm ? POLICIES.replace("image", "") : POLICIES}/guard-image-bypass`);
    const found = await finds("policies.present", /guard-image-bypass/);
    await run(found.fix!);
    await becomesHealthy();
  });

  it("a policy of somebody else that verifies images", async function () {
    if (isCelForm) {
      this.skipReason = "needs ClusterPolicies: others' verdicts count for nothing among ImageValidatingPolicies";
      return this.skip();
    }
    const existing = await api<{ spec: object }>("GET", `${POLICIES}/require-signed-images`);
    const policy = {
      apiVersion: "kyverno.io/v1",
      kind: "ClusterPolicy",
      metadata: { name: "theirs" },
      spec: existing.spec,
    };
    await api("POST", POLICIES, policy);
    await finds("policies.foreign", /ClusterPolicy theirs/);
    await api("DELETE", `${POLICIES}/theirs`);
    await becomesHealthy();
  });

  it("the trust bundle is deleted", async () => {
    const maps = await api<{ items: { metadata: { name: string } }[] }>("GET", "/api/v1/namespaces/kyverno/configmaps");
    const { name } = maps.items.find(({ metadata }) => metadata.name.startsWith("sigstore-trust-"))!.metadata;
    await api("DELETE", `/api/v1/namespaces/kyverno/configmaps/${name}`);
    const found = await finds("trust.configMap", /is missing/);
    await run(found.fix!);
    await becomesHealthy();
  });

  it("the trust bundle holds another key", async () => {
    const maps = await api<{ items: { metadata: { name: string } }[] }>("GET", "/api/v1/namespaces/kyverno/configmaps");
    const { name } = maps.items.find(({ metadata }) => metadata.name.startsWith("sigstore-trust-"))!.metadata;
    await api("PATCH", `/api/v1/namespaces/kyverno/configmaps/${name}`, { data: { "rekor.pub": "another" } }, MERGE);
    const found = await finds("trust.configMap", /rekor\.pub differ/);
    await run(found.fix!);
    await becomesHealthy();
  });

  it("an interrupted Helm operation", async () => {
    const name = "sh.helm.release.v1.kyverno.v99";
    const labels = { owner: "helm", name: "kyverno", status: "pending-upgrade", version: "99" };
    await api("POST", "/api/v1/namespaces/kyverno/secrets", { metadata: { name, labels }, type: "helm.sh/release.v1" });
    const found = await finds("release.status", /revision 99 is pending-upgrade/);
    await run(found.fix!);
    await becomesHealthy();
  });

  it("a filter that hides a namespace", async () => {
    const where = "/api/v1/namespaces/kyverno/configmaps/kyverno";
    const { data } = await api<{ data: { resourceFilters: string } }>("GET", where);
    await api("PATCH", where, { data: { resourceFilters: `${data.resourceFilters} [*/*,production,*]` } }, MERGE);
    const found = await finds("filters.resources", /\[\*\/\*,production,\*\]/);
    await run(found.fix!);
    await becomesHealthy();
  });

  it("a group that is exempt, and a namespace that the webhooks leave out", async () => {
    const where = "/api/v1/namespaces/kyverno/configmaps/kyverno";
    const { data } = await api<{ data: { webhooks: string } }>("GET", where);
    const webhooks = data.webhooks.replace('"kube-system"', '"kube-system","production"');
    await api("PATCH", where, { data: { excludeGroups: "system:masters", webhooks } }, MERGE);
    const people = await finds("filters.people", /excludeGroups: system:masters/, ["webhooks.excluded"]);
    const found = await finds("webhooks.excluded", /images in production are never looked at/, ["filters.people"]);
    await run(people.fix!);
    await run(found.fix!);
    await becomesHealthy();
  });

  it("PolicyExceptions are turned on, and one is there", async () => {
    const version = cluster.node.kyverno.version.startsWith("1.10.") ? "v2alpha1" : "v2";
    const before = await api<{ spec: { template: { spec: { containers: { args: string[] }[] } } } }>("GET", CONTROLLER);
    const args = before.spec.template.spec.containers[0]!.args.filter((arg) => !/enablePolicyException/.test(arg));
    const patch = [
      {
        op: "replace",
        path: "/spec/template/spec/containers/0/args",
        value: [...args, "--enablePolicyException=true"],
      },
    ];
    await api("PATCH", CONTROLLER, patch, "application/json-patch+json");
    const found = await finds(
      "exceptions.enabled",
      /kyverno-admission-controller: PolicyExceptions of every namespace count/,
    );
    await waitForPolicyWebhooks(cluster.plane);
    await api("POST", `/apis/kyverno.io/${version}/namespaces/shop/policyexceptions`, {
      apiVersion: `kyverno.io/${version}`,
      kind: "PolicyException",
      metadata: { name: "way-out" },
      spec: {
        match: { any: [{ resources: { kinds: ["Pod"] } }] },
        exceptions: [{ policyName: "require-signed-images", ruleNames: ["*"] }],
      },
    });
    const object = await finds("exceptions.objects", /shop\/way-out excepts require-signed-images/, [
      "exceptions.enabled",
    ]);
    await run(object.fix!);
    await run(found.fix!);
    await becomesHealthy();
    assert.ok((await glance()).some(({ id, evidence }) => id === "exceptions.objects" && evidence === "there is none"));
  });

  it("no rights: each right that lacks is named, and the commands give it", async () => {
    const dora = await cluster.plane.asUser("dora", []);
    const kubeconfig = path.join(folder, "dora.kubeconfig");
    fs.writeFileSync(kubeconfig, dora.exportConfig());
    let report = await runDoctor(kubeconfig);
    assert.equal(report.exitCode, 2);
    const unseen = () => report.findings.filter(({ severity }) => severity === "unknown");
    assert.match(shown(unseen()), /dora lacks the right to list clusterpolicies\.kyverno\.io in the whole cluster/);
    assert.match(shown(unseen()), /dora lacks the right to list deployments\.apps in namespace kyverno/);
    for (let round = 0; round < 6 && unseen().length > 0; round++) {
      for (const fix of new Set(unseen().map((one) => one.fix!)))
        await run(fix.replaceAll(kubeconfig, cluster.plane.kubeconfig));
      report = await runDoctor(kubeconfig);
    }
    assert.deepEqual(shown(bad(report.findings)), "");
  });

  describe("while Kyverno does not run", () => {
    const consequences = ["webhooks.ca", "webhooks.present", "kyverno.heartbeat", "webhooks.failurePolicy"];

    it("scaled to nothing, and Kyverno took its webhooks along", async () => {
      await api("PATCH", CONTROLLER, { spec: { replicas: 0 } }, MERGE);
      await waitFor("Kyverno has stopped", 60_000, () => admissionControllers(cluster.node).length === 0);
      const found = await finds("kyverno.admission-controller", /scaled to nothing/, consequences);
      assert.match(found.fix!, /scale deployment kyverno-admission-controller --replicas=1/);
      await run(found.fix!);
      await becomesHealthy();
    });

    it("the webhooks trust another authority", async () => {
      killKyverno(cluster.node);
      const where = `${ADMISSION}/mutatingwebhookconfigurations/kyverno-resource-mutating-webhook-cfg`;
      const { webhooks } = await api<{ webhooks: { clientConfig: object }[] }>("GET", where);
      const caBundle = Buffer.from(cluster.plane.ca).toString("base64");
      const wrong = webhooks.map((hook) => ({ ...hook, clientConfig: { ...hook.clientConfig, caBundle } }));
      await api("PATCH", where, { webhooks: wrong }, MERGE);
      const found = await finds("webhooks.ca", /kyverno-resource-mutating-webhook-cfg/, [
        "kyverno.admission-controller",
      ]);
      await run(found.fix!);
      await finds("webhooks.present", /mutating\/kyverno-resource-mutating-webhook-cfg/, [
        "kyverno.admission-controller",
      ]);
    });

    it("a webhook configuration is gone, and all come back with Kyverno", async () => {
      await api("DELETE", `${ADMISSION}/validatingwebhookconfigurations/kyverno-policy-validating-webhook-cfg`);
      await finds("webhooks.present", /validating\/kyverno-policy-validating-webhook-cfg/, [
        "kyverno.admission-controller",
        ...consequences,
      ]);
      cluster.node.startOnly(() => true);
      await becomesHealthy();
    });

    it("webhooks are left over without a Kyverno, and recover takes them away", async () => {
      killKyverno(cluster.node);
      await api("DELETE", CONTROLLER);
      const found = await finds("webhooks.leftover", /without a Kyverno, and they refuse/, [
        "kyverno.admission-controller",
      ]);
      await run(found.fix!);
      const { items } = await api<{ items: { metadata: { name: string } }[] }>(
        "GET",
        `${ADMISSION}/mutatingwebhookconfigurations`,
      );
      assert.deepEqual(
        items.filter(({ metadata }) => metadata.name.startsWith("kyverno-")),
        [],
      );
    });
  });
});
