export interface Selector {
  readonly text: string;
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** The distinct selectors with labels in PromQL that components/monitoring writes. */
export function selectorsIn(expr: string): Selector[] {
  const found = [...expr.matchAll(/([a-z_]+)\{((?:[a-z_]+(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*",?)*)\}/g)].map(
    ([text, metric, inner]): Selector => ({
      text: text!,
      metric: metric!,
      matchers: [...inner!.matchAll(/([a-z_]+)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")/g)].map(([, label, operator, value]) => ({
        label: label!,
        operator: operator!,
        value: JSON.parse(value!) as string,
      })),
    }),
  );
  return found.filter(({ text }, index) => found.findIndex((other) => other.text === text) === index);
}

/** Whether a series is selected, as Prometheus would: regular expressions match whole values, absent labels are empty. */
export function selects({ metric, matchers }: Selector, name: string, labels: Record<string, string>): boolean {
  return (
    metric === name &&
    matchers.every(({ label, operator, value }) => {
      const found = labels[label] ?? "";
      const hit = operator.endsWith("~") ? new RegExp(`^(?:${value})$`).test(found) : found === value;
      return operator.startsWith("!") ? !hit : hit;
    })
  );
}
