import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import ts from "typescript";
import { z } from "zod";
import * as args from "../../../components/args";
import { guardSchema } from "../../../components/schema";
import {
  deriveSchema,
  type PackageSchema,
  PLUGIN_MANIFEST,
  PROJECT,
  PROJECT_MANIFEST,
  type PropertySchema,
  readJson,
  SCHEMA_FILE,
  schemaText,
} from "../../../local/packaging/schema";

const GUARD = "image-signing-guard:index:ImageSigningGuard";

/** Blocks that Kyverno or its chart define, not this package. */
const UNTYPED = [
  "kyverno.values",
  "extraPolicies[]",
  "images[].attestations[].conditions[]",
  "monitoring.policyReporter.values",
];

describe("schema.json, from which the SDKs of other languages are made", () => {
  // The analysis reads the declarations of the Kubernetes SDK too.
  const committed = JSON.parse(fs.readFileSync(SCHEMA_FILE, "utf8")) as PackageSchema;
  const resource = committed.resources[GUARD]!;

  it("is what Pulumi derives from the component today", async () => {
    const derived = schemaText(await deriveSchema());
    const text = fs.readFileSync(SCHEMA_FILE, "utf8");
    assert.equal(text, derived, "the component changed: run `npm run schema` and commit schema.json");
  });

  it("has this package's version, so that an SDK asks for the plugin it was made from", () => {
    const { name, version, description } = readJson(PROJECT_MANIFEST);
    const plugin = readJson(PLUGIN_MANIFEST);
    for (const other of [committed, plugin])
      assert.deepEqual([other.name, other.version, other.description], [name, version, description], "npm run schema");
    assert.equal(plugin.private, true, "only the project's root is published");
  });

  it("knows every setting at every depth, with its kind", () => {
    assert.deepEqual(settingsOfSchema(committed), settingsOfParser());
  });

  it("has the words of every enum", () => {
    const enums = Object.fromEntries(
      Object.entries(committed.types)
        .filter(([, type]) => type.enum)
        .map(([name, type]) => [name.split(":").pop()!, type.enum!.map(({ value }) => value).sort()]),
    );
    const own = Object.fromEntries(
      Object.entries(args).map(([name, values]) => [
        name,
        Object.values(values as Record<string, string | number>).sort(),
      ]),
    );
    assert.deepEqual(enums, own);
  });

  it("publishes the documented outputs and no private field", () => {
    assert.deepEqual(Object.keys(resource.properties).sort(), [
      "chartVersion",
      "kyvernoVersion",
      "mode",
      "monitoring",
      "namespace",
      "policyNames",
      "posture",
      "readiness",
      "releaseStatus",
    ]);
  });

  it("says each default twice in the same words: as text, which other languages get, and as a tag for editors", () => {
    const wrong = optionalArguments()
      .filter(({ text, tag }) => tag === undefined || !plain(text).includes(`Default ${plain(tag)}`))
      .map(({ key, text, tag }) => `${key}: @default ${tag} in "${text}"`);
    assert.deepEqual(wrong, []);
  });

  it("documents every argument, also where the SDK can't show a type's own comment", () => {
    const silent = [
      ...Object.entries(resource.inputProperties).map(([key, { description }]) => [key, description]),
      ...Object.entries(resource.properties).map(([key, { description }]) => [key, description]),
      ...Object.entries(committed.types).flatMap(([type, { properties = {} }]) =>
        Object.entries(properties).map(([key, { description }]) => [`${type}.${key}`, description]),
      ),
    ].filter(([, description]) => !description || description.includes("[object Object]"));
    assert.deepEqual(silent, []);
  });
});

/** Every argument that may be left out, with the text of its doc comment and its default. */
function optionalArguments(): { key: string; text: string; tag: string | undefined }[] {
  const file = path.join(PROJECT, "components", "args.ts");
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const fields = source.statements
    .filter(ts.isInterfaceDeclaration)
    .flatMap(({ name, members }) =>
      members.filter(ts.isPropertySignature).map((field) => ({ key: `${name.text}.${field.name.getText()}`, field })),
    );
  assert.ok(fields.length > 100);
  return fields
    .filter(({ field }) => field.questionToken)
    .map(({ key, field }) => {
      const tag = ts.getJSDocTags(field).find(({ tagName }) => tagName.text === "default");
      const [comment] = ts.getJSDocCommentsAndTags(field);
      return { key, text: String(comment?.comment), tag: tag && String(tag.comment) };
    });
}

/** `Default: a, b.` and `["a", "b"]` alike. */
const plain = (text: string) =>
  text
    .replace(/["`[\]]/g, "")
    .replace(/\s+/g, " ")
    .replace(/\bDefault: /g, "Default ");

/** `path: kind` of each setting that a Pulumi program can give. */
function settingsOfSchema(schema: PackageSchema): string[] {
  const walk = (path: string, node: PropertySchema): string[] => {
    if (node.type === "array") return walk(`${path}[]`, node.items!);
    if (node.additionalProperties)
      return [`${path}: ${node.additionalProperties.type === "string" ? "words by name" : "untyped block"}`];
    if (node.$ref === "pulumi.json#/Any") return [`${path}: text or block`];
    if (!node.$ref) return [`${path}: ${node.type}`];
    const type = schema.types[node.$ref.replace("#/types/", "")];
    assert.ok(type, `${path} has the type ${node.$ref}`);
    if (type.enum) return [`${path}: enum`];
    return Object.entries(type.properties!).flatMap(([key, child]) => walk(`${path}.${key}`, child));
  };
  return Object.entries(schema.resources[GUARD]!.inputProperties)
    .flatMap(([key, node]) => walk(key, node))
    .sort();
}

/** The same of each setting that the guard reads. */
function settingsOfParser(): string[] {
  const walk = (path: string, node: z.ZodType): string[] => {
    if (node instanceof z.ZodOptional) return walk(path, node.unwrap() as z.ZodType);
    if (node instanceof z.ZodArray) return walk(`${path}[]`, node.element as z.ZodType);
    if (node instanceof z.ZodRecord) {
      if (node.valueType instanceof z.ZodString) return [`${path}: words by name`];
      assert.ok(UNTYPED.includes(path), `${path} has no type; was that meant?`);
      return [`${path}: untyped block`];
    }
    if (node instanceof z.ZodObject)
      return Object.entries(node.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
        walk(path ? `${path}.${key}` : key, child),
      );
    return [`${path}: ${kindOf(node)}`];
  };
  return walk("", guardSchema).sort();
}

function kindOf(node: z.ZodType): string {
  if (node instanceof z.ZodEnum) return "enum";
  if (node instanceof z.ZodUnion && node.options.every((one) => one instanceof z.ZodLiteral)) return "enum";
  if (node instanceof z.ZodUnion) return "text or block";
  if (node instanceof z.ZodBoolean) return "boolean";
  if (node instanceof z.ZodNumber) return "number";
  return "string";
}
