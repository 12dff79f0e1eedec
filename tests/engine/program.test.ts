import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation";
import type { ImageSigningGuardArgs } from "../../components/args";
import { argsFromSettings } from "../../components/settings";
import type { DemoCluster } from "../../local/demo/cluster";
import { localSettings } from "../../local/demo/settings";
import { type EngineRun, type EngineStack, openStack } from "../../local/engine";
import { requestObject } from "../../local/request";
import { breakKyverno, weakenJudge, whatIsLeft } from "./outages";
import { startEngine } from "./support";

/** Older than any that the SDK asks for. */
const OLDER_PLUGIN = "4.30.0";

/** What the program is besides its settings. */
interface Program {
  readonly name?: string;
  readonly opts?: pulumi.ComponentResourceOptions;
}

describe("engine: the program changes around a guard", function () {
  this.timeout(600_000);
  let cluster: DemoCluster;
  let args: ImageSigningGuardArgs;
  let stack: EngineStack;
  let program: Program = {};
  let hasOlderPlugin: boolean;

  before(async function () {
    const { engine, ...started } = await startEngine(this);
    cluster = started.cluster;
    const { plane, sigstore, node } = cluster;
    // So that whatever asks a dead Kyverno ends soon.
    args = { ...argsFromSettings(localSettings("prod", sigstore, node.kyverno)), readiness: { timeoutSeconds: 30 } };
    const run =
      (given: ImageSigningGuardArgs): PulumiFn =>
      async () => {
        const { ImageSigningGuard } = await import("../../components/imageSigningGuard");
        const guard = new ImageSigningGuard(program.name ?? "guard", given, program.opts);
        return { readiness: guard.readiness };
      };
    stack = await openStack(plane, engine, "program", run);
    hasOlderPlugin = haveOlderPlugin(path.join(plane.workDir, "pulumi", "program", "home", "plugins"), engine);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** Another folder of plugins, in which this machine's stands under an older version too. */
  function haveOlderPlugin(folder: string, { pluginVersion }: { pluginVersion: string }): boolean {
    if (!pluginVersion.startsWith("v")) return false;
    const real = fs.realpathSync(folder);
    fs.unlinkSync(folder);
    fs.mkdirSync(folder);
    // The engine takes folders only, and follows links only to what is in them.
    const have = (from: string, to: string) => {
      fs.mkdirSync(path.join(folder, to));
      for (const file of fs.readdirSync(path.join(real, from)))
        fs.symlinkSync(path.join(real, from, file), path.join(folder, to, file));
    };
    const own = `resource-kubernetes-${pluginVersion}`;
    have(own, own);
    have(own, `resource-kubernetes-v${OLDER_PLUGIN}`);
    return true;
  }

  const changes = ({ operations }: EngineRun) =>
    operations.filter(({ op }) => op !== "same" && op !== "read").map(({ op, name }) => `${op} ${name}`);
  const up = async (changed: Program = {}) => {
    program = changed;
    return stack.up(args);
  };

  it("where the cluster can't be reached, up says so and ends", async () => {
    const nowhere = fs
      .readFileSync(cluster.plane.kubeconfig, "utf8")
      .replaceAll(/https:\/\/127\.0\.0\.1:\d+/g, "https://127.0.0.1:1");
    const away = { ...args, readiness: { kubeconfig: nowhere, timeoutSeconds: 5 } };
    await assert.rejects(stack.up(away), /the guard is not ready: .*127\.0\.0\.1:1/);
    await stack.destroy();
  });

  it("a newer provider takes the resources of an older one over as they are", async function () {
    if (!hasOlderPlugin) {
      this.skipReason = "the plugin is on PATH, so it has no folder that could be called by another version";
      this.skip();
    }
    const older: pulumi.ResourceTransformation = ({ props, opts }) => ({
      props,
      opts: { ...opts, version: OLDER_PLUGIN },
    });
    await up({ opts: { transformations: [older] } });
    assert.match(await stack.state(), new RegExp(`default_${OLDER_PLUGIN.replaceAll(".", "_")}`));
    assert.deepEqual(changes(await up()), []);
  });

  it("a guard that is renamed with an alias stays what it is", async () => {
    await up();
    assert.deepEqual(changes(await up({ name: "gate", opts: { aliases: [{ name: "guard" }] } })), []);
    assert.deepEqual(changes(await up({ name: "gate" })), []);
  });

  it("one that is renamed without is refused before anything changes, in words that name the alias", async () => {
    program = { name: "door" };
    const { text } = await stack.preview(args);
    assert.match(text, /up would stop here: .*knows no guard "door".*aliases: \[\{ name: "OLD-NAME" \}\]/s);
    await assert.rejects(stack.up(args), (error: Error) => {
      assert.match(error.message, /aliases: \[\{ name: "OLD-NAME" \}\]/);
      assert.doesNotMatch(error.message, /require-signed-images/);
      return true;
    });
    assert.deepEqual(changes(await up({ name: "gate" })), ["delete door"]);
    assert.deepEqual(changes(await up({ name: "door", opts: { aliases: [{ name: "gate" }] } })), []);
  });

  it("one that is protected is not destroyed, nor any part of it", async () => {
    await up({ name: "door", opts: { protect: true } });
    await assert.rejects(stack.destroy(), /cannot be deleted/);
    assert.deepEqual(changes(await up({ name: "door" })), []);
  });

  it("refresh --run-program learns of a change that weakens, and up puts it back", async () => {
    await weakenJudge(cluster);
    await assert.rejects(stack.refresh(args), (error: Error) => {
      assert.match(error.message, /error: the guard is not ready: ClusterPolicy require-signed-images was changed/);
      assert.doesNotMatch(error.message, /serializing/);
      return true;
    });
    assert.deepEqual(changes(await up({ name: "door" })), ["update door-require-signed-images"]);
  });

  it("while Kyverno hangs a destroy that runs the program ends with what is wrong, and one that does not destroys", async () => {
    await breakKyverno(cluster, "hung");
    await assert.rejects(stack.destroy(args), /the guard is not ready: /);
    await stack.destroy();
    assert.deepEqual(await whatIsLeft(cluster), []);
  });

  it("one that is to be retained stays as a whole when the stack is destroyed", async () => {
    await up({ name: "door", opts: { retainOnDelete: true } });
    const before = await whatIsLeft(cluster);
    await stack.destroy();
    assert.deepEqual(await whatIsLeft(cluster), before);
    const path = "/apis/kyverno.io/v1/clusterpolicies/require-signed-images";
    await requestObject(cluster.plane.client, "GET", path);
  });
});
