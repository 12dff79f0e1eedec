/** Pieces of PromQL. */

export type Matchers = readonly (readonly [label: string, operator: "=" | "!=" | "=~" | "!~", value: string])[];

/** `metric{label="value"}` */
export function select(metric: string, matchers: Matchers): string {
  return `${metric}{${matchers.map(([label, operator, value]) => `${label}${operator}${JSON.stringify(value)}`).join(",")}}`;
}

/** A regular expression for exactly these names. */
export function anyOf(names: readonly string[]): string {
  return names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
}

/**
 * Events counted over the window. A counter of Kyverno's begins with its first event, at 1, which `increase` does not
 * see: so a series that was not there before counts with its whole value. Before is up to an hour before the window,
 * since a target that was away for a moment is not new.
 */
export function events(selector: string, window: string, by: readonly string[]): string {
  const first = `(${selector} unless last_over_time(${selector}[1h] offset ${window}))`;
  return `sum by (${by.join(", ")}) (${first} or increase(${selector}[${window}]))`;
}

/** Events of several selectors, those that reach the threshold; without one, all. */
export function eventsOf(
  selectors: readonly string[],
  window: string,
  by: readonly string[],
  threshold?: number,
): string {
  const reaches = threshold === undefined ? "" : ` >= ${threshold}`;
  return selectors.map((selector) => `${events(selector, window, by)}${reaches}`).join("\nor ");
}
