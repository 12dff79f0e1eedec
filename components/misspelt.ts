import { distance } from "fastest-levenshtein";
import type { Problem } from "./problems";

/**
 * Config that was meant for the guard and that nothing reads: without this, a stack that should enforce would audit in
 * silence. Other packages' config is none of ours, so a key counts only when it can hardly mean anything else.
 */
export function misspeltSettings(
  config: Readonly<Record<string, unknown>>,
  namespace: string,
  known: readonly string[],
  project?: string,
): Problem[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const [space = "", name = ""] = split(key);
    if (space === namespace) return [];
    // Keys without a namespace are the project's own to Pulumi; people know them as they wrote them.
    const written = space === project ? name : key;
    const meant = settingMeant(space, name, value, config);
    return meant === undefined
      ? []
      : [
          {
            key: written,
            found: "a key that nothing reads",
            allowed: `keys that begin with ${namespace}:`,
            fix: meant,
          },
        ];
  });

  function settingMeant(
    space: string,
    name: string,
    value: unknown,
    all: Readonly<Record<string, unknown>>,
  ): string | undefined {
    const block = asBlock(value);
    // image-signing-guard: {mode: enforce}
    const first = Object.keys(block ?? {}).flatMap((one) => nearest(one, known) ?? [])[0];
    if (isNear(name, namespace) && first !== undefined)
      return `write each setting by its whole key, e.g. ${namespace}:${first}`;
    // image-signing-guard.mode: enforce
    const parts = /^(.+)[./](\w+)$/.exec(name);
    if (parts && isNear(parts[1]!, namespace) && nearest(parts[2]!, known))
      return `did you mean ${namespace}:${nearest(parts[2]!, known)}?`;
    if (isNear(space, namespace)) return `did you mean ${namespace}:${nearest(name, known) ?? name}?`;
    // guard:mode, where the guard itself has no mode.
    const said = words(space);
    const whole = words(namespace);
    // One word alone may be anybody's, unless it is what the guard calls itself in the end.
    const isPart = said.every((word) => whole.includes(word)) && (said.length > 1 || said[0] === whole.at(-1));
    if (isPart && known.includes(name) && !(`${namespace}:${name}` in all)) return `did you mean ${namespace}:${name}?`;
    return undefined;
  }
}

function split(key: string): [space: string, name: string] {
  const colon = key.indexOf(":");
  return [key.slice(0, colon), key.slice(colon + 1)];
}

const words = (text: string): string[] => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
const letters = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Whether a name is the namespace with a slip: of one letter in five, or of case and dashes. */
function isNear(name: string, namespace: string): boolean {
  const [given, wanted] = [letters(name), letters(namespace)];
  // image-signing-guard-eu is another guard's own namespace, image-signing-guards is not.
  if (given.startsWith(wanted)) return ["", "s"].includes(given.slice(wanted.length)) && name !== "";
  return distance(given, wanted) <= Math.floor(wanted.length / 5);
}

/** The setting that a name is or is meant for. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const far = (one: string) => distance(letters(name), letters(one));
  return known.filter((one) => far(one) <= 2).sort((a, b) => far(a) - far(b))[0];
}

function asBlock(value: unknown): Record<string, unknown> | undefined {
  if (typeof value === "string" && value.trimStart().startsWith("{")) {
    try {
      return asBlock(JSON.parse(value));
    } catch {
      return undefined;
    }
  }
  return value !== null && typeof value === "object" && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
