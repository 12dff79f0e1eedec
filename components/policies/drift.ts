import { isDeepStrictEqual } from "node:util";
import type { Manifest } from "../kubernetes/manifest";
import { roleOf } from "./names";

/**
 * Places where a policy in the cluster says something else than the stack, with both values where they are short.
 *
 * @param added fields that the API server or Kyverno adds by itself
 */
export function policyDrift(wanted: Manifest, spec: unknown, added: Readonly<Record<string, unknown>> = {}): string[] {
  // The guard writes out what Kyverno would default; other people's policies need not.
  const isOwn = roleOf(wanted) !== undefined;
  return differences(wanted.spec, spec, "spec", added).filter((place) => isOwn || !place.includes(": absent → "));
}

/** Places where two values differ. */
export function differences(
  wanted: unknown,
  found: unknown,
  where: string,
  added: Readonly<Record<string, unknown>> = {},
): string[] {
  if (isDeepStrictEqual(wanted, found)) return [];
  const areBlocks = [wanted, found].every((value) => value !== null && typeof value === "object");
  if (!areBlocks || Array.isArray(wanted) !== Array.isArray(found))
    return [`${where}: ${short(wanted)} → ${short(found)}`];
  const [a, b] = [wanted, found] as Record<string, unknown>[];
  const keys = [...new Set([...Object.keys(a!), ...Object.keys(b!)])];
  const step = (key: string) => (Array.isArray(wanted) ? `${where}[${key}]` : `${where}.${key}`);
  const isAdded = (key: string) => !(key in a!) && key in added && isDeepStrictEqual(added[key], b![key]);
  return keys.filter((key) => !isAdded(key)).flatMap((key) => differences(a![key], b![key], step(key), added));
}

function short(value: unknown): string {
  if (value === undefined) return "absent";
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
