import { isDeepStrictEqual } from "node:util";
import { ROLE } from "../../policies/names";
import { shortFingerprint } from "../signers";
import {
  type Aspect,
  closedWithoutKyverno,
  compareAspects,
  compareDemands,
  type DemandStrength,
  enforcementAt,
  failsClosed,
  join,
  namespaceWitnesses,
  type Strength,
} from "../strength/strength";
import type { Witness } from "../strength/witnesses";
import type { PolicyPlan, Posture } from "../types";
import { weakenings } from "../weakenings";
import { labelList, NamespaceNames } from "./names";
import { neutralChanges } from "./neutral";
import { type Change, inOrder } from "./result";
import { listChanges, ruleChanges, signerText } from "./signers";
import { list, type Part, parts } from "./words";

/** Everything that differs, the weakening first. */
export function describeChanges(a: Posture, b: Posture): Change[] {
  const aspects = new Map(compareAspects(a, b).map(({ aspect, strength }) => [aspect, strength]));
  const of = (aspect: Aspect) => toLine(aspects.get(aspect)!);
  const names = new NamespaceNames(a, b);
  const witnesses = namespaceWitnesses(a, b, names.all);
  const lines: Change[] = [
    ...modeChanges(a, b, names, witnesses),
    ...failureChanges(a, b, names, witnesses),
    ...demandChanges(a, b, compareDemands(a, b, witnesses)),
    ...bypassChanges(a, b).map((text) => ({ about: "bypass", strength: of("bypass"), text })),
    ...suspensionChanges(a, b).map((text) => ({ about: "suspension", strength: of("suspension"), text })),
    ...trustChanges(a, b).map((text) => ({ about: "trust", strength: of("trust"), text })),
    ...(a.tags === b.tags ? [] : [{ about: "tags", strength: of("tags"), text: parts`${a.tags} → ${b.tags}` }]),
    ...listChanges("values", weakenings(a), weakenings(b)).map((text) => ({
      about: "unsafe chart values",
      strength: of("values"),
      text,
    })),
    ...backstopChanges(a, b, names, witnesses, of("backstop")),
  ];
  const neutral = neutralChanges(a, b);
  // Never a verdict without a line that bears it, nor a difference that nobody mentions.
  const unexplained = [...aspects].filter(
    ([aspect, strength]) => strength !== "same" && !explains(lines, strength, aspect),
  );
  const rest = unexplained.map(
    ([aspect, strength]): Change => ({
      about: aspect === "demand" ? "who must sign" : aspect,
      strength: toLine(strength),
      text: ["differs in some namespaces"],
    }),
  );
  const all = [...lines, ...rest, ...neutral];
  if (all.length === 0 && !isDeepStrictEqual(a, b))
    all.push({ about: "wording", strength: "none", text: ["names, reasons or the order of entries differ"] });
  return inOrder(all);
}

const ABOUT: Record<Aspect, readonly string[]> = {
  mode: ["mode", "guards"],
  // A namespace that is judged in another way asks for other signatures, which needs no line of its own.
  demand: ["images", "uncovered images", "exempt images", "mode"],
  failure: ["while Kyverno is down"],
  bypass: ["bypass"],
  suspension: ["suspension"],
  tags: ["tags"],
  trust: ["trust"],
  values: ["unsafe chart values"],
  backstop: ["backstop"],
};

function explains(lines: readonly Change[], strength: Strength, aspect: Aspect): boolean {
  const own = lines.filter(({ about }) => ABOUT[aspect].some((name) => about.startsWith(name)));
  const wanted = strength === "mixed" ? ["weaker", "stronger"] : [strength];
  return wanted.every((word) => own.some((line) => line.strength === word || line.strength === "mixed"));
}

function toLine(strength: Strength): Change["strength"] {
  return strength === "same" ? "none" : strength;
}

function modeChanges(a: Posture, b: Posture, names: NamespaceNames, witnesses: readonly Witness[]): Change[] {
  const word = (posture: Posture, name: Witness) => {
    const { mode } = enforcementAt(posture, name);
    return mode === "none" ? "not checked" : mode;
  };
  const modes = ["not checked", "audit", "enforce"];
  const changed = names.groupBy(witnesses, (name) => transition(word(a, name), word(b, name)));
  const guards = names.groupBy(witnesses, (name) => {
    const [before, after] = [enforcementAt(a, name), enforcementAt(b, name)];
    if (before.mode !== "enforce" || after.mode !== "enforce") return undefined;
    return transition(before.missing.join(" and ") || "none", after.missing.join(" and ") || "none");
  });
  return [
    ...[...changed].map(([said, labels]): Change => {
      const [before, after] = said.split(ARROW).map((mode) => modes.indexOf(mode));
      return {
        about: "mode",
        strength: after! > before! ? "stronger" : "weaker",
        text: [`${said} in `, ...labelList(labels)],
      };
    }),
    ...[...guards].map(([said, labels]): Change => {
      const [before, after] = said.split(ARROW).map((missing) => (missing === "none" ? [] : missing.split(" and ")));
      const more = after!.some((role) => !before!.includes(role));
      const fewer = before!.some((role) => !after!.includes(role));
      const strength = more && fewer ? "mixed" : more ? "weaker" : "stronger";
      return { about: "guards that are missing", strength, text: [`${said} in `, ...labelList(labels)] };
    }),
  ];
}

const ARROW = " → ";

function transition(before: string, after: string): string | undefined {
  return before === after ? undefined : `${before}${ARROW}${after}`;
}

/** Where pods were refused in such a time and are let through now, or the other way round. */
function closedness(
  about: string,
  isClosed: (posture: Posture, name: Witness) => boolean,
  a: Posture,
  b: Posture,
  names: NamespaceNames,
  witnesses: readonly Witness[],
): Change[] {
  const word = (posture: Posture, name: Witness) => (isClosed(posture, name) ? "refused" : "let through");
  const changed = names.groupBy(witnesses, (name) => transition(word(a, name), word(b, name)));
  return [...changed].map(
    ([said, labels]): Change => ({
      about,
      strength: said.endsWith("refused") ? "stronger" : "weaker",
      text: [`${said} in `, ...labelList(labels)],
    }),
  );
}

function failureChanges(a: Posture, b: Posture, names: NamespaceNames, witnesses: readonly Witness[]): Change[] {
  const changed = closedness("while Kyverno is down", failsClosed, a, b, names, witnesses);
  const named = (policies: readonly PolicyPlan[]) =>
    new Map(policies.map((policy) => [policy.name, policy.failurePolicy]));
  const [before, after] = [named(a.policies), named(b.policies)];
  const policies = [...after].filter(([name, policy]) => before.has(name) && before.get(name) !== policy);
  return [
    ...changed,
    ...(policies.length > 0 && changed.length > 0
      ? [
          {
            about: "failurePolicy",
            strength: "none" as const,
            text: list(policies.map(([name, policy]) => `${name}: ${before.get(name)} → ${policy}`)),
          },
        ]
      : []),
  ];
}

function demandChanges(a: Posture, b: Posture, demands: readonly DemandStrength[]): Change[] {
  const strengthOf = (repositories: readonly string[]): Change["strength"] => {
    const own = demands.filter(({ image }) => repositories.some((pattern) => image.matches.has(pattern)));
    return toLine(joined(own));
  };
  const names = [...new Set([...a.images, ...b.images].map(({ name }) => name))].sort();
  const images = names.flatMap((name): Change[] => {
    const before = a.images.find((rule) => rule.name === name);
    const after = b.images.find((rule) => rule.name === name);
    const strength = strengthOf([...(before?.repositories ?? []), ...(after?.repositories ?? [])]);
    const texts: Part[][] =
      before && after
        ? ruleChanges(before, after)
        : [
            parts`${after ? "added" : "removed"}: ${list((after ?? before)!.repositories)}, ${(after ?? before)!.threshold} of ${list((after ?? before)!.signers.map(signerText))}`,
          ];
    return texts.map((text) => ({ about: "images", strength, text: [{ value: name }, " ", ...text] }));
  });
  const exempt = ({ exempt }: Posture) => exempt.flatMap(({ repositories }) => repositories);
  const exemptions = listChanges("repositories", exempt(a), exempt(b)).map(
    (text): Change => ({ about: "exempt images", strength: strengthOf([...exempt(a), ...exempt(b)]), text }),
  );
  const covered = new Set(
    [...a.images, ...b.images].flatMap(({ repositories }) => repositories).concat(exempt(a), exempt(b)),
  );
  const uncovered = demands.filter(({ image }) => ![...image.matches].some((pattern) => covered.has(pattern)));
  const strength = toLine(joined(uncovered));
  return [
    ...images,
    ...exemptions,
    ...uncoveredTexts(a, b).map((text): Change => ({ about: "uncovered images", strength, text })),
  ];
}

function joined(demands: readonly DemandStrength[]): Strength {
  return join(demands.map(({ strength }) => strength));
}

const UNCOVERED_IN = { [ROLE.production]: "production", [ROLE.applications]: "applications" } as const;

function uncoveredTexts(a: Posture, b: Posture): Part[][] {
  return Object.entries(UNCOVERED_IN).flatMap(([role, where]) => {
    const word = (posture: Posture) =>
      [...new Set(posture.policies.filter((policy) => policy.role === role).map(({ uncovered }) => uncovered))]
        .sort()
        .join(", ");
    const [before, after] = [word(a), word(b)];
    return before === "" || after === "" || before === after ? [] : [parts`${before} → ${after} in ${where}`];
  });
}

function bypassChanges({ bypass: a }: Posture, { bypass: b }: Posture): Part[][] {
  const who = (bypass: Exclude<typeof a, "off">) =>
    parts`${list([...bypass.groups, ...bypass.users])}, at most ${bypass.maxHours} hours`;
  if (a === "off") return b === "off" ? [] : [["off → ", ...who(b)]];
  if (b === "off") return [[...who(a), " → off"]];
  return [
    ...listChanges("groups", a.groups, b.groups),
    ...listChanges("users", a.users, b.users),
    ...(a.maxHours === b.maxHours ? [] : [parts`at most ${a.maxHours} → ${b.maxHours} hours`]),
  ];
}

function backstopChanges(
  a: Posture,
  b: Posture,
  names: NamespaceNames,
  witnesses: readonly Witness[],
  strength: Change["strength"],
): Change[] {
  const authors = ({ backstop }: Posture) =>
    backstop ? [...backstop.policyAuthors.groups, ...backstop.policyAuthors.users].join(", ") || "nobody" : "anybody";
  const largest = ({ backstop }: Posture) => String(backstop?.maxContainers ?? "no limit");
  const other = (what: string, before: string, after: string): Change[] =>
    before === after ? [] : [{ about: "backstop", strength, text: parts`${[what]}: ${before} → ${after}` }];
  return [
    ...closedness("backstop while Kyverno's webhooks are gone", closedWithoutKyverno, a, b, names, witnesses),
    ...other("namespaced policies are written by", authors(a), authors(b)),
    ...other("containers of a pod", largest(a), largest(b)),
  ];
}

function suspensionChanges(a: Posture, b: Posture): Part[][] {
  const key = ({ policy, until }: Posture["suspended"][number]) => `${policy} until ${until}`;
  const fresh = b.suspended.filter((one) => !a.suspended.some((other) => key(other) === key(one)));
  const ended = a.suspended.filter((one) => !b.suspended.some((other) => key(other) === key(one)));
  return [
    ...fresh.map((one) => parts`${key(one)}: ${one.reason}`),
    ...ended.map((one) => parts`${key(one)} is removed`),
  ];
}

function trustChanges({ trust: a }: Posture, { trust: b }: Posture): Part[][] {
  const tuf = (trust: Posture["trust"]) =>
    trust.tuf ? `${trust.tuf.mirror} (${shortFingerprint(trust.tuf.root)})` : "the public instance";
  const short = (id: string | undefined) => (id === undefined ? "none" : shortFingerprint(id));
  return [
    ...listChanges(
      "certificates",
      a.fulcioCertificates.map(shortFingerprint),
      b.fulcioCertificates.map(shortFingerprint),
    ),
    ...(a.rekor?.publicKey === b.rekor?.publicKey
      ? []
      : [parts`transparency log key ${short(a.rekor?.publicKey)} → ${short(b.rekor?.publicKey)}`]),
    ...(a.ctLogPublicKey === b.ctLogPublicKey
      ? []
      : [parts`certificate log key ${short(a.ctLogPublicKey)} → ${short(b.ctLogPublicKey)}`]),
    ...(tuf(a) === tuf(b) ? [] : [parts`anchors of bundles by ${tuf(a)} → ${tuf(b)}`]),
  ];
}
