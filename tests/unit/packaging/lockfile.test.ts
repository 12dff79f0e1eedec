import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";

interface LockedPackage {
  version?: string;
  link?: boolean;
  resolved?: string;
}

describe("package-lock.json", () => {
  const file = path.join(__dirname, "..", "..", "..", "package-lock.json");
  const { packages } = JSON.parse(fs.readFileSync(file, "utf8")) as { packages: Record<string, LockedPackage> };
  const entries = Object.entries(packages).filter(([name]) => name !== "");

  it("locks a version for every package, those of other platforms too", () => {
    const without = entries.filter(([, { version, link }]) => !version && !link).map(([name]) => name);
    assert.deepEqual(without, []);
    const optional = packages["node_modules/@biomejs/biome"] as { optionalDependencies?: Record<string, string> };
    for (const name of Object.keys(optional.optionalDependencies ?? {})) {
      assert.ok(packages[`node_modules/${name}`], `${name} is not locked; npm ci would refuse`);
    }
  });

  it("names no registry, so that each machine uses its own", () => {
    assert.deepEqual(
      entries.filter(([, { resolved }]) => resolved?.startsWith("http")).map(([name]) => name),
      [],
    );
  });
});
