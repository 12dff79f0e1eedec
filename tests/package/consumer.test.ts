import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { newConsumer, run, runOrThrow } from "./support";

const IMAGES = `[{
  name: "modulo",
  repositories: ["ghcr.io/ikey168/modulo-*"],
  signers: [{ github: { repository: "Ikey168/Modulo", workflow: "docker-build.yml", ref: "refs/heads/main" } }],
}]`;

/** A program as a user writes it, on a mocked engine; prints the versions in play and what was registered. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const made = [];
const mocks = {
  newResource: ({ type, name, inputs }) => {
    made.push(type + " " + name);
    return { id: name, state: type.includes("helm") ? { ...inputs, status: { status: "deployed" } } : inputs };
  },
  call: ({ inputs }) => inputs,
};
(async () => {
  await pulumi.runtime.setMocks(mocks, "project", "stack", false);
  const { GuardMode, ImageSigningGuard } = require("image-signing-guard");
  const { version } = require("@pulumi/pulumi/package.json");
  const given = pulumi.output({}).apply((values) => values);
  const guard = new ImageSigningGuard("guard", {
    mode: GuardMode.Enforce, images: ${IMAGES}, kyverno: { values: given }, readiness: { canary: false },
  });
  const names = await new Promise((resolve) => guard.policyNames.apply(resolve));
  await pulumi.runtime.disconnect();
  const theirs = require.resolve("@pulumi/pulumi/package.json", { paths: [require.resolve("image-signing-guard")] });
  console.log(JSON.stringify({ version, theirs: require(theirs).version, same: theirs === require.resolve("@pulumi/pulumi/package.json"), names, made }));
})();
`;

/** Older than what the package asks for, so npm has to install a second copy. */
const OLD_PULUMI = "3.200.0";

interface Answer {
  version: string;
  theirs: string;
  same: boolean;
  names: string[];
  made: string[];
}

function runProgram(folder: string): Answer {
  fs.writeFileSync(path.join(folder, "program.js"), PROGRAM);
  return JSON.parse(runOrThrow("node", ["program.js"], folder).trim().split("\n").at(-1)!) as Answer;
}

function assertComplete({ names, made }: Answer): void {
  assert.ok(names.includes("require-signed-images"), names.join());
  for (const expected of [
    "image-signing-guard:index:ImageSigningGuard guard",
    "kubernetes:helm.sh/v3:Release guard-kyverno",
    "kubernetes:kyverno.io/v1:ClusterPolicy guard-require-signed-images",
  ])
    assert.ok(made.includes(expected), `${expected} among\n${made.join("\n")}`);
}

describe("a stack that installs the npm package", function () {
  this.timeout(900_000);
  let folder: string;

  before(function () {
    const made = newConsumer("consumer", { typescript: "~5.9.3", "@types/node": "^20" });
    if (typeof made !== "string") {
      this.skipReason = made.missing;
      this.skip();
    }
    folder = made;
  });

  it("makes the guard, sharing one copy of the Pulumi SDK", () => {
    const answer = runProgram(folder);
    assertComplete(answer);
    assert.equal(answer.same, true);
  });

  it("has types that a strict program compiles with, however it resolves modules", () => {
    fs.writeFileSync(
      path.join(folder, "index.ts"),
      `import * as pulumi from "@pulumi/pulumi";
import { guardArgsFromConfig, GuardMode, ImageSigningGuard, type ImageSigningGuardArgs } from "image-signing-guard";
const args: ImageSigningGuardArgs = { ...guardArgsFromConfig(), mode: GuardMode.Audit };
const guard = new ImageSigningGuard("guard", args);
new ImageSigningGuard("words", { mode: "enforce", images: ${IMAGES} }, { dependsOn: [guard] });
export const names: pulumi.Output<string[]> = guard.policyNames;
// @ts-expect-error: a mode that does not exist
new ImageSigningGuard("typo", { mode: "enforced", images: [] });
`,
    );
    for (const module of [
      ["--module", "commonjs", "--moduleResolution", "node10"],
      ["--module", "nodenext", "--moduleResolution", "nodenext"],
      ["--module", "esnext", "--moduleResolution", "bundler"],
    ]) {
      const flags = ["--noEmit", "--strict", "--target", "ES2022", "--types", "node", "--skipLibCheck", "true"];
      const { code, all } = run("npx", ["--no-install", "tsc", ...flags, ...module, "index.ts"], folder);
      assert.equal(code, 0, `${module.join(" ")}\n${all}`);
    }
  });

  it("can be imported from an ES module", () => {
    const program =
      'import { GuardMode, ImageSigningGuard } from "image-signing-guard"; console.log(GuardMode.Enforce, typeof ImageSigningGuard);';
    assert.equal(runOrThrow("node", ["--input-type=module", "-e", program], folder).trim(), "enforce function");
  });

  it("has the command", () => {
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: consumer\nruntime: nodejs\n");
    fs.writeFileSync(
      path.join(folder, "Pulumi.prod.yaml"),
      `config:\n  image-signing-guard:mode: enforce\n  image-signing-guard:images:\n    - name: modulo\n      repositories: [ghcr.io/ikey168/modulo-*]\n      signers:\n        - github: { repository: Ikey168/Modulo, workflow: docker-build.yml, ref: refs/heads/main }\n`,
    );
    const args = ["--no-install", "image-signing-guard", "render", "--stack", "prod", "--out", "rendered"];
    runOrThrow("npx", args, folder);
    assert.ok(fs.readdirSync(path.join(folder, "rendered")).length > 0);
  });

  it("works beside another copy of the Pulumi SDK", function () {
    const made = newConsumer("two-copies", { "@pulumi/pulumi": OLD_PULUMI });
    if (typeof made !== "string") {
      this.skipReason = made.missing;
      return this.skip();
    }
    const answer = runProgram(made);
    assert.equal(answer.version, OLD_PULUMI);
    assert.equal(answer.same, false, "npm made no second copy; this test would show nothing");
    assertComplete(answer);
  });
});
