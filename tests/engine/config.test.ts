import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findEngine } from "../../local/engine";
import { filesOf, REFUSED_CONFIGS, STACK_CONFIGS } from "../support/stackConfigs";

/** tests/unit/cli/settings holds our reader against the same lines. */
describe("engine: what Pulumi itself makes of stack files", function () {
  this.timeout(60_000);
  let folder: string;
  let cli: string;

  before(async function () {
    const engine = await findEngine(() => {});
    if ("missing" in engine) {
      this.skipReason = engine.missing;
      this.skip();
    }
    cli = engine.cli;
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-config-"));
    fs.mkdirSync(path.join(folder, "state"));
    write(filesOf({}));
    assert.equal(pulumi("stack", "init", "organization/shop/prod").status, 0);
  });
  after(() => folder && fs.rmSync(folder, { recursive: true }));

  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  };
  const pulumi = (...args: string[]) =>
    spawnSync(cli, [...args, "--non-interactive"], {
      cwd: folder,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        PULUMI_HOME: path.join(folder, "home"),
        PULUMI_BACKEND_URL: `file://${folder}/state`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "1",
      },
    });

  for (const one of STACK_CONFIGS)
    it(one.rule, () => {
      write(filesOf(one));
      const { stdout, stderr } = pulumi("config", "--json", "--stack", "prod");
      assert.ok(stdout.startsWith("{"), stderr);
      const found = JSON.parse(stdout) as Record<string, { value: string; objectValue?: unknown }>;
      for (const [key, value] of Object.entries(one.gives)) {
        const { value: text = null, objectValue } = found[key] ?? {};
        const isJson = typeof text === "string" && /^[[{]/.test(text);
        assert.deepEqual(objectValue ?? (isJson ? JSON.parse(text) : text), value, key);
      }
    });

  for (const one of REFUSED_CONFIGS)
    it(`refused: ${one.rule}`, () => {
      write(filesOf(one));
      assert.notEqual(pulumi("config", "--json", "--stack", "prod").status, 0);
    });
});
