import { UNKNOWN_VALUE } from "../../unknownValue";
import { withLists } from "../byName";
import { type Posture, postureShape } from "../types";
import { type Part, parts } from "./words";

export type Checked = { readonly posture: Posture } | { readonly lacks: Part[][] };

/** What the engine calls a posture, or what keeps it from being one. Values are never repeated, only where they are. */
export function checkPosture(value: unknown): Checked {
  const hidden = hiddenValues(value, "posture");
  if (hidden.length > 0) return { lacks: hidden };
  const parsed = postureShape.safeParse(withLists(value));
  if (parsed.success) return { posture: parsed.data };
  const places = parsed.error.issues.flatMap(({ path, ...issue }) => {
    const where = ["posture", ...path].join(".");
    return issue.code === "unrecognized_keys" ? issue.keys.map((key) => `${where}.${key}`) : [where];
  });
  return {
    lacks: [...new Set(places)].map(
      (place) =>
        parts`${place} is not what this version writes: use the version of image-signing-guard that the stack uses`,
    ),
  };
}

/** Places whose value the engine does not know yet or does not show. */
function hiddenValues(value: unknown, where: string): Part[][] {
  if (typeof value === "string") {
    if (value.includes(UNKNOWN_VALUE)) return [parts`${where} will be known only after the update`];
    return value === "[secret]"
      ? [parts`${where} is a secret, so previews don't show it: pass public keys as plain text`]
      : [];
  }
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, child]) => hiddenValues(child, `${where}.${key}`));
}
