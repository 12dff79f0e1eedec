/**
 * Kyverno's wildcards: `*` is any run of characters (`/`, `:` and `@` included), `?` is exactly one.
 * Policies are disjoint only if we can decide, for two patterns, whether one string matches both.
 */

/** Whether `text` matches `pattern` the way Kyverno 1.10 decides it. */
export function globMatches(pattern: string, text: string): boolean {
  return new RegExp(`^${globToRegex(pattern)}$`, "s").test(text);
}

/** The pattern as an RE2 fragment without anchors, for JMESPath `regex_match`. */
export function globToRegex(pattern: string): string {
  let regex = "";
  for (const char of pattern) {
    if (char === "*") regex += ".*";
    else if (char === "?") regex += ".";
    // A class, not a backslash: the text goes through YAML and JMESPath, and each has its own idea of backslashes.
    else if (char === ".") regex += "[.]";
    else regex += char.replace(/[+^${}()|[\]\\]/g, "\\$&");
  }
  return regex;
}

/** One RE2 expression, anchored, that matches what any of the patterns matches. An empty list matches nothing. */
export function globsToRegex(patterns: readonly string[]): string {
  if (patterns.length === 0) return "^[^\\s\\S]$";
  return `^(?:${patterns.map(globToRegex).join("|")})$`;
}

/** Whether some string matches both patterns. Walks the two patterns together; `*` may stand for nothing. */
export function globsIntersect(left: string, right: string): boolean {
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
  return visit(0, 0);
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
