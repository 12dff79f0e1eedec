import * as pulumi from "@pulumi/pulumi";
import { mayBeLate, type Path, withoutLate } from "./late";
import type { ProblemList } from "./problems";
import { formatKey } from "./schema";

export interface LateValue {
  readonly path: Path;
  readonly value: unknown;
}

/** The value with a marker where an Output may be, so that its shape can be checked before the Output is known. */
export function withoutOutputs(value: unknown, problems: ProblemList): unknown {
  return withoutLate(value, isEventual, (path) =>
    problems.say(
      formatKey(path),
      "an Output, whose value is not known before the resources are made",
      "a plain value: it decides which resources there are",
      `take it from what is plain (config, not an Output), or make the guard inside .apply`,
    ),
  );
}

/** Every Output among the arguments, by its place. */
export function lateValues(value: unknown): LateValue[] {
  const found: LateValue[] = [];
  replaced(value, (one, path) => {
    if (!isEventual(one)) return one;
    found.push({ path, value: one });
    return undefined;
  });
  return found;
}

/** The value with what is known by now in the place of each Output. */
export function withLateValues(value: unknown, known: (path: Path) => unknown): unknown {
  return replaced(value, (one, path) => (isEventual(one) ? known(path) : one));
}

/** Marks as secret what may be an Output: Pulumi says that a block holds a secret, and not where. */
export function withSecrets<T>(value: T, path: Path): T {
  return replaced(value, (one, at) => (isLeaf(one) && mayBeLate(at) ? pulumi.secret(one) : one), path) as T;
}

function replaced(value: unknown, change: (value: unknown, path: Path) => unknown, path: Path = []): unknown {
  const changed = change(value, path);
  if (changed !== value || isLeaf(value)) return changed;
  if (Array.isArray(value)) return value.map((item, index) => replaced(item, change, [...path, index]));
  return Object.fromEntries(
    Object.entries(value as object).map(([name, child]) => [name, replaced(child, change, [...path, name])]),
  );
}

function isLeaf(value: unknown): boolean {
  return value === null || typeof value !== "object" || isEventual(value);
}

function isEventual(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}
