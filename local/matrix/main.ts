import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Command } from "commander";
import { projectFolder } from "../demo/settings";
import { findKyverno } from "../kyvernoSource";
import { ensureKubernetes } from "./kubernetes";

/** The oldest and the newest that the package speaks of, and what lies between. */
const VERSIONS = ["v1.24.17", "v1.26.15", "v1.28.15", "v1.30.14", "v1.34.4", "v1.37.2"];
const SUITES: Readonly<Record<string, string>> = {
  policies: "tests/e2e/policies.test.ts",
  engine: "tests/engine/engine.test.ts",
  attacks: "tests/attacks/*.test.ts",
};
const PAGE = path.join(projectFolder, "docs", "support-matrix.md");
const ROWS = /(<!-- written by npm run matrix -->\n\|.*\n\|.*\n)((?:\|.*\n)*)/;

/** One line of the page: what was run against what, and how it went. */
export interface Row {
  readonly kubernetes: string;
  readonly kyverno: string;
  readonly suite: string;
  readonly result: string;
}

/** The oldest minor version that has what the attacks are made with: image volumes. */
const ATTACKS_SINCE = 31;

/** The page with these rows; those of other versions, Kyvernos or suites stay. */
export function withRows(page: string, rows: readonly Row[]): string {
  const line = ({ kubernetes, kyverno, suite, result }: Row) =>
    `| ${kubernetes} | ${kyverno} | ${suite} | ${result} |\n`;
  const key = (text: string) => text.split("|").slice(1, 4).join("|");
  return page.replace(ROWS, (_, head: string, old: string) => {
    const made = rows.map(line);
    const kept = old.split(/(?<=\n)/).filter((one) => one !== "" && !made.some((own) => key(own) === key(one)));
    return head + [...kept, ...made].sort((a, b) => a.localeCompare(b, "en", { numeric: true })).join("");
  });
}

async function main(): Promise<void> {
  const program = new Command("npm run matrix --")
    .description("Runs suites against API servers of other versions, and writes docs/support-matrix.md.")
    .argument("[versions...]", `Kubernetes versions (default: ${VERSIONS.join(", ")})`)
    .option("--suite <names...>", `which of: ${Object.keys(SUITES).join(", ")}`, Object.keys(SUITES))
    .parse();
  const { suite } = program.opts<{ suite: string[] }>();
  const unknown = suite.filter((name) => !(name in SUITES));
  if (unknown.length > 0)
    throw new Error(`no suite ${unknown.join(", ")}; there are ${Object.keys(SUITES).join(", ")}`);
  const log = (text: string) => console.log(`  ${text}`);
  const kyverno = (await findKyverno(log)).version;
  for (const version of program.args.length > 0 ? program.args : VERSIONS) {
    const rows = await rowsOf(version, kyverno, suite, log);
    fs.writeFileSync(PAGE, withRows(fs.readFileSync(PAGE, "utf8"), rows));
    for (const { suite: name, result } of rows) console.log(`${version} ${name}: ${result}`);
    if (rows.some(({ result }) => !/ 0 failed/.test(result))) process.exitCode = 1;
  }
}

async function rowsOf(
  version: string,
  kyverno: string,
  suites: readonly string[],
  log: (text: string) => void,
): Promise<Row[]> {
  const row = (suite: string, result: string): Row => ({ kubernetes: version.slice(1), kyverno, suite, result });
  let folder: string;
  try {
    folder = await ensureKubernetes(version, log);
  } catch (error) {
    const [reason = ""] = (error as Error).message.split("\n");
    return [row("none", `could not be built: ${reason.replaceAll("|", "/")}`)];
  }
  const minor = Number(version.split(".")[1]);
  return suites.flatMap((name) => {
    if (name === "attacks" && minor < ATTACKS_SINCE) {
      log(`no attacks on ${version}: they need the image volumes of 1.${ATTACKS_SINCE}`);
      return [];
    }
    const { stdout } = spawnSync("npx", ["mocha", "--exit", SUITES[name]!], {
      cwd: projectFolder,
      env: { ...process.env, IMAGE_SIGNING_GUARD_BIN: folder },
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    fs.writeFileSync(path.join(folder, `${name}.log`), stdout);
    return row(name, /^\d+ passed, \d+ failed, \d+ skipped$/m.exec(stdout)?.[0] ?? `did not end; see ${folder}`);
  });
}

if (require.main === module)
  main().catch((error: Error) => {
    console.error(`error: ${error.message}`);
    process.exit(2);
  });
