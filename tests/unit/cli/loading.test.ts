import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as path from "node:path";

const ROOT = path.join(__dirname, "..", "..", "..");

/** Runs commands one after the other in one process, and says which packages are loaded after each. */
const PROGRAM = `
  const { program } = require("./cli/main");
  const packages = () => [...new Set(Object.keys(require.cache).flatMap((file) =>
    [...file.matchAll(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/g)].slice(-1).map(([, name]) => name)))];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  (async () => {
    const steps = [];
    for (const args of JSON.parse(process.argv[1])) {
      if (args[0] === "require") require(args[1]);
      else await program().parseAsync(["node", "guard", ...args]).catch((error) => {
        if (error.code !== "commander.version" && error.code !== "commander.helpDisplayed") throw error;
      });
      steps.push(packages());
    }
    write(JSON.stringify(steps));
    process.exitCode = 0;
  })();`;

function loadedAfter(steps: readonly (readonly string[])[]): string[][] {
  const done = spawnSync(
    process.execPath,
    ["-r", "ts-node/register/transpile-only", "-e", PROGRAM, JSON.stringify(steps)],
    {
      cwd: ROOT,
      encoding: "utf8",
    },
  );
  assert.equal(done.status, 0, done.stderr);
  // The sources are compiled as they load; dist needs none of that.
  const compiler =
    /^(ts-node|typescript|@cspotcode\/.*|@jridgewell\/.*|@tsconfig\/.*|arg|make-error|diff|acorn.*|v8-compile-cache-lib|yn|create-require)$/;
  return (JSON.parse(done.stdout) as string[][]).map((names) => names.filter((name) => !compiler.test(name)));
}

const HEAVY = /^(@pulumi\/|@grpc\/|@kubernetes\/client-node$)/;

describe("a command loads what it needs", () => {
  const NOTHING = [["--version"], ["--help"], ["completion", "bash"], ["impact", "--help"], ["doctor", "--help"]];
  const PLAIN = [
    ["doctor", "explain", "no such refusal"],
    ["render", "--stack", "prod"],
    ["posture", "--stack", "prod", "--against", "dev"],
    ["trust", "--stack", "prod"],
  ];

  it("version, help and completion nothing but commander; render, posture, trust and explain no SDK", () => {
    const steps = [...NOTHING, ...PLAIN, ["require", "./components/imageSigningGuard"]];
    const loaded = loadedAfter(steps);
    const heavy = (names: readonly string[]) => names.filter((name) => HEAVY.test(name));
    NOTHING.forEach((args, index) => {
      assert.deepEqual(loaded[index], ["commander"], args.join(" "));
    });
    PLAIN.forEach((args, index) => {
      const names = loaded[NOTHING.length + index]!;
      assert.deepEqual(heavy(names), [], args.join(" "));
      assert.ok(names.includes("yaml"), args.join(" "));
    });
    // Such a package would have been seen.
    assert.ok(heavy(loaded.at(-1)!).includes("@pulumi/pulumi"));
  });
});
