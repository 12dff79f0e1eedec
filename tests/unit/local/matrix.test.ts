import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { projectFolder } from "../../../local/demo/settings";
import { goModOf } from "../../../local/matrix/kubernetes";
import { type Row, withRows } from "../../../local/matrix/main";

const row = (kubernetes: string, suite: string, result = "1 passed, 0 failed, 0 skipped"): Row => ({
  kubernetes,
  kyverno: "1.10.7",
  suite,
  result,
});

describe("the support matrix", () => {
  const page = fs.readFileSync(path.join(projectFolder, "docs", "support-matrix.md"), "utf8");

  it("replaces the lines of what was run anew, keeps the others, and sorts by version", () => {
    const first = withRows(page, [row("1.9.1", "old"), row("1.400.0", "new")]);
    assert.match(first, /\| 1\.9\.1 \| 1\.10\.7 \| old \|.*\n(?:\|.*\n)*\| 1\.400\.0 \| 1\.10\.7 \| new \|/);
    const second = withRows(first, [row("1.9.1", "old", "0 passed, 1 failed, 0 skipped")]);
    assert.equal(second, first.replace(/(\| old \|) 1 passed, 0 failed/, "$1 0 passed, 1 failed"));
    assert.equal(withRows(second, []), second);
  });

  it("takes a release's parts by their versions and keeps what else it replaces", () => {
    const own = [
      "module k8s.io/kubernetes",
      "go 1.22.0",
      "replace (",
      "\tk8s.io/api => ./staging/src/k8s.io/api",
      "\texample.com/a => example.com/b v1.2.3",
      ")",
    ].join("\n");
    const made = goModOf(own, "v1.28.15");
    assert.match(made, /^go 1\.22\.0$/m);
    assert.match(made, /^require k8s\.io\/kubernetes v1\.28\.15$/m);
    assert.match(made, /^\tk8s\.io\/api => k8s\.io\/api v0\.28\.15$/m);
    assert.match(made, /^\texample\.com\/a => example\.com\/b v1\.2\.3$/m);
  });
});
