import * as fs from "node:fs";
import * as path from "node:path";
import { x as extract, type ReadEntry } from "tar";

/** Larger than any program; a layer of few bytes can unpack to as many as it likes. */
const LARGEST = 1024 * 1024 * 1024;

const LICENCE = /^(licen[cs]e|copying|notice)(\.(txt|md))?$/i;

/** Takes a program out of a layer, and the licences at the layer's top; false where the layer has no such program. */
export async function takeProgram(layer: string, name: string, target: string, largest = LARGEST): Promise<boolean> {
  const folder = fs.mkdtempSync(`${target}-`);
  const taken = new Map<string, string>();
  try {
    await extract({
      file: layer,
      cwd: folder,
      filter: (entryPath, entry) => {
        const to = place(entryPath, entry as ReadEntry, name, target);
        if (to === undefined || taken.has(to) || (entry.size ?? 0) > largest) return false;
        taken.set(to, entryPath);
        return true;
      },
    });
    if (!taken.has(target)) return false;
    for (const [to, from] of taken) fs.renameSync(path.join(folder, from), to);
    fs.chmodSync(target, 0o755);
    return true;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Only a program of the very name, and licences at the top; of their paths nothing but the last part is kept. */
function place(entryPath: string, { type, mode = 0 }: ReadEntry, name: string, target: string): string | undefined {
  if (type !== "File" && type !== "OldFile") return undefined;
  const parts = entryPath.split("/").filter((part) => part !== "" && part !== ".");
  const base = parts.at(-1) ?? "";
  if (base === name && (mode & 0o111) !== 0) return target;
  return parts.length === 1 && LICENCE.test(base) ? `${target}.${base}` : undefined;
}
