import { comparePostures } from "./compare";
import { checkPosture } from "./read";
import { counts, inOrder, MEANING } from "./result";
import { printable, withoutValues } from "./words";

const MOST_LINES = 12;

/**
 * What a step does to the posture, for the engine's own output: the verdict and its reasons, a line each. '' where
 * nothing changes. `before` and `after` are the posture as the engine keeps it; absent for a guard that is created. Where they
 * hold secrets no value is shown.
 */
export function tellChanges(before: unknown, after: unknown, hasSecrets = false): string {
  const [old, made] = [before === undefined ? undefined : checkPosture(before), checkPosture(after)];
  const lacks = [...(old && "lacks" in old ? old.lacks : []), ...("lacks" in made ? made.lacks : [])];
  const result = comparePostures({
    stack: "",
    ...(old && "posture" in old ? { before: old.posture } : {}),
    ...("posture" in made ? { after: made.posture } : {}),
    lacks,
    failed: [],
  });
  if (result.verdict === "SAME" && result.changes.length === 0) return "";
  const text = hasSecrets ? withoutValues : printable;
  const lines = [
    ...lacks.map(text),
    ...inOrder(result.changes).map(
      (change) => `${change.strength === "none" ? "" : `${change.strength} · `}${change.about}: ${text(change.text)}`,
    ),
  ];
  const shown = lines.length > MOST_LINES ? lines.slice(0, MOST_LINES - 1) : lines;
  const more = lines.length - shown.length;
  return [
    `posture ${result.verdict}: ${MEANING[result.verdict]}${counts(result)}`,
    ...shown,
    ...(more > 0 ? [`${more} more: image-signing-guard posture tells all`] : []),
  ].join("\n  ");
}
