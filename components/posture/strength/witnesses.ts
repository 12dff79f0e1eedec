/** The question is too large to be answered exactly; nothing is guessed instead. */
export class TooManyCases extends Error {}

/** A concrete text and every one of the patterns that matches it. */
export interface Witness {
  readonly text: string;
  readonly matches: ReadonlySet<string>;
}

const MOST_STATES = 20_000;

/** Where in a pattern the text read so far may stand. Patterns that can't match any more are left out. */
interface Live {
  readonly pattern: readonly string[];
  readonly index: number;
  readonly positions: readonly number[];
}

interface State {
  readonly live: readonly Live[];
  readonly text: string;
}

/**
 * One shortest text for each set of patterns that some text matches together while it matches none of the others. Two
 * texts of one set can't be told apart by the patterns, so whatever holds for all witnesses holds for all texts. The
 * empty text is none: no namespace, image or identity is called that.
 *
 * A breadth-first walk through the patterns' common automaton. Of the characters only those that stand next in some
 * pattern make a difference; one that occurs in none of them stands for all the rest.
 */
export function witnesses(patterns: Iterable<string>): Witness[] {
  const given = [...new Set(patterns)];
  const split = given.map((pattern) => [...pattern.replace(/\*+/g, "*")]);
  const other = unusedCharacter(split);
  const found = new Map<string, Witness>();
  const seen = new Set<string>();
  const queue: State[] = [];
  const visit = (live: readonly Live[], text: string) => {
    if (text !== "") {
      const matched = live.filter(({ pattern, positions }) => positions.at(-1) === pattern.length);
      const set = matched.map(({ index }) => index).join(" ");
      if (!found.has(set)) found.set(set, { text, matches: new Set(matched.map(({ index }) => given[index]!)) });
    }
    const key = live.map(({ index, positions }) => `${index}:${positions.join(",")}`).join(" ");
    if (seen.has(key)) return;
    if (seen.size >= MOST_STATES) throw new TooManyCases("the wildcard patterns overlap in too many ways");
    seen.add(key);
    queue.push({ live, text });
  };
  visit(
    split.map((pattern, index) => ({ pattern, index, positions: settle(pattern, [0]) })),
    "",
  );
  // The queue grows while it is walked through.
  for (const { live, text } of queue) {
    for (const char of [other, ...nextCharacters(live)]) {
      visit(
        live.flatMap((state) => step(state, char)),
        text + char,
      );
    }
  }
  return [...found.values()];
}

function step({ pattern, index, positions }: Live, char: string): Live[] {
  const reached = positions.flatMap((position) => {
    const expected = pattern[position];
    if (expected === "*") return [position];
    return expected === "?" || expected === char ? [position + 1] : [];
  });
  return reached.length > 0 ? [{ pattern, index, positions: settle(pattern, reached) }] : [];
}

/** Steps over stars, which may stand for nothing. Whatever stands before the last star reached adds nothing to it. */
function settle(pattern: readonly string[], positions: readonly number[]): number[] {
  const reached = new Set<number>();
  let lastStar = 0;
  for (let position of positions) {
    reached.add(position);
    if (pattern[position] !== "*") continue;
    lastStar = Math.max(lastStar, position);
    position += 1;
    reached.add(position);
  }
  return [...reached].filter((position) => position >= lastStar).sort((a, b) => a - b);
}

function nextCharacters(live: readonly Live[]): Set<string> {
  const next = live.flatMap(({ pattern, positions }) => positions.map((position) => pattern[position]));
  return new Set(next.filter((char): char is string => char !== undefined && char !== "*" && char !== "?"));
}

/** A letter where one is left, so that examples can be read. */
function unusedCharacter(patterns: readonly (readonly string[])[]): string {
  const used = new Set(patterns.flat());
  const letter = [..."xyzabcdefghijklmnopqrstuvw0123456789"].find((char) => !used.has(char));
  if (letter !== undefined) return letter;
  let code = 0x4e00;
  while (used.has(String.fromCodePoint(code))) code += 1;
  return String.fromCodePoint(code);
}
