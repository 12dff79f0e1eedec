import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Command } from "commander";
import { bashScript } from "../../../cli/completion/bash";
import { fishScript } from "../../../cli/completion/fish";
import { placesOf } from "../../../cli/completion/places";
import { zshScript } from "../../../cli/completion/zsh";
import { program } from "../../../cli/main";

const has = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;

describe("completion", () => {
  const places = placesOf(program());
  let folder: string;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "completion-"));
    for (const stack of ["dev", "prod"]) fs.writeFileSync(path.join(folder, `Pulumi.${stack}.yaml`), "");
    fs.mkdirSync(path.join(folder, "sub"));
    fs.writeFileSync(path.join(folder, "bash"), bashScript(places));
    fs.writeFileSync(path.join(folder, "zsh"), zshScript(places));
    fs.writeFileSync(path.join(folder, "fish"), fishScript(places));
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  it("knows every command and every flag", () => {
    const all = (command: Command, at = ""): string[] => [
      at,
      ...command.commands.flatMap((sub) => all(sub, `${at} ${sub.name()}`)),
    ];
    assert.deepEqual(
      places.map((place) => place.path),
      all(program()),
    );
    assert.ok(
      places.find(({ path: at }) => at === " doctor explain")?.flags.some(({ names }) => names.includes("--output")),
    );
  });

  /** What a shell proposes for a line whose last word is being written. */
  const CASES: [line: string[], proposed: string[]][] = [
    [["doc"], ["doctor"]],
    [["doctor", ""], ["explain"]],
    [["doctor", "explain", "--o"], ["--output"]],
    [["doctor", "-o", "j"], ["json"]],
    [
      ["render", "--output", ""],
      ["json", "yaml"],
    ],
    [
      ["check", "nginx", "--stack", ""],
      ["dev", "prod"],
    ],
    [["posture", "--against", "p"], ["prod"]],
    [
      ["bypass", ""],
      ["grant", "list", "revoke"],
    ],
    [["bypass", "list", "--con"], ["--context"]],
    [["render", "--out", "s"], ["sub"]],
    [["completion", "f"], ["fish"]],
  ];

  it("bash proposes", function () {
    if (!has("bash")) {
      (this as unknown as { skipReason: string }).skipReason = "no bash here";
      this.skip();
    }
    for (const [line, proposed] of CASES) {
      const words = ["image-signing-guard", ...line].map((word) => `'${word}'`).join(" ");
      const script = `source ./bash; COMP_WORDS=(${words}); COMP_CWORD=${line.length}; _image_signing_guard; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const done = spawnSync("bash", ["--norc", "-c", script], { cwd: folder, encoding: "utf8" });
      assert.equal(done.stderr, "");
      assert.deepEqual(done.stdout.split("\n").filter(Boolean).sort(), proposed, line.join(" "));
    }
  });

  it("fish proposes", function () {
    if (!has("fish")) {
      (this as unknown as { skipReason: string }).skipReason = "no fish here";
      this.skip();
    }
    for (const [line, proposed] of CASES) {
      const text = ["image-signing-guard", ...line].join(" ");
      const done = spawnSync("fish", ["--no-config", "-c", `source ./fish; complete -C '${text}'`], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, HOME: folder },
      });
      assert.equal(done.stderr, "");
      const words = done.stdout
        .split("\n")
        .filter(Boolean)
        .map((one) => one.split("\t")[0]!.replace(/\/$/, ""));
      assert.deepEqual(words.sort(), proposed, `${text}: ${done.stdout}`);
    }
  });

  it("zsh proposes", function () {
    if (!has("zsh")) {
      (this as unknown as { skipReason: string }).skipReason = "no zsh here";
      this.skip();
    }
    // zsh completes only at a prompt; the functions that it would propose by are replaced by ones that print.
    const stubs = [
      "compdef() { : }",
      "_files() { [[ $1 == -/ ]] && print -l -- *(/) || print -l -- * }",
      "compadd() { shift; print -l -- $@ }",
      '_describe() { for one in "${(@P)2}"; do print -- ${one%%:*}; done }',
      "compset() { : }",
    ].join("\n");
    for (const [line, proposed] of CASES) {
      const last = line.at(-1)!;
      const words = ["image-signing-guard", ...line].map((word) => `'${word}'`).join(" ");
      const script = `${stubs}\nsource ./zsh\nwords=(${words}); CURRENT=${line.length + 1}; PREFIX='${last}'\n_image_signing_guard`;
      const done = spawnSync("zsh", ["-f", "-c", script], { cwd: folder, encoding: "utf8" });
      assert.equal(done.stderr, "", line.join(" "));
      // Picking those that begin so is zsh's own part.
      const found = done.stdout.split("\n").filter((one) => one !== "" && one.startsWith(last));
      assert.deepEqual(found.sort(), proposed, `${line.join(" ")}: ${done.stdout}`);
    }
  });
});
