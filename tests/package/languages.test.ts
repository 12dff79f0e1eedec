import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { PLUGIN, PROJECT, SCHEMA_FILE, withoutMetadata } from "../../local/packaging/schema";
import { type Cli, findProgram, openCli, preview, type Step, summaryOf } from "./pulumiCli";
import { newFolder, pack, runOrThrow } from "./support";

const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};
const NODE_HOST = "pulumi-language-nodejs";

/** An example in a folder of its own, with the component of this checkout. */
function copyExample(name: string): string {
  const folder = path.join(newFolder("example"), name);
  const skipped = ["sdks", "venv", "node_modules", "__pycache__"];
  fs.cpSync(path.join(PROJECT, "examples", name), folder, {
    recursive: true,
    filter: (file) => !skipped.includes(path.basename(file)),
  });
  const project = path.join(folder, "Pulumi.yaml");
  fs.writeFileSync(project, fs.readFileSync(project, "utf8").replace("../../components", PLUGIN));
  return folder;
}

/** The example's packages from npm, but the guard from this checkout. */
function installTarball(folder: string): void {
  const file = path.join(folder, "package.json");
  const manifest = JSON.parse(fs.readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
  manifest.dependencies["image-signing-guard"] = `file:${pack().tarball}`;
  fs.writeFileSync(file, JSON.stringify(manifest));
  runOrThrow("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"], folder);
}

describe("the component in every language (a stand-in for the Kubernetes provider takes its resources)", function () {
  this.timeout(1_500_000);
  let cli: Cli;
  /** What the TypeScript example would make; the others say the same. */
  let expected: Step[];

  before(async function () {
    this.timeout(40 * 60_000);
    const found = await openCli(log, [NODE_HOST]);
    if ("missing" in found) {
      this.skipReason = found.missing;
      this.skip();
    }
    cli = found;
  });

  it("pulumi package get-schema prints the committed schema.json", () => {
    const printed = cli.runOrThrow(["package", "get-schema", "."], PLUGIN);
    const committed = withoutMetadata(JSON.parse(fs.readFileSync(SCHEMA_FILE, "utf8")));
    assert.equal(printed.trim(), JSON.stringify(committed, undefined, 2));
  });

  it("TypeScript: an empty stack that installs the npm package can be previewed", () => {
    const folder = copyExample("typescript");
    installTarball(folder);
    runOrThrow("npx", ["--no-install", "tsc", "-p", "."], folder);
    cli.runOrThrow(["stack", "init", "test"], folder);
    expected = preview(cli, folder);
    const made = summaryOf(expected);
    for (const line of [
      "create image-signing-guard:index:ImageSigningGuard guard",
      "create kubernetes:helm.sh/v3:Release guard-kyverno",
      "create kubernetes:kyverno.io/v1:ClusterPolicy guard-require-signed-images",
    ])
      assert.ok(made.includes(line), `${line} among\n${made.join("\n")}`);
  });

  it("TypeScript: two clusters in one program, each with its own guard and provider", () => {
    const folder = copyExample("several-clusters");
    installTarball(folder);
    runOrThrow("npx", ["--no-install", "tsc", "-p", "."], folder);
    cli.runOrThrow(["stack", "init", "clusters"], folder);
    for (const cluster of ["staging", "production"])
      cli.runOrThrow(["config", "set", "--secret", cluster, `{"cluster":"${cluster}"}`], folder);
    const steps = preview(cli, folder);
    for (const cluster of ["staging", "production"]) {
      const own = steps.filter(({ urn }) => urn.split("::").pop()!.startsWith(`${cluster}-`));
      assert.ok(own.length > 10, summaryOf(steps).join("\n"));
      for (const { urn, provider } of own) assert.match(provider ?? "", new RegExp(`::${cluster}::`), urn);
    }
    assert.equal(new Set(steps.map(({ urn }) => urn)).size, steps.length);
  });

  for (const [language, host, tool] of [
    ["yaml", "pulumi-language-yaml", undefined],
    ["python", "pulumi-language-python", "python3"],
    ["go", "pulumi-language-go", "go"],
  ] as const) {
    it(`${language}: the generated SDK makes the same resources with the same posture`, function () {
      const missing = [host, tool].filter((name) => name && !findProgram(name));
      if (missing.length > 0) {
        this.skipReason = `no ${missing.join(", no ")} on PATH or in IMAGE_SIGNING_GUARD_BIN`;
        return this.skip();
      }
      const folder = copyExample(language);
      cli.runOrThrow(["install"], folder);
      cli.runOrThrow(["stack", "init", "test"], folder);
      const steps = preview(cli, folder);
      assert.ok(expected, "the TypeScript example, with which this is compared, failed");
      assert.deepEqual(summaryOf(steps), summaryOf(expected));
      assert.deepEqual(inputsByName(steps), inputsByName(expected));
    });
  }

  it("yaml: a mistake is told as one clear message, without a stack trace", function () {
    if (!findProgram("pulumi-language-yaml")) {
      this.skipReason = "no pulumi-language-yaml on PATH or in IMAGE_SIGNING_GUARD_BIN";
      return this.skip();
    }
    const folder = copyExample("yaml");
    const project = path.join(folder, "Pulumi.yaml");
    fs.writeFileSync(project, fs.readFileSync(project, "utf8").replace("maxHours: 4", "maxHours: 999"));
    cli.runOrThrow(["install"], folder);
    cli.runOrThrow(["stack", "init", "mistake"], folder);
    const { code, all } = cli.run(["preview"], folder);
    assert.notEqual(code, 0);
    assert.match(all, /bypass\.maxHours/);
    assert.match(all, /from 1 to 168/);
    assert.doesNotMatch(all, /\n\s+at .*\.(js|ts):\d+/);
  });
});

function inputsByName(steps: readonly Step[]): Record<string, unknown> {
  return Object.fromEntries(steps.map(({ urn, newState }) => [urn.split("::").pop()!, newState?.inputs]));
}
