import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as path from "node:path";
import { parse } from "yaml";
import { ensureTool } from "../../local/build";
import { type DemoCluster, startCluster } from "../../local/demo/cluster";
import { makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localKyverno, localTrust } from "../../local/demo/settings";
import { waitFor } from "../../local/waitFor";
import { type CodeBlock, codeBlocks, pageOf } from "../support/markdown";
import { log, switchPolicies, withBuilds } from "./support";

/** A block of commands and the block of what they print. */
interface Step {
  readonly when: string;
  readonly commands: CodeBlock;
  readonly prints: CodeBlock;
}

const page = "docs/getting-started.md";
const blocks = codeBlocks(pageOf(page));
const steps: Step[] = blocks.flatMap((commands, at) => {
  const prints = blocks[at + 1];
  if (commands.tried === undefined) return [];
  assert.equal(prints?.language, "text", `${page}, line ${commands.line}: the next block must be what it prints`);
  return [{ when: commands.tried, commands, prints: prints! }];
});

/** Every word of what the page shows, in order; `...` stands for anything. Where a text is folded is each Kyverno's own way. */
function shows(expected: string): RegExp {
  const escaped = expected
    .split("...")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"));
  return new RegExp(`^${escaped.join("[^]*?")}$`);
}

describe("getting started: the page's commands print what it says", function () {
  this.timeout(300_000);
  let cluster: DemoCluster;
  let settings: Record<string, unknown>;
  let environment: NodeJS.ProcessEnv;

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    await makeImages(plane.registry, cosign, sigstore);
    const kubectl = await ensureTool("kubectl", log);
    environment = {
      ...process.env,
      PATH: `${path.dirname(kubectl)}:${process.env.PATH}`,
      KUBECONFIG: plane.kubeconfig,
      LC_ALL: "C",
    };
    const stack = blocks.find(({ language }) => language === "yaml")!;
    const { config } = parse(stack.text) as { config: Record<string, unknown> };
    settings = {
      ...Object.fromEntries(Object.entries(config).map(([key, value]) => [key.split(":")[1]!, value])),
      trust: localTrust(sigstore),
      kyverno: localKyverno(node.kyverno),
    };
    await applyRendered(plane, node.kyverno, settings);
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** What a terminal would show, both streams together. */
  const shell = (commands: string) =>
    new Promise<string>((resolve) => {
      execFile("/bin/sh", ["-c", `exec 2>&1\n${commands}`], { env: environment }, (_error, stdout) =>
        resolve(stdout.replace(/ +$/gm, "").trim()),
      );
    });

  const tryStep = ({ when, commands, prints }: Step) =>
    it(`${when}: lines ${commands.line} to ${prints.line}`, async function () {
      const { version } = cluster.node.kyverno;
      if (when.endsWith("reports") && !version.startsWith("1.10.")) {
        this.skipReason = `needs Kyverno 1.10: ${version} words its reports in another way`;
        this.skip();
      }
      const expected = shows(prints.text);
      if (!when.endsWith("reports")) return assert.match(await shell(commands.text), expected);
      // Kyverno writes them after about a minute.
      let last = "";
      const isThere = async () => {
        last = await shell(commands.text);
        return expected.test(last);
      };
      await waitFor("the reports", 150_000, isThere, 2000).catch(() => {});
      assert.match(last, expected);
    });

  it("has steps of both modes", () => {
    assert.deepEqual([...new Set(steps.map(({ when }) => when))], ["audit", "audit reports", "enforce"]);
  });

  describe("mode audit", () => {
    steps.filter(({ when }) => when.startsWith("audit")).forEach(tryStep);
  });

  describe("mode enforce", () => {
    before(() => switchPolicies(cluster.plane, { ...settings, mode: "enforce" }));
    steps.filter(({ when }) => when === "enforce").forEach(tryStep);
  });
});
