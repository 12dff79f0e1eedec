import * as pulumi from "@pulumi/pulumi";
import { tellChanges } from "./posture/comparison/tell";
import { GUARD_TYPE } from "./settings";

let made = 0;

/**
 * Lets the engine say in previews and updates what a step makes weaker or stronger. Only the engine knows what was before,
 * and it tells hooks.
 */
export function withPostureHook(
  name: string,
  opts: pulumi.ComponentResourceOptions,
  self: () => pulumi.Resource,
): pulumi.ComponentResourceOptions {
  if (isMocked()) return opts;
  made++;
  // In a stack each hook has a name of its own; guards under different parents may share theirs.
  const hook = new pulumi.ResourceHook(
    `${GUARD_TYPE}:${name}:${made}`,
    ({ oldInputs, newInputs }) => {
      const text = tell(oldInputs?.posture, newInputs?.posture);
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

/** The SDK's mocks for unit tests claim to know hooks, but don't. */
function isMocked(): boolean {
  const monitor = pulumi.runtime.getMonitor() as { registerResourceHook?: unknown } | undefined;
  return monitor !== undefined && monitor.registerResourceHook === undefined;
}

/** A text about a change is no reason for the change to fail. */
function tell(before: unknown, after: unknown): string {
  try {
    return tellChanges(shownSecrets(before), shownSecrets(after));
  } catch (error) {
    return `posture: can't be compared (${(error as Error).message})`;
  }
}

/** A secret is an Output here; it is told as previews show it. */
function shownSecrets(value: unknown): unknown {
  if (pulumi.Output.isInstance(value)) return "[secret]";
  if (Array.isArray(value)) return value.map(shownSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shownSecrets(field)]));
}
