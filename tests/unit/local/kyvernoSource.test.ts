import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findKyverno, stampedVersion } from "../../../local/kyvernoSource";
import { silent } from "../../../local/log";

const BIN = "IMAGE_SIGNING_GUARD_KYVERNO_BIN";
const CHART = "IMAGE_SIGNING_GUARD_KYVERNO_CHART";
const VERSION = "IMAGE_SIGNING_GUARD_KYVERNO_VERSION";
const stamp = (version: string) => `\0-X github.com/kyverno/kyverno/pkg/version.BuildVersion=${version}"\0`;

describe("the local Kyverno's source", () => {
  let folder = "";
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-source-"));
    fs.writeFileSync(path.join(folder, "Chart.yaml"), "version: 3.0.9\nappVersion: v1.10.7\n");
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const program = (content: string) => fs.writeFileSync(path.join(folder, "kyverno"), content);
  const find = (env: NodeJS.ProcessEnv = {}) => findKyverno(silent, { [BIN]: folder, [CHART]: folder, ...env });

  it("is told by the version in the program", async () => {
    program(stamp("v1.10.7"));
    const source = await find();
    assert.deepEqual([source.version, source.chartVersion, source.chart], ["1.10.7", "3.0.9", folder]);
    assert.equal(await source.binary("kyverno"), path.join(folder, "kyverno"));
  });

  it("is told by the environment or the chart where the program says nothing", async () => {
    program("no stamp");
    assert.equal((await find()).version, "1.10.7");
    assert.equal((await find({ [VERSION]: "v1.10.7" })).version, "1.10.7");
  });

  it("is refused when chart and program are of different versions", async () => {
    program(stamp("v1.13.4"));
    await assert.rejects(find(), /1\.13\.4.*v1\.10\.7/);
    program("no stamp");
    await assert.rejects(find({ [VERSION]: "1.11.0" }), /1\.11\.0/);
  });

  it("is refused without chart, program or Chart.yaml, by the variable's name", async () => {
    await assert.rejects(find(), new RegExp(BIN));
    program("x");
    await assert.rejects(findKyverno(silent, { [BIN]: folder }), new RegExp(CHART));
    fs.rmSync(path.join(folder, "Chart.yaml"));
    await assert.rejects(find(), new RegExp(CHART));
  });

  it("reads the stamp of plain and candidate versions and nothing else", () => {
    assert.equal(stampedVersion(Buffer.from(`abc${stamp("v1.10.7")}`)), "1.10.7");
    assert.equal(stampedVersion(Buffer.from(stamp("1.13.0-rc.2"))), "1.13.0-rc.2");
    assert.equal(stampedVersion(Buffer.from(stamp("main"))), undefined);
    assert.equal(stampedVersion(Buffer.from("kyverno")), undefined);
  });
});
