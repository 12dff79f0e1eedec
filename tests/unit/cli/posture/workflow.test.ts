import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}
interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: object;
  readonly jobs: Record<
    "preview" | "comment",
    { readonly permissions: object; readonly if?: string; readonly steps: Step[] }
  >;
}

const ROOT = path.join(__dirname, "../../../..");
const FIXTURES = path.join(__dirname, "../../fixtures/posture");

for (const file of [".github/workflows/preview.yml", "templates/preview.yml"]) {
  describe(file, () => {
    const text = fs.readFileSync(path.join(ROOT, file), "utf8");
    const workflow = parse(text) as Workflow;
    const { preview, comment } = workflow.jobs;

    it("gives the job that runs the pull request's code no way to write, and the other one no secrets", () => {
      assert.deepEqual(Object.keys(workflow.on), ["pull_request"]);
      assert.deepEqual(workflow.permissions, {});
      assert.deepEqual(preview.permissions, { contents: "read" });
      assert.deepEqual(comment.permissions, { contents: "read", "pull-requests": "write" });
      assert.ok(!JSON.stringify(comment).includes("secrets."));
      assert.match(JSON.stringify(comment.steps[0]), /base\.sha/);
      assert.match(comment.if!, /head\.repo\.full_name == github\.repository/);
    });

    it("writes every comment, also when one of them fails, and then fails", () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "workflow-test-"));
      for (const name of ["npm", "npx"])
        fs.writeFileSync(path.join(folder, name), '#!/bin/bash\necho "$*" >> calls\n[[ "$*" != *" dev "* ]]\n', {
          mode: 0o755,
        });
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
      const script = comment.steps.find(({ run }) => run?.includes("posture comment"))!.run!;
      const done = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: folder, env, encoding: "utf8" });
      assert.equal(done.status, 1, done.stderr);
      assert.match(
        fs.readFileSync(path.join(folder, "calls"), "utf8"),
        /comment dev posture\/dev\.md\n.*comment prod posture\/prod\.md\n/,
      );
      fs.rmSync(folder, { recursive: true });
    });

    for (const [recorded, exit, code, says] of [
      ["enforce", 0, 0, /\*\*STRONGER\*\*/],
      ["failed-config", 1, 2, /NO ANSWER/],
    ] as const) {
      it(`runs the posture step on a recorded preview: ${recorded}`, () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "workflow-test-"));
        const tool = (name: string, script: string) =>
          fs.writeFileSync(path.join(folder, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
        tool("pulumi", `cat ${FIXTURES}/${recorded}.json; exit ${exit}`);
        const guard = `cd ${ROOT} && exec node -r ts-node/register/transpile-only cli/main.ts`;
        // The step's own folder holds preview.json, so the command gets its full path.
        const run = `args=("$@"); for i in "\${!args[@]}"; do [ "\${args[i]}" = preview.json ] && args[i]="$PWD/preview.json"; done`;
        tool("npm", `${run}; ${guard} "\${args[@]:4}"`);
        tool("npx", `${run}; ${guard} "\${args[@]:2}"`);
        const summary = path.join(folder, "summary.md");
        const env = {
          ...process.env,
          PATH: `${folder}:${process.env.PATH}`,
          STACK: "dev",
          HAS_BACKEND: "true",
          GITHUB_STEP_SUMMARY: summary,
        };
        const script = preview.steps.find(({ name }) => name === "posture")!.run!;
        const done = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], { cwd: folder, env, encoding: "utf8" });
        assert.equal(done.status, code, done.stderr);
        assert.match(fs.readFileSync(path.join(folder, "posture/dev.md"), "utf8"), says);
        assert.match(fs.readFileSync(summary, "utf8"), says);
        fs.rmSync(folder, { recursive: true });
      });
    }
  });
}
