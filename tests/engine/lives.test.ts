import * as assert from "node:assert/strict";
import type { ImageSigningGuardArgs } from "../../components/args";
import { argsFromSettings } from "../../components/settings";
import type { DemoCluster } from "../../local/demo/cluster";
import { localSettings } from "../../local/demo/settings";
import { type EngineStack, openStack } from "../../local/engine";
import { breakKyverno, type Outage, outages, weakenJudge, whatIsLeft } from "./outages";
import { startEngine } from "./support";

/** A stack is brought up, something comes to harm, and the engine must say so or end as the program says. */
describe("engine: lives that go wrong", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let args: ImageSigningGuardArgs;
  let open: (name: string) => Promise<EngineStack>;
  let opened: EngineStack | undefined;

  before(async function () {
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    args = argsFromSettings(localSettings("prod", cluster.sigstore, cluster.node.kyverno));
    open = async (name) => {
      opened = await openStack(cluster.plane, engine, name);
      return opened;
    };
  });

  /** A life that ended badly must not spoil the next one. */
  afterEach(async function () {
    if (this.currentTest?.state === "failed") await opened?.destroy().catch(() => undefined);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  it("a judge switched to audit behind the state's back fails up, and a refreshing up puts it back", async () => {
    const stack = await open("drift");
    await stack.up(args);
    await weakenJudge(cluster);
    await assert.rejects(stack.up(args), /require-signed-images was changed in the cluster/);
    await stack.refresh();
    await stack.up(args);
    await stack.destroy();
    assert.deepEqual(await whatIsLeft(cluster), []);
  });

  for (const outage of Object.keys(outages) as Outage[])
    it(`${outages[outage].what}: destroy ends and leaves nothing`, async function () {
      const { version } = cluster.node.kyverno;
      const { line } = outages[outage];
      if (line !== undefined && !version.startsWith(line)) {
        this.skipReason = `needs Kyverno 1.10: what the chart of ${version} leaves behind then is not looked into`;
        this.skip();
      }
      const stack = await open(`destroy-${outage}`);
      await stack.up(args);
      await breakKyverno(cluster, outage);
      await stack.destroy();
      assert.deepEqual(await whatIsLeft(cluster), []);
    });
});
