import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { PROJECT } from "../../../local/packaging/schema";

describe("imports of the library", () => {
  it("name components/index: the folder alone means the built plugin, by components/package.json", () => {
    const folders = ["components", "cli", "local", "tests"].flatMap((folder) =>
      (fs.readdirSync(path.join(PROJECT, folder), { recursive: true }) as string[]).map((file) =>
        path.join(folder, file),
      ),
    );
    const sources = ["index.ts", ...folders.filter((file) => /\.(ts|cjs)$/.test(file))];
    assert.ok(sources.length > 100);
    const wrong = sources.filter((file) =>
      /(from |require\(|import\()["'](\.\.?\/)+components\/?["']/.test(
        fs.readFileSync(path.join(PROJECT, file), "utf8"),
      ),
    );
    assert.deepEqual(wrong, []);
  });
});
