import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { create } from "tar";
import { cacheRoot, ensurePublished, ensureTool, type ToolName, tools, toolVersion } from "../../local/build";
import { startControlPlane } from "../../local/controlPlane";
import { findKyverno, type KyvernoSource } from "../../local/kyvernoSource";
import { silent } from "../../local/log";
import { baseEnv, runToEnd } from "../../local/processes";
import { KYVERNO_CHART, PUBLISHED } from "../../local/published/images";
import { architecture } from "../../local/published/source";
import { imageOf, type Registry, startRegistry } from "../../local/registry";
import { requestObject } from "../../local/request";
import { createCosign } from "../../local/signing";
import { createSigner, createSigstore } from "../../local/sigstore";
import { log } from "./support";

const FROM = "IMAGE_SIGNING_GUARD_PROGRAMS_FROM";
const GIVEN = ["IMAGE_SIGNING_GUARD_BIN", "IMAGE_SIGNING_GUARD_KYVERNO_BIN", "IMAGE_SIGNING_GUARD_KYVERNO_CHART"];

/** The folder in which each project's image has its program. */
const FOLDERS: Readonly<Partial<Record<ToolName, string>>> = { cosign: "ko-app", crane: "ko-app", kubectl: "bin" };
const KYVERNO: readonly ToolName[] = ["kyverno", "reports-controller", "background-controller", "cleanup-controller"];

/** Everything from a registry of one's own, whose images are laid out like the published ones, on a machine without Go. */
describe("programs from a registry, without Go", function () {
  this.timeout(600_000);
  let registry: Registry;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let kyverno: KyvernoSource;

  before(async function () {
    this.timeout(40 * 60_000);
    if (architecture() === undefined) {
      this.skipReason = `programs of images run on Linux, not on ${process.platform}`;
      return this.skip();
    }
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-programs-"));
    kyverno = await findKyverno(log);
    registry = await startRegistry({ crane: await ensureTool("crane", log), workDir: folder, log });
    const built = (Object.keys(tools) as ToolName[]).filter((name) => PUBLISHED[name] && !KYVERNO.includes(name));
    for (const name of built)
      await publish(name, await ensureTool(name, log), toolVersion(name), FOLDERS[name] ?? "usr/local/bin");
    env = {
      ...process.env,
      // Node and what the system has, and no Go.
      PATH: (process.env.PATH ?? "")
        .split(path.delimiter)
        .filter((one) => !fs.existsSync(path.join(one, "go")))
        .join(":"),
      IMAGE_SIGNING_GUARD_CACHE: path.join(folder, "cache"),
      [FROM]: registry.host,
    };
    for (const name of GIVEN) delete env[name];
  });

  after(async () => {
    await registry?.stop();
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  async function publish(name: ToolName, program: string, version: string, at: string): Promise<void> {
    const image = PUBLISHED[name]!;
    const root = fs.mkdtempSync(path.join(folder, "image-"));
    fs.mkdirSync(path.join(root, at), { recursive: true });
    fs.copyFileSync(program, path.join(root, at, name));
    fs.chmodSync(path.join(root, at, name), 0o755);
    await push(image.repository, image.tag(version), root);
  }

  async function push(repository: string, tag: string, root: string): Promise<void> {
    const file = `${root}.tgz`;
    await create({ file, cwd: root, gzip: { level: 1 }, portable: true }, fs.readdirSync(root));
    await registry.push(repository, tag, imageOf(fs.readFileSync(file), `linux/${architecture()}`));
    fs.rmSync(root, { recursive: true });
    fs.rmSync(file);
  }

  /** In this process, as the local control plane runs here. */
  async function withEnv<T>(action: () => Promise<T>, changes: NodeJS.ProcessEnv = {}): Promise<T> {
    const before = process.env;
    process.env = { ...env, ...changes };
    try {
      return await action();
    } finally {
      process.env = before;
    }
  }

  const freshCache = (name: string) => ({ IMAGE_SIGNING_GUARD_CACHE: path.join(folder, name) });

  it("the control plane runs with them, and is of the versions that would be built", async () => {
    await withEnv(async () => {
      const told: string[] = [];
      assert.equal(cacheRoot(), path.join(folder, "cache"));
      const plane = await startControlPlane({ log: (line) => told.push(line) });
      try {
        const { gitVersion } = await requestObject<{ gitVersion: string }>(plane.client, "GET", "/version");
        assert.equal(gitVersion, toolVersion("kube-apiserver"));
      } finally {
        await plane.stop();
      }
      for (const name of ["etcd", "kube-apiserver", "kube-controller-manager", "crane"])
        assert.ok(
          told.some((line) => line.startsWith(`fetched ${name} v`)),
          told.join("\n"),
        );
    });
  });

  it("the demo is on Kyverno 1.10.7 and needs neither Go nor anything built", async function () {
    if (!kyverno.version.startsWith("1.10.")) {
      this.skipReason = `needs Kyverno 1.10: its programs are to be put into a registry, here are only those of ${kyverno.version}`;
      this.skip();
    }
    for (const name of KYVERNO) await publish(name, await kyverno.binary(name), `v${kyverno.version}`, "ko-app");
    const root = fs.mkdtempSync(path.join(folder, "chart-"));
    fs.cpSync(kyverno.chart, path.join(root, "kyverno"), { recursive: true });
    await push(KYVERNO_CHART.repository, kyverno.chartVersion, root);
    const start = Date.now();
    const text = await runToEnd(
      {
        name: "demo",
        command: process.execPath,
        args: ["-r", "ts-node/register/transpile-only", "local/demo/main.ts"],
        cwd: path.join(__dirname, "../.."),
        env: { ...baseEnv(), ...env, PULUMI_HOME: path.join(folder, "no-pulumi") },
        logFile: path.join(folder, "demo.log"),
      },
      540_000,
    );
    console.log(`        ${Math.round((Date.now() - start) / 1000)} s from nothing to the verdicts`);
    assert.match(text, /Kyverno 1\.10\.7/);
    assert.match(text, /All 26 verdicts are as expected/);
    assert.doesNotMatch(text, /building/);
  });

  it("an image that somebody else signed is not used, wherever it is", async () => {
    const sigstore = await createSigstore();
    const cosign = await createCosign({ sigstore, workDir: folder });
    const { repository } = PUBLISHED.kubectl!;
    const digest = await registry.digest(repository, toolVersion("kubectl"));
    const signer = await createSigner(sigstore, { repository: "mallory/Modulo" });
    await cosign.sign(`${registry.host}/${repository}@${digest}`, signer);
    await withEnv(async () => {
      const told: string[] = [];
      assert.equal(await ensurePublished("kubectl", toolVersion("kubectl"), (line) => told.push(line)), undefined);
      assert.match(told.join("\n"), /kubectl@sha256:\w+ is not used: wrong(CA|Signer)/);
    }, freshCache("signed"));
  });

  it("Kyverno that is not to be had is built, or the error says how to", async () => {
    const elsewhere = { ...freshCache("elsewhere"), [FROM]: `${registry.host}/elsewhere` };
    await withEnv(() => assert.rejects(findKyverno(silent), /no "go" was found on PATH/), elsewhere);
  });
});
