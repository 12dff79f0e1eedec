import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Command } from "commander";
import { program } from "../../../cli/main";
import { AlertName, KyvernoTarget } from "../../../components/args";
import { KYVERNO_LINES } from "../../../components/posture/kyvernoLines";
import { isOlder, requiredGo, toolVersion } from "../../../local/build";
import { cases } from "../../../local/demo/cases";
import { pageOf } from "../../support/markdown";

const root = path.join(__dirname, "..", "..", "..");
const tools = path.join(root, "local", "tools");
const { engines } = require("../../../package.json") as { engines: { node: string } };
const node = engines.node.replace(">=", "");
const bare = (version: string) => version.replace(/^v/, "");
const { [KyvernoTarget.V1_10]: sold, [KyvernoTarget.V1_19]: next } = KYVERNO_LINES;

const newestGo = fs
  .readdirSync(tools)
  .map((name) => requiredGo(fs.readFileSync(path.join(tools, name, "go.mod"), "utf8")))
  .reduce((newest, one) => (isOlder(newest, one) ? one : newest));

/** What a page says that something else decides. One line for each fact; a new one is a new line. */
const FACTS: readonly (readonly [page: string, fact: string, says: string])[] = [
  ["README.md", "which Node", `Node](https://nodejs.org/en/download) ${node} or newer`],
  ["docs/getting-started.md", "which Node", `Node ${node} or newer`],
  ["docs/languages.md", "which Node", `Node (${node} or newer)`],
  ["docs/registry/installation-configuration.md", "which Node", `Node ${node} or newer`],
  ["docs/support-matrix.md", "which Node", `| Node | ${node} or newer |`],
  ["README.md", "which Go builds everything", `Go](https://go.dev/dl) ${newestGo} or newer`],
  ["README.md", "how many cases the demo has", `${cases.length} kinds of pods`],
  ["README.md", "which Kyverno is sold", `this package pins ${bare(sold.appVersion)}`],
  [
    "README.md",
    "which Kyverno is built",
    `Kyverno is ${bare(toolVersion("kyverno"))}, the newest that Go\nbuilds as it is`,
  ],
  [
    "docs/support-matrix.md",
    "which Kyvernos there are",
    `${bare(sold.appVersion)} (chart ${sold.chartVersion}) by default; ${bare(next.appVersion)} (chart ${next.chartVersion}) with`,
  ],
  [
    "docs/support-matrix.md",
    "which Kubernetes the tests run on",
    `| ${bare(toolVersion("kube-apiserver"))} | ${bare(sold.appVersion)} | all | what every test runs on |`,
  ],
  ["CHANGELOG.md", "how many alerts there are", `${Object.keys(AlertName).length} alerts`],
];

describe("docs: facts", () => {
  for (const [page, fact, says] of FACTS)
    it(`${page} says ${fact}`, () => assert.ok(pageOf(page).includes(says), `${page} lacks: ${says}`));

  it("docs/cli.md has every command", () => {
    const [, table] = pageOf("docs/cli.md").split("|---|---|---|\n");
    const named = (table ?? "").split("\n\n")[0]!;
    const leaves = (command: Command): string[] =>
      command.commands.length === 0 ? [command.name()] : command.commands.flatMap(leaves);
    for (const command of program().commands)
      for (const name of [command.name(), ...leaves(command)])
        assert.match(named, new RegExp(`\`(${command.name()} )?${name}\\b`), `${command.name()} ${name}`);
  });
});
