/**
 * Kyverno's wildcards: `*` is any run of characters (`/`, `:` and `@` included), `?` is exactly one.
 * Policies are disjoint only if we can decide, for two patterns, whether one string matches both.
 */

/**
 * Whether `text` matches `pattern` the way Kyverno 1.10 decides it. Only the last `*` is ever tried again, so a text that
 * somebody chose to be slow is not.
 */
export function globMatches(pattern: string, text: string): boolean {
  const wanted = [...pattern];
  const given = [...text];
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let position = 0; position < given.length; ) {
    if (wanted[at] === "*") {
      star = at++;
      resume = position;
    } else if (at < wanted.length && (wanted[at] === "?" || wanted[at] === given[position])) {
      at++;
      position++;
    } else if (star >= 0) {
      at = star + 1;
      position = ++resume;
    } else return false;
  }
  while (wanted[at] === "*") at++;
  return at === wanted.length;
}

/**
 * How many comparisons Kyverno's own matcher makes at worst for a text of this length. It tries every place for every
 * `*`, so each further one multiplies by how often the text before it can stand in the whole.
 */
export function kyvernoComparisons(pattern: string, length: number): number {
  const [, ...afterStars] = pattern.split("*");
  const repeated = afterStars.slice(0, -1).map((text) => occurrences(text, length));
  // The places follow each other, so only one order of them counts.
  return repeated.reduce((product, count, index) => (product * count) / (index + 1), length);
}

/** How often a text can stand in another, overlaps included: decided by the least shift that fits itself. */
function occurrences(text: string, length: number): number {
  if (text.length > length) return 0;
  const fits = (shift: number) =>
    [...text.slice(shift)].every((char, index) => char === "?" || text[index] === "?" || char === text[index]);
  let shift = 1;
  while (shift < text.length && !fits(shift)) shift++;
  return Math.floor((length - text.length) / shift) + 1;
}

/** The pattern as an RE2 fragment without anchors, for JMESPath `regex_match`. `any` is what a wildcard may take. */
export function globToRegex(pattern: string, any = "."): string {
  let regex = "";
  for (const char of pattern) {
    if (char === "*") regex += `${any}*`;
    else if (char === "?") regex += any;
    // A class, not a backslash: the text goes through YAML and JMESPath, and each has its own idea of backslashes.
    else if (char === ".") regex += "[.]";
    else regex += char.replace(/[+^${}()|[\]\\]/g, "\\$&");
  }
  return regex;
}

/** A repository as an RE2 fragment in which, unlike in Kyverno's wildcards, none of the registry's name leaves that name. */
export function repositoryToRegex(pattern: string): string {
  const slash = pattern.indexOf("/");
  return slash < 0
    ? globToRegex(pattern)
    : `${globToRegex(pattern.slice(0, slash), "[^/]")}${globToRegex(pattern.slice(slash))}`;
}

/** One RE2 expression, anchored, that matches what any of the repositories matches. An empty list matches nothing. */
export function repositoriesToRegex(patterns: readonly string[]): string {
  if (patterns.length === 0) return "^[^\\s\\S]$";
  return `^(?:${patterns.map(repositoryToRegex).join("|")})$`;
}

/** Whether some string matches both patterns. Walks the two patterns together; `*` may stand for nothing. */
export function globsIntersect(left: string, right: string): boolean {
  // What stands before the first wildcards decides most pairs, and entries are compared each with each.
  let start = 0;
  while (isPlain(left[start]) && left[start] === right[start]) start++;
  if (isPlain(left[start]) && isPlain(right[start])) return false;
  const reachable = new Set<string>();
  const visit = (i: number, j: number): boolean => {
    const key = `${i},${j}`;
    if (reachable.has(key)) return false;
    reachable.add(key);
    const a = left[i];
    const b = right[j];
    if (a === undefined && b === undefined) return true;
    if (a === "*" && visit(i + 1, j)) return true;
    if (b === "*" && visit(i, j + 1)) return true;
    if (a === undefined || b === undefined) return false;
    if (a === "*") return visit(i, j + 1);
    if (b === "*") return visit(i + 1, j);
    return (a === b || a === "?" || b === "?") && visit(i + 1, j + 1);
  };
  return visit(start, start);
}

function isPlain(char: string | undefined): boolean {
  return char !== undefined && char !== "*" && char !== "?";
}

/**
 * Whether `outer` matches everything that `inner` matches. A wildcard of `inner` is treated as a character that only
 * a wildcard of `outer` can take, which never says yes wrongly.
 */
export function globContains(outer: string, inner: string): boolean {
  const visited = new Set<string>();
  const visit = (i: number, j: number): boolean => {
    const key = `${i},${j}`;
    if (visited.has(key)) return false;
    visited.add(key);
    const a = outer[i];
    const b = inner[j];
    if (a === undefined) return b === undefined;
    if (a === "*") return visit(i + 1, j) || (b !== undefined && visit(i, j + 1));
    if (b === undefined || b === "*") return false;
    return (a === "?" || a === b) && visit(i + 1, j + 1);
  };
  return visit(0, 0);
}
