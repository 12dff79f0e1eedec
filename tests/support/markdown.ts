import * as fs from "node:fs";
import * as path from "node:path";

export interface CodeBlock {
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** The words of the comment `<!-- tried: ... -->` above it. */
  readonly tried?: string;
}

const fence = /^( *)(`{3,})\s*(\w*)\s*$/;

/** The fenced blocks of a page; four spaces are no block here, since they hold pictures and command lines alike. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open:
    | { indent: string; ticks: string; language: string; line: number; lines: string[]; tried?: string }
    | undefined;
  let tried: string | undefined;
  for (const [at, line] of markdown.split("\n").entries()) {
    const [, indent = "", ticks = "", language = ""] = fence.exec(line) ?? [];
    if (open === undefined) {
      const comment = /^<!-- tried: (.+) -->$/.exec(line)?.[1];
      if (comment !== undefined) tried = comment;
      else if (ticks !== "") {
        open = { indent, ticks, language, line: at + 1, lines: [], ...(tried ? { tried } : {}) };
        tried = undefined;
      } else if (line !== "") tried = undefined;
    } else if (ticks === open.ticks && language === "") {
      const { lines, indent: left, language: of, line: start } = open;
      const text = lines.map((l) => (l.startsWith(left) ? l.slice(left.length) : l)).join("\n");
      blocks.push({ language: of, text, line: start, ...(open.tried ? { tried: open.tried } : {}) });
      open = undefined;
    } else open.lines.push(line);
  }
  if (open !== undefined) throw new Error(`the block that begins at line ${open.line} has no end`);
  return blocks;
}

/** The page without what is code. */
export function prose(markdown: string): string {
  let inside = false;
  return markdown
    .split("\n")
    .map((line) => {
      if (/^ *`{3,}/.test(line)) {
        inside = !inside;
        return "";
      }
      return inside ? "" : line;
    })
    .join("\n");
}

/** Targets of links and pictures, without those in code. */
export function links(markdown: string): string[] {
  const text = prose(markdown).replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, " "));
  return [...text.matchAll(/\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)*)\)/g)].map(([, target]) => target!);
}

/** Anchors that GitHub makes of headings, and those that are written as HTML. */
export function anchors(markdown: string): Set<string> {
  const found = new Set<string>();
  const text = prose(markdown);
  for (const [, heading] of text.matchAll(/^#{1,6}\s+(.+?)\s*$/gm)) {
    const slug = heading!
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
      .replace(/ /g, "-");
    let name = slug;
    for (let count = 1; found.has(name); count++) name = `${slug}-${count}`;
    found.add(name);
  }
  for (const [, id] of text.matchAll(/<a id="([^"]+)">/g)) found.add(id!);
  return found;
}

const root = path.join(__dirname, "..", "..");

/** Every page that a reader may meet, by path from the project's folder. */
export function pages(): { name: string; text: string }[] {
  const files = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].filter((name) => fs.existsSync(path.join(root, name)));
  for (const folder of ["docs", "examples", "bench"]) {
    if (!fs.existsSync(path.join(root, folder))) continue;
    for (const name of fs.readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (name.endsWith(".md") && !name.includes("node_modules")) files.push(path.join(folder, name));
    }
  }
  return files.sort().map((name) => ({ name, text: fs.readFileSync(path.join(root, name), "utf8") }));
}

export const pageOf = (name: string): string => fs.readFileSync(path.join(root, name), "utf8");
