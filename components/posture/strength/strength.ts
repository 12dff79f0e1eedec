import { FailurePolicy, GuardMode, TagHandling, UncoveredAction } from "../../args";
import { isJudge, POLICY_ROLES, type PolicyRole, ROLE } from "../../policies/names";
import { KYVERNO_LINES } from "../kyvernoLines";
import type { NamespaceScope, Posture } from "../types";
import { weakenings } from "../weakenings";
import { type Demand, demandOf, implies, NOBODY } from "./demands";
import { type Witness, witnesses } from "./witnesses";

/** What the second posture is, seen from the first. */
export type Strength = "same" | "weaker" | "stronger" | "mixed";

/**
 * Whether `b` lets less in than `a` ("stronger"), more ("weaker"), both in places ("mixed"), or neither ("same").
 *
 * A product of partial orders: `b` is at least as strong as `a` if it is in every aspect. Namespaces, images and
 * signatures are compared one by one, over all there can be; see {@link witnesses}. Since every aspect is a partial
 * order, the whole is one up to postures of equal strength: "weaker" one way is "stronger" the other way, and it is
 * transitive. Chart versions, timeouts, texts and replicas have no strength.
 */
export function compareStrength(a: Posture, b: Posture): Strength {
  return join(compareAspects(a, b).map(({ strength }) => strength));
}

export type Aspect = "mode" | "demand" | "failure" | "bypass" | "suspension" | "tags" | "trust" | "values" | "backstop";

export interface AspectStrength {
  readonly aspect: Aspect;
  readonly strength: Strength;
}

export function compareAspects(a: Posture, b: Posture): AspectStrength[] {
  const names = namespaceWitnesses(a, b);
  const aspect = (name: Aspect, strength: Strength): AspectStrength => ({ aspect: name, strength });
  return [
    aspect("mode", join(names.map((name) => compare(enforcementAt(a, name), enforcementAt(b, name), enforcesAtLeast)))),
    aspect("demand", join(compareDemands(a, b, names).map(({ strength }) => strength))),
    aspect("failure", join(names.map((name) => compare(failsClosed(a, name), failsClosed(b, name), atLeast)))),
    aspect("bypass", compare(a, b, bypassesAtMost)),
    aspect("suspension", compare(a, b, suspendedAtMost)),
    aspect("tags", compare(a.tags === TagHandling.Pin, b.tags === TagHandling.Pin, atLeast)),
    aspect("trust", compare(a, b, trustsAtMost)),
    aspect("values", compare(weakenings(a), weakenings(b), within)),
    aspect(
      "backstop",
      join([
        ...names.map((name) => compare(closedWithoutKyverno(a, name), closedWithoutKyverno(b, name), atLeast)),
        compare(a, b, backstopAtLeast),
      ]),
    ),
  ];
}

/** All of them together. */
export function join(parts: readonly Strength[]): Strength {
  const weaker = parts.some((part) => part === "weaker" || part === "mixed");
  const stronger = parts.some((part) => part === "stronger" || part === "mixed");
  if (weaker && stronger) return "mixed";
  return weaker ? "weaker" : stronger ? "stronger" : "same";
}

function compare<T>(a: T, b: T, isAtLeast: (x: T, y: T) => boolean): Strength {
  const up = isAtLeast(b, a);
  const down = isAtLeast(a, b);
  if (up && down) return "same";
  return up ? "stronger" : down ? "weaker" : "mixed";
}

/** One name for each way in which the policies of the two, and these patterns, tell namespaces apart. */
export function namespaceWitnesses(a: Posture, b: Posture, patterns: readonly string[] = []): Witness[] {
  const scopes = [...a.policies, ...b.policies, ...backstops(a, b)].flatMap((policy) => policy.scopes);
  return witnesses([...scopes.flatMap(({ include, exclude }) => [...include, ...exclude]), ...patterns]);
}

/** How images are judged in a namespace: not at all < audit < enforce; with a guard missing enforce is less. */
export interface Enforcement {
  readonly mode: "none" | GuardMode;
  /** Guards that should be there. Without them anybody forges a verdict or sets a bypass. */
  readonly missing: readonly PolicyRole[];
}

const RANK: Record<Enforcement["mode"], number> = { none: 0, audit: 1, enforce: 2 };

export function enforcementAt(posture: Posture, name: Witness): Enforcement {
  const modes = judgesAt(posture, name).map((policy) => policy.mode);
  const mode = modes.includes(GuardMode.Enforce) ? "enforce" : modes.length > 0 ? "audit" : "none";
  const present = (role: PolicyRole) => posture.policies.some((policy) => policy.role === role && covers(policy, name));
  const needed: PolicyRole[] = [
    ...(KYVERNO_LINES[posture.kyverno.target].trustsRequestAnnotation ? [ROLE.verdicts] : []),
    ...(posture.bypass === "off" ? [] : [ROLE.bypass]),
  ];
  return { mode, missing: mode === "enforce" ? needed.filter((role) => !present(role)) : [] };
}

function enforcesAtLeast(x: Enforcement, y: Enforcement): boolean {
  return RANK[x.mode] === RANK[y.mode] ? within(x.missing, y.missing) : RANK[x.mode] > RANK[y.mode];
}

function judgesAt(posture: Posture, name: Witness) {
  return posture.policies.filter((policy) => isJudge(policy.role) && covers(policy, name));
}

function covers(policy: { readonly scopes: readonly NamespaceScope[] }, { matches }: Witness): boolean {
  const has = (pattern: string) => matches.has(pattern);
  return policy.scopes.some(
    ({ include, exclude }) => (include.length === 0 || include.some(has)) && !exclude.some(has),
  );
}

/** What a namespace asks of images: nothing < a line in a report about images that nobody signs < signatures. */
type Asked = "nothing" | "report" | Demand;

export interface DemandStrength {
  readonly image: Witness;
  readonly strength: Strength;
}

/** For every image, in every namespace: who must have signed it. */
export function compareDemands(a: Posture, b: Posture, names: readonly Witness[]): DemandStrength[] {
  const images = witnesses(
    [a, b].flatMap(({ images, exempt }) => [...images, ...exempt].flatMap((x) => x.repositories)),
  );
  const known = new Map<string, Strength>();
  // Namespaces that both postures handle alike need to be looked at once.
  const handled = new Map(names.map((name) => [JSON.stringify([handling(a, name), handling(b, name)]), name]));
  const compareOnce = (x: Asked, y: Asked) => {
    const key = JSON.stringify([x, y]);
    const strength = known.get(key) ?? compare(x, y, asksAtLeast);
    known.set(key, strength);
    return strength;
  };
  return images.map((image) => {
    const rules = [a, b].map((posture) => demandFor(posture, image));
    const parts = [...handled.values()].map((name) =>
      compareOnce(askedAt(a, name, image, rules[0]), askedAt(b, name, image, rules[1])),
    );
    return { image, strength: join(parts) };
  });
}

function handling(posture: Posture, name: Witness) {
  const judges = judgesAt(posture, name);
  return {
    judged: judges.length > 0,
    refused: judges.some(({ uncovered }) => uncovered === UncoveredAction.Refuse),
    reported: posture.policies.some((policy) => policy.role === ROLE.uncovered && covers(policy, name)),
  };
}

function demandFor({ images }: Posture, { matches }: Witness): Demand | undefined {
  const rules = images.filter(({ repositories }) => repositories.some((repository) => matches.has(repository)));
  return rules.length > 0 ? demandOf(rules) : undefined;
}

function askedAt(posture: Posture, name: Witness, image: Witness, demand: Demand | undefined): Asked {
  const { judged, refused, reported } = handling(posture, name);
  if (judged && demand) return demand;
  const exempt = posture.exempt.some(({ repositories }) => repositories.some((pattern) => image.matches.has(pattern)));
  if (refused && !exempt) return NOBODY;
  return reported ? "report" : "nothing";
}

function asksAtLeast(x: Asked, y: Asked): boolean {
  if (typeof x === "object" && typeof y === "object") return implies(x, y);
  return typeof x === "object" || y === "nothing" || x === y;
}

/** Whether pods are refused there while Kyverno can't answer. */
export function failsClosed(posture: Posture, name: Witness): boolean {
  return posture.policies.some((policy) => policy.failurePolicy === FailurePolicy.Fail && covers(policy, name));
}

/** Whether pods are refused there while Kyverno's webhooks are gone. */
export function closedWithoutKyverno(posture: Posture, name: Witness): boolean {
  return backstops(posture).some((backstop) => covers(backstop, name));
}

function backstops(...postures: readonly Posture[]) {
  return postures.flatMap(({ backstop }) => backstop ?? []);
}

/** Fewer people write namespaced policies, and smaller pods; without a backstop anybody writes any. */
function backstopAtLeast({ backstop: x }: Posture, { backstop: y }: Posture): boolean {
  if (!x || !y) return !y;
  return (
    within(x.policyAuthors.groups, y.policyAuthors.groups) &&
    within(x.policyAuthors.users, y.policyAuthors.users) &&
    (x.maxContainers ?? Number.POSITIVE_INFINITY) <= (y.maxContainers ?? Number.POSITIVE_INFINITY)
  );
}

/** Fewer people, for a shorter time. */
function bypassesAtMost({ bypass: x }: Posture, { bypass: y }: Posture): boolean {
  if (x === "off") return true;
  return y !== "off" && within(x.groups, y.groups) && within(x.users, y.users) && x.maxHours <= y.maxHours;
}

/** Fewer policies, not as long. */
function suspendedAtMost(x: Posture, y: Posture): boolean {
  const [own, others] = [suspensionEnds(x), suspensionEnds(y)];
  return [...own].every(([role, end]) => end <= (others.get(role) ?? Number.NEGATIVE_INFINITY));
}

function suspensionEnds({ suspended }: Posture): Map<string, number> {
  const ends = new Map<string, number>();
  for (const { policy, until } of suspended) {
    const end = Date.parse(until);
    // A time that can't be read never comes.
    for (const role of policy === "all" ? POLICY_ROLES : [policy])
      ends.set(
        role,
        Math.max(ends.get(role) ?? Number.NEGATIVE_INFINITY, Number.isNaN(end) ? Number.POSITIVE_INFINITY : end),
      );
  }
  return ends;
}

/** Fewer certificates; a log rather than none. Of two different logs none is stronger. */
function trustsAtMost({ trust: x }: Posture, { trust: y }: Posture): boolean {
  return (
    within(x.fulcioCertificates, y.fulcioCertificates) &&
    (y.rekor === undefined || x.rekor?.publicKey === y.rekor.publicKey) &&
    x.ctLogPublicKey === y.ctLogPublicKey &&
    x.tuf?.mirror === y.tuf?.mirror &&
    x.tuf?.root === y.tuf?.root
  );
}

function within(x: readonly string[], y: readonly string[]): boolean {
  return x.every((item) => y.includes(item));
}

function atLeast(x: boolean, y: boolean): boolean {
  return x || !y;
}
