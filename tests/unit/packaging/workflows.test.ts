import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";

/** Pipelines of GitHub; what other services run has other shapes. */
const isGitHub = (file: string) => parse(fs.readFileSync(file, "utf8")).jobs !== undefined;

interface Workflow {
  readonly permissions?: object;
  readonly jobs: Record<string, { readonly steps: { readonly uses?: string; readonly run?: string }[] }>;
}

const ROOT = path.join(__dirname, "../../..");

for (const folder of [".github/workflows", "templates"]) {
  const files = fs.readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith(".yml"));
  for (const file of files.filter((name) => isGitHub(path.join(ROOT, folder, name)))) {
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

describe("templates for GitLab and Buildkite", () => {
  const files = fs.readdirSync(path.join(ROOT, "templates")).map((name) => path.join(ROOT, "templates", name));
  const others = files.filter((file) => !isGitHub(file)).map((file) => [file, fs.readFileSync(file, "utf8")] as const);

  it("sign the digest of what was pushed, and check who signed it", () => {
    const signing = others.filter(([file]) => file.endsWith("-sign.yml"));
    assert.equal(signing.length, 2);
    for (const [file, text] of signing) {
      assert.match(text, /cosign sign --yes "\$+IMAGE@\$+DIGEST"/, file);
      assert.match(
        text,
        /cosign verify "\$+IMAGE@\$+DIGEST" --certificate-oidc-issuer \S+\s+--certificate-identity "/,
        file,
      );
    }
  });

  it("compare before they comment, with the target branch's code", () => {
    const { posture, comment } = parse(others.find(([file]) => file.endsWith("gitlab-preview.yml"))![1]) as Record<
      string,
      { script: string[] }
    >;
    assert.ok(posture!.script.some((line) => line.includes("posture --stack")));
    const own = comment!.script.findIndex((line) => line.startsWith("git checkout --force FETCH_HEAD"));
    assert.ok(own >= 0 && own < comment!.script.findIndex((line) => line.startsWith("npm ci")));
  });
});
