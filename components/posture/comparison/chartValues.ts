import { isDeepStrictEqual } from "node:util";
import type { Change } from "./result";
import { list } from "./words";

/** Which chart values differ, by their paths: values may be secret, and none of these has a strength of its own. */
export function chartValueChanges(before: unknown, after: unknown): Change[] {
  // What the engine hides is a text.
  if (!isBlock(before) || !isBlock(after)) return [];
  const paths = differing(before, after);
  return paths.length === 0 ? [] : [{ about: "chart values", strength: "none", text: [...list(paths), " differ"] }];
}

type Block = Readonly<Record<string, unknown>>;

function isBlock(value: unknown): value is Block {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function differing(before: Block, after: Block, at = ""): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((key) => {
    const path = at ? `${at}.${key}` : key;
    const [a, b] = [before[key], after[key]];
    if (isBlock(a) && isBlock(b)) return differing(a, b, path);
    return isDeepStrictEqual(a, b) ? [] : [path];
  });
}
