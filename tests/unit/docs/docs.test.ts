import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { parse } from "yaml";
import { report } from "../../../bench/report";
import { program } from "../../../cli/main";
import { resolveSettings } from "../../../components/resolve";
import { CONFIG_NAMESPACE } from "../../../components/settings";
import { anchors, codeBlocks, links, pageOf, pages } from "../../support/markdown";
import { newAuthority, newKeyPair } from "../../support/pems";
import { MODULO } from "../../support/settings";

const root = path.join(__dirname, "..", "..", "..");

describe("docs: links", () => {
  for (const { name, text } of pages()) {
    it(`of ${name} lead somewhere`, () => {
      for (const link of links(text).filter((target) => !/^[a-z]+:/.test(target))) {
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? name : path.join(path.dirname(name), file);
        assert.ok(fs.existsSync(path.join(root, target)), `${link}: there is no ${target}`);
        if (anchor === undefined) continue;
        assert.ok(anchors(pageOf(target)).has(anchor), `${link}: ${target} has no heading #${anchor}`);
      }
    });
  }

  it("reach every guide from the README or the index of the guides", () => {
    const reached = new Set<string>();
    const follow = (name: string) => {
      if (reached.has(name) || !name.endsWith(".md") || !fs.existsSync(path.join(root, name))) return;
      reached.add(name);
      for (const link of links(pageOf(name)).filter((target) => !/^([a-z]+:|#)/.test(target)))
        follow(path.join(path.dirname(name), link.split("#")[0]!));
    };
    follow("README.md");
    follow(path.join("docs", "README.md"));
    const guides = pages().flatMap(({ name }) => (name.startsWith(`docs${path.sep}`) ? [name] : []));
    assert.deepEqual(
      guides.filter((name) => !reached.has(name)),
      [],
    );
  });
});

describe("docs: settings", () => {
  let certificate: string;
  const { publicKey } = newKeyPair();

  before(async () => {
    certificate = (await newAuthority()).root.pem;
  });

  /** A page shows only the first line of a certificate or key; a real one takes its place. */
  const filled = (value: unknown): unknown => {
    if (typeof value === "string") {
      if (/^-----BEGIN CERTIFICATE-----\s*(\.\.\.)?\s*$/.test(value)) return certificate;
      if (/^\{"signed": \.\.\.\s*$/.test(value)) return JSON.stringify({ signed: { _type: "root" } });
      return /^-----BEGIN PUBLIC KEY-----\s*(\.\.\.)?\s*$/.test(value) ? publicKey : value;
    }
    if (Array.isArray(value)) return value.map(filled);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, filled(child)]));
  };

  for (const { name, text } of pages()) {
    for (const block of codeBlocks(text).filter(({ language }) => language === "yaml")) {
      if (!block.text.includes(`${CONFIG_NAMESPACE}:`) || !/^(config:|image-signing-guard:)/m.test(block.text))
        continue;
      it(`in ${name}, line ${block.line}, are accepted`, () => {
        const content = parse(block.text) as Record<string, unknown>;
        const config = (content.config ?? content) as Record<string, unknown>;
        const prefix = `${CONFIG_NAMESPACE}:`;
        const settings = Object.fromEntries(
          Object.entries(config).flatMap(([key, value]) =>
            key.startsWith(prefix) ? [[key.slice(prefix.length), filled(value)]] : [],
          ),
        );
        assert.notDeepEqual(settings, {});
        resolveSettings({ images: [MODULO], ...settings });
      });
    }
  }
});

describe("docs: commands", () => {
  /** Lines of code that call the command line, from blocks and from the text. */
  const calls = (text: string): string[] => {
    const code = [
      ...codeBlocks(text).map((block) => block.text),
      ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, c]) => c!),
    ];
    const indented = [...text.matchAll(/^ {4}(.*)$/gm)].map(([, line]) => line!);
    return [...code, ...indented].flatMap((block) =>
      block
        .replace(/\\\n\s*/g, " ")
        .split("\n")
        .flatMap((line) => [...line.matchAll(/(?:image-signing-guard|npm run (?:--silent )?guard --) ([a-z].*)/g)])
        .map(([, rest]) => rest!.replace(/"[^"]*"/g, "TEXT").split(/ [|#;&] ?| && |\$\(/)[0]!),
    );
  };

  /** The command that the words lead to; its flags must be its own. */
  const check = (call: string) => {
    let command: Command = program();
    const words = call.trim().split(/\s+/);
    for (const [at, word] of words.entries()) {
      const next = command.commands.find(
        (candidate) => candidate.name() === word || candidate.aliases().includes(word),
      );
      if (next) command = next;
      else assert.ok(at > 0, `there is no command "${word}"`);
      if (!next) break;
    }
    for (const flag of words.filter((word) => /^--?[a-zA-Z]/.test(word)).map((word) => word.split("=")[0]!)) {
      const known =
        command.options.some(({ short, long }) => flag === short || flag === long) || /^(-h|--help)$/.test(flag);
      assert.ok(known, `"${command.name()}" has no ${flag} (in "${call}")`);
    }
  };

  for (const { name, text } of pages()) {
    const found = calls(text);
    if (found.length === 0) continue;
    it(`in ${name} exist`, () => {
      for (const call of found) check(call);
    });
  }

  it("that do not exist are found", () => {
    const [call] = calls("Say `npx image-signing-guard check IMAGE --stock prod | less`.");
    assert.throws(() => check(call!), /"check" has no --stock/);
    assert.throws(() => check("chock IMAGE"), /no command "chock"/);
  });
});

describe("docs: what is generated", () => {
  it("performance.md and its picture are what bench/results says", () => {
    for (const [name, text] of Object.entries(report()))
      assert.equal(pageOf(path.join("docs", name)), text, `${name}: run npm run bench:report`);
  });

  it("reference.md is what the doc comments say", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "image-signing-guard-docs-"));
    try {
      const typedoc = path.join(root, "node_modules", "typedoc", "bin", "typedoc");
      const args = [typedoc, "--options", "docs/typedoc.json", "--out", folder];
      await promisify(execFile)(process.execPath, args, { cwd: root });
      const made = fs.readFileSync(path.join(folder, "reference.md"), "utf8");
      assert.equal(pageOf("docs/reference.md"), made, "run npm run docs");
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
