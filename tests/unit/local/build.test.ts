import * as assert from "node:assert/strict";
import { cacheFolder, cacheRoot, isOlder, requiredGo, requiredVersion, tools, toolVersion } from "../../../local/build";

const GO_MOD = [
  ...["module tools", "", "go 1.24.0", "", "require go.etcd.io/etcd/server/v3 v3.6.1", ""],
  ...["require (", "\tgo.etcd.io/etcd/api/v3 v3.5.0 // indirect", "\texample.com/a v1.2.3-rc.1", ")"],
].join("\n");

describe("the local build", () => {
  it("reads the version of a module from its go.mod, alone or in a list", () => {
    assert.equal(requiredVersion(GO_MOD, "go.etcd.io/etcd/server/v3"), "v3.6.1");
    assert.equal(requiredVersion(GO_MOD, "example.com/a"), "v1.2.3-rc.1");
    assert.throws(() => requiredVersion(GO_MOD, "example.com"), /go\.mod names no version of example\.com/);
  });

  it("reads the Go version that is needed", () => {
    assert.equal(requiredGo(GO_MOD), "1.24.0");
    assert.equal(requiredGo("module x\n"), "1.21");
  });

  it("compares versions by number", () => {
    for (const [a, b] of [
      ["1.9", "1.10"],
      ["1.21", "1.21.1"],
      ["1.24.1", "1.24.10"],
      ["1.99.9", "2.0"],
    ]) {
      assert.ok(isOlder(a!, b!), `${a} < ${b}`);
      assert.ok(!isOlder(b!, a!), `${b} >= ${a}`);
    }
    assert.ok(!isOlder("1.21", "1.21.0"));
  });

  it("keeps another go.mod, go.sum or version in another folder", () => {
    const folders = [
      cacheFolder("/c", "etcd", "v1", "mod", "sum"),
      cacheFolder("/c", "etcd", "v1", "mod2", "sum"),
      cacheFolder("/c", "etcd", "v1", "mod", "sum2"),
      cacheFolder("/c", "etcd", "v1", "mods", "um"),
      cacheFolder("/c", "etcd", "v2", "mod", "sum"),
    ];
    assert.equal(new Set(folders).size, folders.length);
    assert.equal(cacheFolder("/c", "etcd", "v1", "mod", "sum"), folders[0]);
  });

  it("keeps its cache where the environment says", () => {
    assert.equal(cacheRoot({ IMAGE_SIGNING_GUARD_CACHE: "/srv/cache" }), "/srv/cache");
    assert.match(cacheRoot({}), /image-signing-guard$/);
  });

  it("pins a version of every tool", () => {
    for (const name of Object.keys(tools) as (keyof typeof tools)[])
      assert.match(toolVersion(name), /^v\d+\.\d+\.\d+/, name);
  });
});
