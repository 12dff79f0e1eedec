import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

interface Workflow {
  readonly permissions?: object;
  readonly jobs: Record<string, { readonly steps: { readonly uses?: string; readonly run?: string }[] }>;
}

const ROOT = path.join(__dirname, "../../..");

for (const folder of [".github/workflows", "templates"]) {
  for (const file of fs.readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith(".yml"))) {
    describe(`${folder}/${file}`, () => {
      const workflow = parse(fs.readFileSync(path.join(ROOT, folder, file), "utf8")) as Workflow;
      const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

      it("pins every action to a commit", () => {
        const used = steps.flatMap(({ uses }) => uses ?? []);
        assert.ok(used.length > 0);
        for (const action of used) assert.match(action, /^[\w-]+(\/[\w-]+)+@[0-9a-f]{40}$/);
      });

      it("says what its token may do", () => assert.ok(workflow.permissions));

      it("puts no value of the event into a script", () => {
        for (const { run } of steps) assert.ok(!run?.includes("${{"), run);
      });
    });
  }
}
