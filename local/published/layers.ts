import * as fs from "node:fs";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { Parser, type ReadEntry } from "tar";

const LICENCE = /^(licen[cs]e|copying|notice)(\.(txt|md))?$/i;

/** Takes a program out of a layer, and the licences at the layer's top; false where the layer has no such program. */
export async function takeProgram(layer: string, name: string, target: string): Promise<boolean> {
  const writing: Promise<void>[] = [];
  let found = false;
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      const to = isFile(entry) ? place(entry, name, target) : undefined;
      if (to === undefined || (to === target && found)) return entry.resume();
      if (to === target) found = true;
      writing.push(pipeline(entry, fs.createWriteStream(to, { mode: to === target ? 0o755 : 0o644 })));
      return undefined;
    },
  });
  await finished(layer, parser);
  await Promise.all(writing);
  return found;
}

/** Nothing of an entry's own path is used for writing but its last part, and that only when it is a known word. */
function place(entry: ReadEntry, name: string, target: string): string | undefined {
  const base = path.posix.basename(entry.path);
  if (base === name && ((entry.mode ?? 0) & 0o111) !== 0) return target;
  const isTop = entry.path.split("/").filter((part) => part !== "" && part !== ".").length === 1;
  return isTop && LICENCE.test(base) ? `${target}.${base}` : undefined;
}

const isFile = ({ type }: ReadEntry) => type === "File" || type === "OldFile";

/** A stream of tar's is none of Node's: it ends by an event of its own. */
function finished(layer: string, parser: Parser): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.on("end", resolve).on("error", reject);
    const file = fs.createReadStream(layer);
    file.on("error", reject).on("data", (chunk) => parser.write(chunk as Buffer));
    file.on("end", () => parser.end());
  });
}
