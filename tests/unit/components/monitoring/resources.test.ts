import * as assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import type { ImageSigningGuardArgs } from "../../../../components/args";
import { ImageSigningGuard } from "../../../../components/imageSigningGuard";
import { runStack } from "../../../support/mockStack";
import { settings } from "../../../support/settings";

/** An API server that knows these API groups. */
async function startApi(groups: readonly string[] | "broken") {
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    request.resume();
    asked.push(request.url ?? "");
    const body = {
      kind: "APIGroupList",
      groups: groups === "broken" ? [] : groups.map((name) => ({ name, versions: [] })),
    };
    response.writeHead(groups === "broken" ? 503 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const kubeconfig = [
    ...["apiVersion: v1", "kind: Config", "current-context: c"],
    `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}", insecure-skip-tls-verify: true}}]`,
    ...["users: [{name: u, user: {token: s3cret}}]", "contexts: [{name: c, context: {cluster: c, user: u}}]", ""],
  ].join("\n");
  const stop = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { kubeconfig, asked, stop };
}

/** Only previews ask in these tests: an up would go on to wait for Kyverno. */
async function preview(monitoring: Record<string, unknown> | undefined, readiness: Record<string, unknown>) {
  const args = settings({ readiness, ...(monitoring ? { monitoring } : {}) }) as unknown as ImageSigningGuardArgs;
  return runStack(() => new ImageSigningGuard("guard", args), { preview: true });
}

const QUIET = { canary: false };
const namesOf = ({ resources }: Awaited<ReturnType<typeof preview>>) => resources.map(({ name }) => name);

describe("monitoring's resources", () => {
  it("are none without the block", async () => {
    const names = namesOf(await preview(undefined, QUIET));
    assert.ok(!names.some((name) => /alerts|dashboard|reporter/.test(name)), names.join());
  });

  it("are rule and dashboard with the operator, children of the component", async () => {
    const stack = await preview({ prometheusOperator: true }, QUIET);
    const rule = stack.resources.find(({ name }) => name === "guard-alerts")!;
    assert.equal(rule.type, "kubernetes:monitoring.coreos.com/v1:PrometheusRule");
    assert.deepEqual([rule.parent, rule.dependsOn.includes("guard-kyverno")], ["guard", true]);
    assert.ok(namesOf(stack).includes("guard-dashboard"));
    assert.deepEqual(stack.warnings, []);
  });

  it("are the dashboard alone without it, with one line that says so", async () => {
    const stack = await preview({}, QUIET);
    assert.ok(namesOf(stack).includes("guard-dashboard") && !namesOf(stack).includes("guard-alerts"));
    const lines = stack.warnings.filter((text) => text.includes("PrometheusRule"));
    assert.equal(lines.length, 1, stack.warnings.join("\n"));
  });

  it("are no dashboard on request", async () => {
    assert.ok(!namesOf(await preview({ dashboards: false }, QUIET)).includes("guard-dashboard"));
  });

  it("leave the rule out with one line where the cluster has no operator, whatever the stack says", async () => {
    const api = await startApi(["apps", "kyverno.io"]);
    const stack = await preview({ prometheusOperator: true }, { kubeconfig: api.kubeconfig });
    await api.stop();
    assert.ok(!namesOf(stack).includes("guard-alerts"), namesOf(stack).join());
    const lines = stack.warnings.filter((text) => text.includes("does not have the Prometheus Operator"));
    assert.equal(lines.length, 1, stack.warnings.join("\n"));
  });

  it("have the rule where the cluster has the operator", async () => {
    const api = await startApi(["apps", "monitoring.coreos.com"]);
    const stack = await preview({ prometheusOperator: true }, { kubeconfig: api.kubeconfig });
    await api.stop();
    assert.ok(api.asked.includes("/apis"), api.asked.join());
    assert.ok(namesOf(stack).includes("guard-alerts"), namesOf(stack).join());
  });

  it("keep the rule when the cluster does not answer or can't tell", async () => {
    const api = await startApi("broken");
    const stack = await preview({ prometheusOperator: true }, { kubeconfig: api.kubeconfig });
    await api.stop();
    assert.ok(namesOf(stack).includes("guard-alerts"), namesOf(stack).join());
    const gone = await preview({ prometheusOperator: true }, { kubeconfig: api.kubeconfig });
    assert.ok(namesOf(gone).includes("guard-alerts"), namesOf(gone).join());
  });

  it("are policy-reporter in a namespace of its own, at a fixed version, after Kyverno", async () => {
    const { resources } = await preview({ policyReporter: { enabled: true, values: { replicaCount: 2 } } }, QUIET);
    const release = resources.find(({ name }) => name === "guard-policy-reporter")!;
    assert.equal(release.inputs.version, "3.9.1");
    assert.equal(release.inputs.namespace, "policy-reporter");
    assert.equal((release.inputs.values as { replicaCount: number }).replicaCount, 2);
    assert.ok(release.dependsOn.includes("guard-policy-reporter-namespace"), release.dependsOn.join());
    assert.ok(release.dependsOn.includes("guard-kyverno"), release.dependsOn.join());
  });
});
