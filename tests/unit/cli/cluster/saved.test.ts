import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { savedSource } from "../../../../cli/cluster/saved";
import { readAll } from "../../../../cli/cluster/source";
import type { KubeObject } from "../../../../components/kubernetes/resources";
import { pod, resourceOf } from "../../../support/clusterObjects";
import { problemsOf } from "../../../support/problems";

describe("saved objects", () => {
  let folder = "";
  let count = 0;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-saved-"));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const save = (document: unknown) => {
    const file = path.join(folder, `${++count}.json`);
    fs.writeFileSync(file, typeof document === "string" ? document : JSON.stringify(document));
    return file;
  };
  const namesIn = async (files: readonly string[], namespaces: readonly string[] = []) => {
    const names: string[] = [];
    await readAll(savedSource(files), resourceOf("Pod"), namespaces, (page) => {
      names.push(...page.map(({ metadata }: KubeObject) => metadata!.name!));
    });
    return names;
  };
  const one = pod("a", "one", ["x:1"]);
  const two = pod("b", "two", ["x:1"]);

  it("are read from lists of kubectl and of the API server, from single objects and from several files", async () => {
    const { kind, apiVersion, ...bare } = one;
    for (const document of [
      { kind: "List", apiVersion: "v1", items: [one] },
      { kind: "PodList", apiVersion: "v1", items: [bare] },
      [one],
      one,
      [{ kind: "PodList", apiVersion: "v1", items: null }, one],
    ]) {
      assert.deepEqual(await namesIn([save(document)]), ["one"], JSON.stringify(document).slice(0, 40));
    }
    assert.deepEqual(await namesIn([save(one), save({ kind: "List", items: [two] })]), ["one", "two"]);
    assert.deepEqual(await namesIn([save([one, two])], ["b"]), ["two"]);
  });

  it("say which kinds they lack", async () => {
    const gaps = await readAll(savedSource([save(one)]), resourceOf("CronJob"), [], () => {});
    assert.deepEqual(
      gaps.map(({ resource, why }) => [resource, why]),
      [["cronjobs.batch", "absent"]],
    );
  });

  for (const [title, text, found] of [
    ["half-written", '{"kind":"List","items":[{"kind":"Po', /which is no JSON/],
    ["empty", " \n", /which is empty/],
    ["of something else", '{"kind":"List","items":[{"hello":1}]}', /is no Kubernetes object: \{"hello":1\}/],
    ["a number", "7", /is no Kubernetes object: 7/],
    ["null", "null", /is no Kubernetes object: null/],
  ] as const) {
    it(`are refused when they are ${title}`, () => {
      const [problem] = problemsOf(() => savedSource([save(text)]));
      assert.equal(problem?.key, "--from");
      assert.match(problem!.found, found);
    });
  }

  it("are refused when there is no such file", () => {
    assert.match(problemsOf(() => savedSource(["/no/such"]))[0]!.found, /^"\/no\/such", which does not exist$/);
  });
});
