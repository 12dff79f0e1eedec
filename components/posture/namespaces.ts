import { GuardMode } from "../args";
import { globContains, globMatches, globsIntersect } from "../globs";
import { isGuard } from "../policies/names";
import type { ProblemList } from "../problems";
import type { Context } from "./context";
import { checkWildcards } from "./images";
import type { NamespaceGroup, NamespaceScope, Posture } from "./types";

/** Namespaces of Kubernetes itself. Kyverno is not asked about them, so that its outage can't stop the cluster. */
export const KUBERNETES_NAMESPACES = ["kube-system", "kube-public", "kube-node-lease"] as const;

export const DEFAULT_PRODUCTION = ["production", "prod", "prod-*"];
export const DEFAULT_DEVELOPMENT = ["development", "dev", "dev-*"];

type NamespaceClass = "production" | "development" | "applications";

interface Override {
  readonly pattern: string;
  readonly mode: GuardMode;
  readonly class: NamespaceClass;
}

/** Where each namespace belongs: one class, and the overrides that lie inside classes. */
export interface NamespacePartition {
  readonly mode: GuardMode;
  readonly system: string[];
  readonly production: string[];
  readonly development: string[];
  readonly overrides: Override[];
}

/** The longest name of a namespace. */
const LONGEST_NAMESPACE = 63;

interface Entry {
  readonly key: string;
  readonly pattern: string;
  /** Class or mode: entries of one meaning may overlap. */
  readonly meaning: string;
}

/** Sorts the configured names into classes and refuses every pair of entries that could claim one namespace. */
export function partitionNamespaces({ config, problems }: Context, kyvernoNamespace: string): NamespacePartition {
  const given = config.namespaces ?? {};
  const mode = config.mode ?? GuardMode.Audit;
  const system = [...new Set([...KUBERNETES_NAMESPACES, kyvernoNamespace, ...(given.system ?? [])])].sort();
  const production = [...new Set(given.production ?? DEFAULT_PRODUCTION)];
  const development = [...new Set(given.development ?? DEFAULT_DEVELOPMENT)];
  const entries = [
    ...toEntries("namespaces.production", given.production ?? production, "production", given.production === undefined),
    ...toEntries(
      "namespaces.development",
      given.development ?? development,
      "development",
      given.development === undefined,
    ),
  ];
  const overrideEntries = (given.overrides ?? []).map((override, index) => ({
    key: `namespaces.overrides[${index}].namespace`,
    pattern: override.namespace,
    meaning: override.mode,
  }));
  refuseOverlaps(entries, problems);
  refuseOverlaps(overrideEntries, problems);
  for (const { key, pattern } of [...entries, ...overrideEntries])
    checkWildcards(key, pattern, LONGEST_NAMESPACE, problems);
  refuseSystemNames([...entries, ...overrideEntries], system, problems);
  const overrides = (given.overrides ?? [])
    .map((override, index) => ({
      pattern: override.namespace,
      mode: override.mode,
      class: classOf(overrideEntries[index]!, entries, production, problems),
    }))
    .filter(({ pattern }, index, all) => all.findIndex((other) => other.pattern === pattern) === index);
  return { mode, system, production, development, overrides };
}

function toEntries(key: string, patterns: readonly string[], meaning: string, isDefault: boolean): Entry[] {
  return patterns.map((pattern, index) => ({
    key: isDefault ? `${key} (default)` : `${key}[${index}]`,
    pattern,
    meaning,
  }));
}

function refuseOverlaps(entries: readonly Entry[], problems: ProblemList): void {
  entries.forEach((left, index) => {
    for (const right of entries.slice(index + 1)) {
      if (left.meaning === right.meaning || !globsIntersect(left.pattern, right.pattern)) continue;
      problems.say(
        `${left.key} and ${right.key}`,
        `"${left.pattern}" and "${right.pattern}", which can both match one namespace`,
        "entries of one meaning for each namespace",
        "remove one of the two or make it narrower; a default list is replaced by giving the key, [] for none",
      );
    }
  });
}

function refuseSystemNames(entries: readonly Entry[], system: readonly string[], problems: ProblemList): void {
  for (const { key, pattern } of entries) {
    if (!system.includes(pattern)) continue;
    problems.add(
      key,
      pattern,
      "a namespace that is not a system namespace",
      `remove "${pattern}": system namespaces are never checked`,
    );
  }
}

/** An override belongs to the class that contains it whole; one that is only partly inside has no clear meaning. */
function classOf(
  override: Entry,
  classEntries: readonly Entry[],
  production: readonly string[],
  problems: ProblemList,
): NamespaceClass {
  const container = classEntries.find(({ pattern }) => globContains(pattern, override.pattern));
  if (container) return production.includes(container.pattern) ? "production" : "development";
  const crossing = classEntries.find(({ pattern }) => globsIntersect(pattern, override.pattern));
  if (crossing) {
    problems.say(
      `${override.key} and ${crossing.key}`,
      `"${override.pattern}", which is partly inside "${crossing.pattern}"`,
      "an override that is wholly inside one class or wholly outside",
      "split the override into one for each class",
    );
  }
  return "applications";
}

/** The mode that each class has when nothing overrides it. Development is audited in every stack. */
function classMode(partition: NamespacePartition, name: NamespaceClass): GuardMode {
  return name === "development" ? GuardMode.Audit : partition.mode;
}

export function namespaceGroups(partition: NamespacePartition): NamespaceGroup[] {
  const exceptIn = (name: NamespaceClass) =>
    partition.overrides
      .filter((o) => o.class === name)
      .map((o) => o.pattern)
      .sort();
  const group = (name: NamespaceClass, patterns: string[]): NamespaceGroup => ({
    name,
    mode: classMode(partition, name),
    patterns: [...patterns].sort(),
    except: exceptIn(name),
  });
  return [
    { name: "system", mode: "excluded", patterns: partition.system, except: [] },
    group("production", partition.production),
    group("applications", []),
    group("development", partition.development),
    ...[...partition.overrides]
      .sort((a, b) => a.pattern.localeCompare(b.pattern))
      .map((o): NamespaceGroup => ({ name: `override ${o.pattern}`, mode: o.mode, patterns: [o.pattern], except: [] })),
  ];
}

/** Namespaces that the production policy judges in this mode; empty when there are none. */
export function productionScopes(partition: NamespacePartition, mode: GuardMode): NamespaceScope[] {
  const own = classMode(partition, "production") === mode;
  const strayed = patternsOf(partition, ["production"], own ? other(mode) : mode);
  if (own) return scope("production", partition.production, [...partition.system, ...strayed]);
  return scope("production", strayed, partition.system);
}

/** Namespaces outside production that are judged in this mode, as at most two scopes that share no namespace. */
export function applicationScopes(partition: NamespacePartition, mode: GuardMode): NamespaceScope[] {
  const { production, development, system } = partition;
  const appMode = classMode(partition, "applications");
  const devMode = classMode(partition, "development");
  const developmentApart = devMode !== appMode;
  if (mode === appMode) {
    const exclude = [
      ...system,
      ...production,
      ...(developmentApart ? development : []),
      ...patternsOf(partition, ["applications", "development"], other(mode)),
    ];
    const rest: NamespaceScope = { name: "applications", include: [], exclude: sortedUnique(exclude) };
    const backFromDevelopment = developmentApart ? patternsOf(partition, ["development"], mode) : [];
    return [rest, ...scope("listed", backFromDevelopment, system)];
  }
  const listed = [
    ...(developmentApart ? development : patternsOf(partition, ["development"], mode)),
    ...patternsOf(partition, ["applications"], mode),
  ];
  const takenOut = developmentApart ? patternsOf(partition, ["development"], other(mode)) : [];
  return scope("listed", listed, [...system, ...takenOut]);
}

function patternsOf(partition: NamespacePartition, classes: readonly NamespaceClass[], mode: GuardMode): string[] {
  return partition.overrides.filter((o) => classes.includes(o.class) && o.mode === mode).map((o) => o.pattern);
}

function scope(name: string, include: readonly string[], exclude: readonly string[]): NamespaceScope[] {
  if (include.length === 0) return [];
  // Only exclusions that could matter: a reader of the policy should not wonder what kube-system does in prod-*.
  const relevant = exclude.filter((pattern) => include.some((included) => globsIntersect(included, pattern)));
  return [{ name, include: sortedUnique(include), exclude: sortedUnique(relevant) }];
}

function other(mode: GuardMode): GuardMode {
  return mode === GuardMode.Enforce ? GuardMode.Audit : GuardMode.Enforce;
}

function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

/** Whether a namespace is inside a scope, as Kyverno decides it. */
export function scopeHas(scope: NamespaceScope, namespace: string): boolean {
  const included = scope.include.length === 0 || scope.include.some((pattern) => globMatches(pattern, namespace));
  return included && !scope.exclude.some((pattern) => globMatches(pattern, namespace));
}

/** Where images are refused. */
export function enforcedScopes(posture: Posture): NamespaceScope[] {
  return posture.policies
    .filter((policy) => policy.mode === GuardMode.Enforce && !isGuard(policy.role))
    .flatMap((policy) => policy.scopes);
}
