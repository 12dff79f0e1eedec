import { distance } from "fastest-levenshtein";
import known from "./chartKeys.json";

/**
 * Values that each chart version reads, made from its values.yaml by `npm run chart-keys`. Helm drops any other without a
 * word, so that a value of a newer chart would look as if it were set.
 */
const KNOWN: Readonly<Record<string, Readonly<Record<string, string>>>> = known;

export interface UnknownValue {
  readonly path: string;
  /** The value of that chart that it looks like, if any does. */
  readonly nearest?: string;
}

/** Which of the user's values a chart does not have; none where the version's keys are not on record. */
export function unknownValues(values: Record<string, unknown>, chartVersion: string): UnknownValue[] {
  const keys = KNOWN[chartVersion];
  if (!keys) return [];
  const paths = Object.entries(keys).flatMap(([key, below]) =>
    below.split(" ").map((rest) => (rest === "" ? key : `${key}.${rest}`)),
  );
  const exact = new Set(paths.filter((path) => !path.endsWith(".*")));
  const open = paths.filter((path) => path.endsWith(".*")).map((path) => path.slice(0, -2));
  const isKnown = (path: string) =>
    exact.has(path) ||
    open.some((block) => path === block || path.startsWith(`${block}.`)) ||
    // A block that is emptied as a whole.
    paths.some((other) => other.startsWith(`${path}.`));
  return leafPaths(values)
    .filter((path) => !isKnown(path))
    .map((path) => nearestTo(path, [...exact, ...open]));
}

/** Of a block that may hold anything, as much of the path as names it. */
function nearestTo(path: string, paths: readonly string[]): UnknownValue {
  const ranked = paths.flatMap((other) => {
    const cut = path.split(".").slice(0, other.split(".").length).join(".");
    return cut === other ? [] : [{ other, away: distance(cut.toLowerCase(), other.toLowerCase()) }];
  });
  const best = ranked.reduce((a, b) => (b.away < a.away ? b : a));
  return { path, ...(best.away <= Math.max(2, best.other.length / 8) ? { nearest: best.other } : {}) };
}

/** Dotted paths of everything that is not a non-empty block. */
export function leafPaths(value: unknown, prefix = ""): string[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return prefix ? [prefix] : [];
  return Object.entries(value).flatMap(([key, child]) => leafPaths(child, prefix ? `${prefix}.${key}` : key));
}
