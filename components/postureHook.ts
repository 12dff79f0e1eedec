import * as pulumi from "@pulumi/pulumi";
import { newHook } from "./hooks";
import { isMocked } from "./mocked";
import { tellChanges } from "./posture/comparison/tell";
import { UNKNOWN_VALUE } from "./unknownValue";

/**
 * Lets the engine say in previews and updates what a step makes weaker or stronger. Only the engine knows what was before,
 * and it tells hooks.
 */
export function withPostureHook(
  name: string,
  opts: pulumi.ComponentResourceOptions,
  self: () => pulumi.Resource,
): pulumi.ComponentResourceOptions {
  // The mocks claim to know hooks, but do not.
  if (isMocked()) return opts;
  const hook = newHook(
    name,
    async ({ oldInputs, newInputs }) => {
      const text = await tell(oldInputs?.posture, newInputs?.posture);
      // Not waited for: the message belongs to the resource, whose registration waits for this hook.
      if (text !== "") void pulumi.log.info(text, self());
    },
    { onDryRun: true },
  );
  const { beforeCreate = [], beforeUpdate = [] } = opts.hooks ?? {};
  return {
    ...opts,
    hooks: { ...opts.hooks, beforeCreate: [...beforeCreate, hook], beforeUpdate: [...beforeUpdate, hook] },
  };
}

/** A text about a change is no reason for the change to fail. */
async function tell(...postures: readonly unknown[]): Promise<string> {
  // One secret makes an Output of the whole; then no value of it is shown.
  const hasSecrets = postures.some((posture) => pulumi.Output.isInstance(posture));
  try {
    const [before, after] = await Promise.all(postures.map(plainOf));
    return tellChanges(before, after, hasSecrets);
  } catch (error) {
    return `posture: can't be compared (${hasSecrets ? "it holds secrets" : (error as Error).message})`;
  }
}

/** Of an Output the SDK gives only what is known; what is not must be named, not waited for. */
async function plainOf(value: unknown): Promise<unknown> {
  const inner = value as { promise?: (withUnknowns: boolean) => Promise<unknown> };
  return named(pulumi.Output.isInstance(value) ? await inner.promise?.(true) : value);
}

function named(value: unknown): unknown {
  if (pulumi.isUnknown(value)) return UNKNOWN_VALUE;
  if (Array.isArray(value)) return value.map(named);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, named(field)]));
}
