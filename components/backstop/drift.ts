import type { Manifest } from "../kubernetes/manifest";

/** Which part of a live object of the backstop is not as compiled. */
export function backstopDrift(wanted: Manifest, live: Manifest): string | undefined {
  const [own, found] = [wanted, live].map(({ spec, webhooks }) => ({ spec, webhooks }));
  return differs(own, found) ?? narrowedBy(own, found);
}

/**
 * Where a live object says something else than the compiled one; what the API server adds of its own is no difference.
 * Lists must be equal line by line: one more line in a rule or a condition is another rule.
 */
function differs(wanted: unknown, live: unknown, path = ""): string | undefined {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return path;
    return first(wanted.map((item, index) => differs(item, live[index], `${path}[${index}]`)));
  }
  if (wanted !== null && typeof wanted === "object") {
    if (live === null || typeof live !== "object") return path;
    return first(
      Object.entries(wanted).map(([key, value]) =>
        differs(value, (live as Record<string, unknown>)[key], path ? `${path}.${key}` : key),
      ),
    );
  }
  return wanted === live ? undefined : path;
}

/** Parts that the compiled object leaves out, and that would narrow it if somebody put them in. */
const NARROWING = ["matchConditions", "matchResources", "namespaceSelector", "objectSelector", "excludeResourceRules"];

/** Whether something in `live` narrows what `wanted` does not. */
function narrowedBy(wanted: unknown, live: unknown, path = ""): string | undefined {
  if (live === null || typeof live !== "object") return undefined;
  return first(
    Object.entries(live).map(([key, value]) => {
      const own = (wanted as Record<string, unknown> | undefined)?.[key];
      const here = path ? `${path}.${key}` : key;
      if (own === undefined && NARROWING.includes(key)) return isEmpty(value) ? undefined : here;
      return own === undefined ? undefined : narrowedBy(own, value, here);
    }),
  );
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || Object.keys(value as object).length === 0;
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((one) => one !== undefined);
}
