import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ImportResource } from "@pulumi/pulumi/automation";
import { ClusterClient } from "../../components/kubernetes/client";
import { mendRelease } from "../../components/kyverno/helmRelease";
import { argsFromSettings } from "../../components/settings";
import type { DemoCluster } from "../../local/demo/cluster";
import { localSettings } from "../../local/demo/settings";
import { openStack } from "../../local/engine";
import { sleep } from "../../local/waitFor";
import { runCommand } from "../support/runCommand";
import { whatIsLeft } from "./outages";
import { needsNodeHost, projectOf, startEngine } from "./support";

/** Where in the first installation the engine is killed: when this resource is begun, and so many milliseconds later. */
const KILLS: readonly (readonly [resource: string, laterMs: number])[] = [
  ["guard-namespace", 0],
  ["guard-kyverno", 300],
  ["guard-kyverno", 4000],
  ["guard-kyverno", 9000],
  ["guard-guard-image-verdicts", 500],
  ["guard-require-signed-images", 500],
  ["guard-run-image-signing-guard-doctor-mutating", 300],
];

type Stack = Awaited<ReturnType<typeof openStack>>;

describe("engine: killed while it installs", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let settings: Record<string, unknown>;
  let open: (name: string) => Promise<Stack>;
  /** Where the command finds the stack's settings. */
  let project: string;

  before(async function () {
    if (!fs.existsSync("/proc/self/cmdline")) {
      this.skipReason = "this system tells nobody which processes run";
      return this.skip();
    }
    needsNodeHost(this);
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    open = (name) => openStack(cluster.plane, engine, name);
    settings = localSettings("prod", cluster.sigstore, cluster.node.kyverno);
    project = projectOf(cluster.plane, settings);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** What somebody does who reads the error. */
  async function asTold(message: string, stack: Stack): Promise<void> {
    if (message.includes("recover --mend-release")) {
      const client = ClusterClient.of({ kubeconfig: cluster.plane.kubeconfig });
      assert.notDeepEqual(await mendRelease(client, "kyverno", "kyverno"), []);
      return;
    }
    assert.match(message, /this stack's state does not know it.* image-signing-guard adopt --stack/s);
    const file = path.join(project, "adopt.json");
    const flags = ["--stack", "prod", "--cwd", project, "--out", file, "--kubeconfig", cluster.plane.kubeconfig];
    const { code, err } = await runCommand(["adopt", ...flags]);
    assert.equal(code, 0, err);
    const { resources } = JSON.parse(fs.readFileSync(file, "utf8")) as { resources: ImportResource[] };
    await stack.import(resources);
  }

  for (const [resource, laterMs] of KILLS)
    it(`at ${resource}, ${laterMs} ms in: what recover and the next up say is what comes about`, async () => {
      const args = argsFromSettings(settings);
      const stack = await open(`killed-${resource}-${laterMs}`);
      let killed = false;
      const begun = stack.up(args, (name) => {
        if (name !== resource || killed) return;
        killed = true;
        void sleep(laterMs).then(() => stack.kill());
      });
      await assert.rejects(begun);
      assert.ok(killed, `${resource} was never begun`);
      await stack.cancel();
      let again = await stack.up(args).catch((error: Error) => error);
      for (let tries = 0; again instanceof Error && tries < 3; tries++) {
        await asTold(again.message, stack);
        again = await stack.up(args).catch((error: Error) => error);
      }
      if (again instanceof Error) throw again;
      assert.match(String(again.outputs.readiness), /unsigned canary refused$/);
      await stack.destroy();
      assert.deepEqual(await whatIsLeft(cluster), []);
    });
});
