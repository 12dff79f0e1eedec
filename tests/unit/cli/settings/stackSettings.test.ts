import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readStackSettings } from "../../../../cli/settings/stackSettings";
import { problemsOf } from "../../../support/problems";

describe("settings read without an engine", () => {
  let folder = "";
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-settings-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const write = (text: string) => fs.writeFileSync(path.join(folder, "Pulumi.test.yaml"), text);
  const read = () => readStackSettings("test", folder);

  it("are those of the guard, with what YAML makes of them", () => {
    write("config:\n  image-signing-guard:mode: audit\n  image-signing-guard:images: [{name: a}]\n  aws:region: x\n");
    assert.deepEqual(read(), { mode: "audit", images: [{ name: "a" }] });
  });

  it("are none where the file has no config", () => {
    for (const text of ["", "encryptionsalt: v1:x\n", "config: {}\n"]) {
      write(text);
      assert.deepEqual(read(), {}, JSON.stringify(text));
    }
  });

  it("of a stack without file are refused with the stacks that there are", () => {
    write("");
    const [problem] = problemsOf(() => readStackSettings("prod", folder));
    assert.equal(problem!.key, "--stack");
    assert.match(problem!.allowed, /test/);
    assert.equal(problemsOf(() => readStackSettings("prod", path.join(folder, "nowhere"))).length, 1);
  });

  it("with an encrypted value are refused by its key", () => {
    write("config:\n  image-signing-guard:readiness:\n    kubeconfig:\n      secure: v1:abc\n");
    const [problem] = problemsOf(read);
    assert.equal(problem!.key, "image-signing-guard:readiness");
    assert.ok(!JSON.stringify(problem).includes("v1:abc"));
  });

  it("that are no YAML are refused with the place", () => {
    write("config:\n  image-signing-guard:mode: [audit\n");
    const [problem] = problemsOf(read);
    assert.match(problem!.found, /line \d/);
  });
});
