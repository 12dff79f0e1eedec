import * as assert from "node:assert/strict";
import { z } from "zod";
import { formatKey, guardSchema, parseGuardConfig } from "../../../components/schema";
import { problemsOf } from "../../support/problems";
import { postureOf, settings } from "../../support/settings";

type Path = (string | number)[];

const unwrap = (node: unknown): unknown => (node instanceof z.ZodOptional ? unwrap(node.unwrap()) : node);

/** Every block of the schema with the path of its first occurrence. */
function blocksOf(node: unknown, path: Path = []): { path: Path; keys: string[] }[] {
  const inner = unwrap(node);
  if (inner instanceof z.ZodArray) return blocksOf(inner.element, [...path, 0]);
  if (!(inner instanceof z.ZodObject)) return [];
  const shape = inner.shape as Record<string, unknown>;
  return [
    { path, keys: Object.keys(shape) },
    ...Object.entries(shape).flatMap(([key, child]) => blocksOf(child, [...path, key])),
  ];
}

/** Every setting of the schema that is neither block nor list. */
function leavesOf(node: unknown, path: Path = []): Path[] {
  const inner = unwrap(node);
  if (inner instanceof z.ZodArray) return leavesOf(inner.element, [...path, 0]);
  if (!(inner instanceof z.ZodObject)) return [path];
  return Object.entries(inner.shape as Record<string, unknown>).flatMap(([key, child]) =>
    leavesOf(child, [...path, key]),
  );
}

/** A configuration that has nothing but a value at a path. */
function at(path: Path, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, part) => (typeof part === "number" ? [inner] : { [part]: inner }), value);
}

const BLOCKS = blocksOf(guardSchema);
const LEAVES = leavesOf(guardSchema);
const problemAt = (raw: unknown, key: string) =>
  problemsOf(() => postureOf(raw)).find((problem) => problem.key === key);

describe("schema", () => {
  it("is walked by these tests in all its depth", () => {
    assert.ok(BLOCKS.length >= 20 && LEAVES.length >= 60, `${BLOCKS.length} blocks, ${LEAVES.length} settings`);
    assert.ok(BLOCKS.some(({ path }) => formatKey(path) === "images[0].attestations[0].signers[0].keyless.claims"));
  });

  for (const { path, keys } of BLOCKS) {
    const name = formatKey(path);
    it(`refuses an unknown key in ${name} and names the known ones`, () => {
      const key = formatKey([...path, "zzzzzzzzzz"]);
      const problem = problemAt(at(path, { zzzzzzzzzz: 1 }), key);
      assert.ok(problem, key);
      for (const known of keys) assert.ok(problem.allowed.includes(known), known);
      assert.equal(problem.fix, "remove zzzzzzzzzz");
    });

    it(`guesses what a mistyped key in ${name} was meant to be`, () => {
      for (const known of keys) {
        const typo = `${known[0]!.toUpperCase()}${known.slice(1)}`;
        assert.equal(problemAt(at(path, { [typo]: 1 }), formatKey([...path, typo]))?.fix, `did you mean ${known}?`);
      }
    });

    it(`refuses a text and an empty value in place of ${name}`, () => {
      for (const wrong of ["text", null]) {
        const problem = problemAt(at(path, wrong), name);
        assert.match(problem?.allowed ?? "", /^a block with some of the keys /, `${name}: ${wrong}`);
      }
    });
  }

  it("refuses a value of the wrong type in every setting, in words of its own", () => {
    for (const path of LEAVES) {
      const key = formatKey(path);
      const isRecord = /^(values|objectLabels|alertLabels|kubeconfig)$/.test(String(path.at(-1)));
      const wrong = isRecord ? 5 : { wrong: true };
      const freeForm = /conditions|extraPolicies/.test(key);
      const problem = problemAt(at(path, freeForm ? "text" : wrong), key);
      assert.ok(problem, `${key} takes anything`);
      assert.ok(problem.allowed.length > 3 && problem.fix.includes(key), `${key}: ${problem.allowed}; ${problem.fix}`);
    }
  });

  it("refuses an empty text in every setting that takes text", () => {
    for (const path of LEAVES) {
      const key = formatKey(path);
      if (/conditions|extraPolicies|kyverno\.values/.test(key)) continue;
      assert.ok(problemAt(at(path, ""), key), `${key} takes an empty text`);
    }
  });

  it("tells one problem a key", () => {
    const keys = problemsOf(() => postureOf(at(["images", 0, "name"], "X".repeat(80)))).map(({ key }) => key);
    assert.deepEqual(keys, [...new Set(keys)]);
  });

  it("proposes an example that it would accept itself", () => {
    for (const path of LEAVES) {
      const example = z.globalRegistry.get(nodeAt(path) as z.ZodType)?.example as string | undefined;
      if (example === undefined || example.endsWith("...") || /^[-{]/.test(example)) continue;
      const value = /^(\d+|true|false)$/.test(example) ? JSON.parse(example) : example;
      const key = formatKey(path);
      const result = parseGuardConfig(at(path, value));
      assert.ok("config" in result || !result.problems.some((problem) => problem.key === key), `${key}: ${example}`);
    }
  });

  it("keeps what it accepts as it is", () => {
    const raw = settings({
      failure: { audit: "Fail" },
      kyverno: { values: { features: { dumpPayload: { enabled: true } } } },
    });
    assert.deepEqual(parseGuardConfig(raw), { config: raw });
  });
});

function nodeAt(path: Path): unknown {
  let node: unknown = guardSchema;
  for (const part of path) {
    const inner = unwrap(node);
    node = inner instanceof z.ZodArray ? inner.element : (inner as z.ZodObject).shape[String(part)];
  }
  return unwrap(node);
}
