import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { PROJECT } from "../../../local/packaging/schema";

interface Job {
  readonly needs?: string;
  readonly permissions: Record<string, string>;
  readonly steps: { readonly uses?: string; readonly run?: string }[];
}

describe(".github/workflows/release.yml", () => {
  const text = fs.readFileSync(path.join(PROJECT, ".github", "workflows", "release.yml"), "utf8");
  const workflow = parse(text) as {
    on: unknown;
    permissions: object;
    jobs: Record<"pack" | "publish" | "github", Job>;
  };
  const { pack, publish, github } = workflow.jobs;
  const script = ({ steps }: Job) => steps.map(({ run = "" }) => run).join("\n");

  it("runs for version tags only", () => {
    assert.deepEqual(workflow.on, { push: { tags: ["v*"] } });
  });

  it("pins every action to a commit", () => {
    const used = [...pack.steps, ...publish.steps, ...github.steps].flatMap(({ uses }) => uses ?? []);
    assert.ok(used.length >= 5);
    for (const action of used) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it("lets the job that runs code only read, and the one that signs run none", () => {
    assert.deepEqual(Object.keys(workflow.jobs), ["pack", "publish", "github"]);
    assert.deepEqual(workflow.permissions, {});
    assert.deepEqual(pack.permissions, { contents: "read" });
    assert.deepEqual(publish.permissions, { "id-token": "write" });
    assert.deepEqual(github.permissions, { contents: "write" });
    for (const job of [publish, github]) assert.doesNotMatch(script(job), /npm (ci|install|run|test)\b|npx/);
  });

  it("needs no secret and puts no value of the event into a script", () => {
    // But for the run's own token and name, which are variables of a step.
    const rest = text.replace(/^ +GH_(TOKEN|REPO): \$\{\{ github\.(token|repository) \}\}$/gm, "");
    assert.doesNotMatch(rest, /secrets\.|\$\{\{/);
  });

  it("publishes with provenance what was tested, and only with the version's record", () => {
    assert.equal(publish.needs, "pack");
    assert.match(script(publish), /sha256sum --check[\s\S]*npm publish .*--provenance/);
    assert.match(script(pack), /test:package[\s\S]*npm pack[\s\S]*npm sbom .*> packed\/sbom\.cdx\.json/);
    assert.equal(github.needs, "publish");
    assert.match(script(github), /sha256sum --check[\s\S]*gh release create/);
    assert.match(script(pack), /tests\/fixtures\/releases\/v\$version\.json/);
  });
});
