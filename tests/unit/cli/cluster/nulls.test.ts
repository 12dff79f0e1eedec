import * as assert from "node:assert/strict";
import type { ObjectSource } from "../../../../cli/cluster/source";
import { assessImpact } from "../../../../cli/impact/assess";
import { makeReport } from "../../../../cli/report/make";
import type { KubeObject } from "../../../../components/kubernetes/resources";
import { withoutNulls } from "../../../../components/kubernetes/withoutNulls";
import { NOW } from "../../../support/settings";
import { collectionsOf, STACK, shopCluster } from "../../../support/shopCluster";

/** Every path to a list or an object in a value. */
function pathsOf(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [];
  return [[...at], ...Object.entries(value).flatMap(([key, one]) => pathsOf(one, [...at, key]))];
}

function withNullAt(object: KubeObject, path: readonly string[]): KubeObject {
  const copy = structuredClone(object) as unknown as Record<string, unknown>;
  const parent = path.slice(0, -1).reduce((one, key) => one[key] as Record<string, unknown>, copy);
  parent[path.at(-1)!] = null;
  return copy as unknown as KubeObject;
}

const sourceOf = (objects: readonly KubeObject[]): ObjectSource => {
  const collections = new Map(collectionsOf(objects).map(([{ kind }, items]) => [kind, items]));
  return {
    name: "memory",
    pages: async function* ({ kind }) {
      yield collections.get(kind) ?? [];
    },
  };
};

describe("fields that are null", () => {
  it("are as if they were not there", () => {
    const value = { a: null, b: [null, { c: null, d: [null] }, 1, "x", false], e: { f: null } };
    assert.deepEqual(withoutNulls(value), { b: [{ d: [] }, 1, "x", false], e: {} });
    assert.equal(withoutNulls(null), null);
    const long = { items: Array.from({ length: 200_000 }, (_, index) => (index % 2 ? { a: null } : null)) };
    assert.equal(withoutNulls(long).items.length, 100_000);
  });

  // Of each kind one object, since they are alike.
  const objects = shopCluster();
  const kinds = [...new Set(objects.map(({ kind }) => kind))];
  for (const kind of kinds) {
    it(`anywhere in a ${kind} end neither report nor impact`, async () => {
      const one = objects.find((object) => object.kind === kind)!;
      for (const path of pathsOf(one).filter((steps) => steps.length > 0)) {
        const broken = objects.map((object) => (object === one ? withoutNulls(withNullAt(one, path)) : object));
        const source = sourceOf(broken);
        await makeReport(source, [], NOW).catch((error: Error) => {
          throw new Error(`report, null at ${path.join(".")}: ${error.stack}`);
        });
        const request = { stack: "s", config: STACK as never, namespaces: [], everywhere: false, rollbacks: true };
        await assessImpact(source, { ...request, check: "never", now: NOW }).catch((error: Error) => {
          throw new Error(`impact, null at ${path.join(".")}: ${error.stack}`);
        });
      }
    });
  }
});
