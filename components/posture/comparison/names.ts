import type { Witness } from "../strength/witnesses";
import type { Posture } from "../types";

import { list, type Part } from "./words";

const OTHERS = "every other namespace";

/** Namespaces as the configuration speaks of them: by the narrowest entry that has them. */
export class NamespaceNames {
  private readonly patterns: string[];

  constructor(...postures: readonly Posture[]) {
    this.patterns = [...new Set(postures.flatMap(({ namespaces }) => namespaces.flatMap(({ patterns }) => patterns)))];
  }

  /** Needed among the patterns of the witnesses, so that each of them has one label. */
  get all(): readonly string[] {
    return this.patterns;
  }

  labelOf({ matches }: Witness): string {
    const own = this.patterns.filter((pattern) => matches.has(pattern));
    return own.sort((a, b) => b.length - a.length || (a < b ? -1 : 1))[0] ?? OTHERS;
  }

  /** Labels of the witnesses by what `tell` says of them; those of which it says nothing are left out. */
  groupBy(names: readonly Witness[], tell: (name: Witness) => string | undefined): Map<string, string[]> {
    const groups = new Map<string, Set<string>>();
    for (const name of names) {
      const said = tell(name);
      if (said === undefined) continue;
      groups.set(said, (groups.get(said) ?? new Set()).add(this.labelOf(name)));
    }
    return new Map([...groups].sort().map(([said, labels]) => [said, [...labels].sort(byLabel)]));
  }
}

/** Labels in a line; "every other namespace" is a word of ours and no value. */
export function labelList(labels: readonly string[]): Part[] {
  const named = labels.filter((label) => label !== OTHERS);
  if (named.length === labels.length) return list(named);
  return named.length === 0 ? [OTHERS] : [...list(named), `; ${OTHERS}`];
}

/** What is left over comes last. */
function byLabel(a: string, b: string): number {
  if (a === b) return 0;
  if (a === OTHERS || b === OTHERS) return a === OTHERS ? 1 : -1;
  return a < b ? -1 : 1;
}
