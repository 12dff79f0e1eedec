import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { PROJECT } from "../../local/packaging/schema";
import { type Packed, pack } from "./support";

// Both are ES modules, whose types this project's way of resolving can't see.
const { publint } = require("publint") as {
  publint(options: object): Promise<{ messages: unknown[] }>;
};
const { formatMessage } = require("publint/utils") as { formatMessage(message: unknown, manifest: unknown): string };
const { checkPackage, createPackageFromTarballData } = require("@arethetypeswrong/core") as {
  createPackageFromTarballData(data: Uint8Array): unknown;
  checkPackage(tarball: unknown): Promise<{ types: unknown; problems: unknown[] }>;
};

describe("the npm tarball", function () {
  this.timeout(600_000);
  let packed: Packed;
  let data: Uint8Array;

  before(() => {
    packed = pack();
    data = new Uint8Array(fs.readFileSync(packed.tarball));
  });

  it("has main, types, exports and bin right, says publint", async () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(PROJECT, "package.json"), "utf8"));
    const { messages } = await publint({ pack: { tarball: data.slice().buffer }, strict: true, level: "suggestion" });
    assert.deepEqual(
      messages.map((message) => formatMessage(message, manifest)),
      [],
    );
  });

  it("has types that fit in every way of importing, says are-the-types-wrong", async () => {
    const result = await checkPackage(createPackageFromTarballData(data));
    assert.ok(result.types, "no types were found");
    assert.deepEqual(result.problems, []);
  });

  it("holds the library, the command and nothing of tests or the local control plane", () => {
    const strange = packed.files.filter(
      (file) =>
        !/^templates\/[\w-]+\.yml$/.test(file) &&
        !/^dist\/(components\/[\w/]+\.(js|json|d\.ts)|cli\/[\w/]+\.(js|json))$/.test(file) &&
        !["package.json", "stack.schema.json", "README.md", "CHANGELOG.md", "LICENSE"].includes(file),
    );
    assert.deepEqual(strange, []);
    for (const file of ["dist/components/index.js", "dist/components/index.d.ts", "dist/cli/main.js"])
      assert.ok(packed.files.includes(file), file);
  });

  it("has the compiled form of every source file and of no other", () => {
    const sources = ["components", "cli"].flatMap((folder) =>
      (fs.readdirSync(path.join(PROJECT, folder), { recursive: true }) as string[])
        .filter((file) => file.endsWith(".ts"))
        .map((file) => `dist/${folder}/${file.replaceAll(path.sep, "/").replace(/\.ts$/, ".js")}`),
    );
    assert.deepEqual(packed.files.filter((file) => file.endsWith(".js")).sort(), sources.sort());
  });

  it("has a command that can be run from where it was built", () => {
    const { mode } = fs.statSync(path.join(PROJECT, "dist/cli/main.js"));
    assert.equal(mode & 0o111, 0o111, mode.toString(8));
  });

  it("stays small", () => {
    const kilobytes = (bytes: number) => Math.round(bytes / 1000);
    console.log(
      `      ${kilobytes(packed.size)} kB packed, ${kilobytes(packed.unpackedSize)} kB in ${packed.files.length} files`,
    );
    assert.ok(packed.size < 440_000, `${packed.size} bytes packed`);
    assert.ok(packed.unpackedSize < 1_640_000, `${packed.unpackedSize} bytes unpacked`);
  });

  it("needs no plugin of its own name: it is a library, and the engine must not look for one", () => {
    const manifest = JSON.parse(fs.readFileSync(path.join(PROJECT, "package.json"), "utf8"));
    assert.equal(manifest.pulumi, undefined);
  });
});
