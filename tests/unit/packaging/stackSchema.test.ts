import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { parse } from "yaml";
import { PROJECT } from "../../../local/packaging/schema";
import { STACK_SCHEMA_FILE, stackSchema, stackSchemaText } from "../../../local/packaging/stackSchema";

describe("stack.schema.json, by which editors complete and check a stack file", () => {
  const validate = new Ajv2020({ strict: false, formats: { "date-time": true } }).compile(stackSchema());
  const stackOf = (file: string) => parse(fs.readFileSync(path.join(PROJECT, file), "utf8")) as { config: object };
  const errors = (config: object) => (validate({ config }) ? [] : (validate.errors ?? []).map((e) => e.instancePath));

  it("is what the settings' own schema says today (npm run schema)", () => {
    assert.equal(fs.readFileSync(STACK_SCHEMA_FILE, "utf8"), stackSchemaText());
  });

  for (const file of ["Pulumi.dev.yaml", "Pulumi.prod.yaml"])
    it(`takes ${file}, which names it`, () => {
      assert.deepEqual(errors(stackOf(file).config), []);
      const first = fs.readFileSync(path.join(PROJECT, file), "utf8").split("\n")[0];
      assert.equal(first, "# yaml-language-server: $schema=./stack.schema.json");
    });

  const { config } = stackOf("Pulumi.prod.yaml");
  const cases: readonly (readonly [what: string, change: object, accepted: boolean])[] = [
    ["another package's setting", { "kubernetes:context": "prod" }, true],
    ["an encrypted setting", { "image-signing-guard:kyverno": { secure: "v1:abc" } }, true],
    ["a word that is no mode", { "image-signing-guard:mode": "enforced" }, false],
    ["a setting that does not exist", { "image-signing-guard:mod": "enforce" }, false],
    ["a misspelt key in a block", { "image-signing-guard:bypass": { group: ["oncall"] } }, false],
    [
      "an image entry without signers",
      { "image-signing-guard:images": [{ name: "a", repositories: ["r.io/a"] }] },
      false,
    ],
  ];
  for (const [what, change, accepted] of cases)
    it(`${accepted ? "takes" : "marks"} ${what}`, () => {
      assert.equal(errors({ ...config, ...change }).length === 0, accepted);
    });
});
