import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { codeBlocks } from "../../support/markdown";

const ROOT = path.join(__dirname, "..", "..", "..");

describe("docs: testing.md", () => {
  it("shows a test that passes without cluster and kubeconfig", () => {
    const [block] = codeBlocks(fs.readFileSync(path.join(ROOT, "docs", "testing.md"), "utf8"));
    // Within the project, whose packages it imports; the guard's sources stand for the package.
    const folder = fs.mkdtempSync(path.join(ROOT, "tests", ".testing-"));
    const file = path.join(folder, "guard.test.ts");
    fs.writeFileSync(file, block!.text.replaceAll('"image-signing-guard"', '"../../components/index"'));
    try {
      const done = spawnSync(process.execPath, ["-r", "ts-node/register/transpile-only", file], {
        cwd: ROOT,
        encoding: "utf8",
        env: { PATH: process.env.PATH, HOME: folder },
      });
      assert.equal(done.status, 0, done.stdout + done.stderr);
      assert.match(done.stdout, /# pass 2\n# fail 0/);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }).timeout(180_000);
});
