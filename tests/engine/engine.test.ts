import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { ImageSigningGuardArgs } from "../../components/args";
import { argsFromSettings } from "../../components/settings";
import type { DemoCluster } from "../../local/demo/cluster";
import { forApiServer } from "../../local/demo/render";
import { localSettings, type StackName } from "../../local/demo/settings";
import { type EngineRun, type EngineStack, openStack } from "../../local/engine";
import { webhookConfigurations } from "../../local/kyverno";
import { request, requestObject } from "../../local/request";
import { startEngine } from "./support";

const customResource = "kubernetes:kyverno.io/v1:ClusterPolicy";

describe("engine: pulumi up, preview and destroy of the project's stacks", function () {
  this.timeout(400_000);
  let cluster: DemoCluster;
  let stack: EngineStack;
  /** What a stack must say where the API server has no ValidatingAdmissionPolicies. */
  let whereOld: Record<string, unknown> = {};

  before(async function () {
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    whereOld = await forApiServer(cluster.plane, {});
    stack = await openStack(cluster.plane, engine, "engine-test");
    console.log(`      Kyverno ${cluster.node.kyverno.version}, provider plugin ${engine.pluginVersion}`);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  const argsOf = (name: StackName): ImageSigningGuardArgs =>
    argsFromSettings({ ...localSettings(name, cluster.sigstore, cluster.node.kyverno), ...whereOld });

  /** What a run would change or has changed, one line a resource. */
  const changes = ({ operations }: EngineRun) =>
    operations.filter(({ op }) => op !== "same" && op !== "read").map(({ op, name }) => `${op} ${name}`);

  it("up of dev creates the release and the policies, while a second up at the same time fails cleanly", async () => {
    // Each run sets this for its time; here two overlap.
    process.env.KUBECONFIG = cluster.plane.kubeconfig;
    const first = stack.up(argsOf("dev"));
    // By then the first is installing the chart and holds the stack's lock.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await assert.rejects(stack.up(argsOf("dev")), /currently locked/);
    const run = await first;
    delete process.env.KUBECONFIG;
    assert.ok(
      run.operations.every(({ op }) => op === "create"),
      changes(run).join("\n"),
    );
    assert.equal(run.outputs.mode, "audit");
    assert.equal(run.outputs.releaseStatus, "deployed");
    assert.equal(run.outputs.kyvernoVersion, `v${cluster.node.kyverno.version}`);
    assert.match(String(run.outputs.readiness), /^release deployed, policies Ready, webhooks registered$/);
    assert.deepEqual(run.outputs.policies, [
      ...["audit-unsigned-images", "audit-unsigned-images-templates"],
      ...["require-signed-images", "require-signed-images-templates"],
      ...["verify-image-signatures", "verify-image-signatures-templates"],
    ]);
  });

  it("a preview of the unchanged stack is empty", async () => {
    assert.deepEqual(changes(await stack.preview(argsOf("dev"), { expectNoChanges: true })), []);
  });

  it("a preview of prod begins with what it makes stronger and weaker, and the difference of the posture is short", async () => {
    const { text } = await stack.preview(argsOf("prod"));
    if (process.env.E2E_LOG) console.log(text);
    const lines = text.split("\n").map((line) => line.trim());
    const told = lines.findIndex((line) => /posture MIXED: .* \(1 weaker, \d+ stronger\)$/.test(line));
    assert.notEqual(told, -1, text);
    assert.match(lines[told + 1]!, /^weaker · bypass: off → platform-oncall, at most 4 hours$/);
    assert.match(lines[told + 2]!, /^stronger · mode: audit → enforce in prod, prod-\*, production/);
    const diff = lines.findIndex((line) => /^~ posture/.test(line));
    assert.match(lines.slice(diff).join("\n"), /~ policies *: \{(?:.|\n)*~ require-signed-images *: \{/);
    // What has a name is compared by it, not by its place in a list.
    assert.doesNotMatch(lines.slice(diff, diff + 20).join("\n"), /^~ *\[\d+\]/m);
  });

  it("up of prod changes the same stack in place", async () => {
    const run = await stack.up(argsOf("prod"));
    const replaced = run.operations.filter(({ op }) => op.includes("replace") || op.includes("discard"));
    assert.deepEqual(replaced, []);
    const policies = run.operations.filter(({ type }) => type === customResource);
    assert.ok(policies.length >= 5, changes(run).join("\n"));
    for (const { op, name } of policies)
      assert.ok(["create", "update", "same", "delete"].includes(op), `${op} ${name}`);
    for (const name of ["guard-require-signed-images", "guard-verify-image-signatures"]) {
      assert.equal(policies.find((policy) => policy.name === name)?.op, "update", name);
    }
    assert.equal(run.outputs.mode, "enforce");
    assert.match(String(run.outputs.readiness), /unsigned canary refused$/);
  });

  it("a preview after the switch is empty", async () => {
    assert.deepEqual(changes(await stack.preview(argsOf("prod"), { expectNoChanges: true })), []);
  });

  it("keeps what is secret encrypted in the state, wherever it goes, and hides nothing else", async () => {
    const args = argsOf("prod");
    const values = {
      admissionController: { podAnnotations: { "example.com/note": pulumi.secret("needle-in-values") } },
    };
    const secretive = {
      ...args,
      // In the messages of every rule that refuses.
      runbookUrl: pulumi.secret("https://wiki.example.com/needle-in-policies"),
      kyverno: { ...args.kyverno, values },
      // In the labels of what is made for Prometheus.
      monitoring: { dashboards: true, objectLabels: { note: "plain-label" } },
    } as ImageSigningGuardArgs;
    const run = await stack.up(secretive);
    assert.match(run.text, /posture SAME: .*\n.*runbook: page \[secret\] → \[secret\]/);
    assert.ok(!run.text.includes("needle"), run.text);
    assert.match(String(run.outputs.readiness), /unsigned canary refused$/);
    const state = await stack.state();
    for (const needle of state.match(/needle[\w-]*/g) ?? []) assert.fail(`${needle} is in the state in clear`);
    for (const plain of ["modulo-", "require-signed-images", "plain-label"]) assert.ok(state.includes(plain), plain);
    assert.deepEqual(changes(await stack.preview(secretive, { expectNoChanges: true })), []);
  });

  it("back to dev is in place too, and takes the guards away", async () => {
    const run = await stack.up(argsOf("dev"));
    assert.ok(
      run.operations.every(({ op }) => ["update", "same", "delete"].includes(op)),
      changes(run).join("\n"),
    );
    assert.ok(run.operations.some(({ op, name }) => op === "delete" && name === "guard-guard-image-bypass"));
    assert.deepEqual(changes(await stack.preview(argsOf("dev"), { expectNoChanges: true })), []);
    await stack.up(argsOf("prod"));
  });

  it("destroy leaves no webhook, no namespace and no definition behind", async () => {
    await stack.destroy();
    const { plane } = cluster;
    assert.deepEqual(await webhookConfigurations(plane), []);
    assert.equal((await request(plane.client, "GET", "/api/v1/namespaces/kyverno")).status, 404);
    const { items } = await requestObject<{ items: { metadata: { name: string } }[] }>(
      plane.client,
      "GET",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    );
    const names = items.map(({ metadata }) => metadata.name);
    assert.deepEqual(
      names.filter((name) => name.endsWith("kyverno.io")),
      [],
    );
  });
});
