import { describeSigner } from "./signers";
import type { Posture, Signer } from "./types";

/** A list whose items have names, and the lists inside of its items; without `name` an object that has such lists. */
interface Named {
  // biome-ignore lint/suspicious/noExplicitAny: each list has items of its own.
  readonly name?: (item: any) => string;
  readonly within?: Lists;
}
type Lists = { readonly [field: string]: Named };

const name = (item: { name: string }) => item.name;
const signers: Named = { name: (signer: Signer) => describeSigner(signer) };

/** Every list of a posture whose items are objects. */
const LISTS: Lists & { readonly [Part in keyof Posture]?: Named } = {
  namespaces: { name },
  images: {
    name,
    within: {
      signers,
      attestations: { name: (item: { predicateType: string }) => item.predicateType, within: { signers } },
    },
  },
  exempt: { name: (item: { repositories: string[] }) => item.repositories.join(", ") },
  policies: { name, within: { scopes: { name } } },
  suspended: { name: (item: { policy: string }) => item.policy },
  backstop: { within: { scopes: { name } } },
  kyverno: { within: { acknowledged: { name: (item: { finding: string }) => item.finding } } },
  monitoring: { within: { alerts: { name: (item: { alert: string }) => item.alert } } },
};

export type PostureByName = { readonly [Part in keyof Posture]: unknown };

/**
 * The posture as the engine keeps it: its lists are maps by name, since the engine compares lists by their index, and one
 * new image in front would look like a change of all.
 */
export function postureByName(posture: Posture): PostureByName {
  return named(posture, LISTS) as PostureByName;
}

/** The other way round, of a value of which nothing is known; lists stay as they are. */
export function withLists(value: unknown): unknown {
  return listed(value, LISTS);
}

type Block = Record<string, unknown>;

function isBlock(value: unknown): value is Block {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function named(value: unknown, lists: Lists): unknown {
  return mapFields(value, lists, (field, { name: nameOf, within = {} }) => {
    if (!nameOf || !Array.isArray(field)) return named(field, within);
    const names = new Map<string, number>();
    return Object.fromEntries(
      field.map((item) => {
        const own = nameOf(item);
        const count = (names.get(own) ?? 0) + 1;
        names.set(own, count);
        return [count === 1 ? own : `${own} (${count})`, named(item, within)];
      }),
    );
  });
}

function listed(value: unknown, lists: Lists): unknown {
  return mapFields(value, lists, (field, { name: nameOf, within = {} }) => {
    if (!nameOf) return listed(field, within);
    const items = isBlock(field) ? Object.values(field) : field;
    return Array.isArray(items) ? items.map((item) => listed(item, within)) : items;
  });
}

function mapFields(value: unknown, lists: Lists, change: (field: unknown, list: Named) => unknown): unknown {
  if (!isBlock(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, Object.hasOwn(lists, key) ? change(field, lists[key]!) : field]),
  );
}
