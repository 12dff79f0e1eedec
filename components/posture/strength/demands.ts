import type { Attestation, ImageRule, Signer } from "../types";
import { TooManyCases, witnesses } from "./witnesses";

/** Conditions on the fields of a signature, all of which must hold; a field that is not named may be anything. */
interface Identity {
  /** Signatures of different kinds never stand for each other. */
  readonly kind: string;
  readonly globs: Readonly<Record<string, string>>;
  readonly exact: Readonly<Record<string, string>>;
}

interface Clause {
  readonly signers: readonly Identity[];
  readonly threshold: number;
}

/** What an image must have: every clause fulfilled. Which signatures an image has is what a demand is asked about. */
export interface Demand {
  readonly clauses: readonly Clause[];
  /** Equal for equal demands. */
  readonly key: string;
}

/** Met by no image. */
export const NOBODY: Demand = toDemand([{ signers: [], threshold: 1 }]);

/** Several rules can only be one where a posture was not made by us; Kyverno asks for all of them. */
export function demandOf(rules: readonly ImageRule[]): Demand {
  return toDemand(
    rules.flatMap((rule) => [clauseOf(rule), ...rule.attestations.map((one) => attestationClause(one, rule.format))]),
  );
}

function toDemand(clauses: readonly Clause[]): Demand {
  return { clauses, key: JSON.stringify(clauses) };
}

/** A signature of one format is none of another. */
function stored(what: string, format: ImageRule["format"]): string {
  return format === undefined ? what : `${format} ${what}`;
}

function clauseOf({ signers, threshold, format }: ImageRule): Clause {
  return { signers: signers.map((signer) => identity(signer, stored("image", format), [])), threshold };
}

function attestationClause(
  { signers, threshold, predicateType, conditions }: Attestation,
  format: ImageRule["format"],
): Clause {
  const wanted = conditions.map((condition) => JSON.stringify(sortKeys(condition)));
  return {
    signers: signers.map((signer) => identity(signer, stored(`statement ${predicateType}`, format), wanted)),
    threshold,
  };
}

function identity(signer: Signer, about: string, conditions: readonly string[]): Identity {
  // A statement that fulfils more conditions than asked for is as good.
  const exact = Object.fromEntries(conditions.map((condition) => [`condition ${condition}`, "holds"]));
  const kind = `${about} ${signer.kind}`;
  switch (signer.kind) {
    case "keyless": {
      const { issuer, subject, claims, roots } = signer;
      // Kyverno takes an empty issuer or subject for any.
      const globs = { ...(issuer ? { issuer } : {}), ...(subject ? { subject } : {}) };
      const named = Object.entries(claims).map(([claim, value]) => [`claim ${claim}`, value]);
      // Whose certificates count: two authorities never stand for each other.
      const authority = roots ? JSON.stringify(roots) : "the stack's";
      return { kind, globs: { ...globs, ...Object.fromEntries(named) }, exact: { ...exact, authority } };
    }
    case "key": {
      const { publicKey, kms, secretName, signatureAlgorithm } = signer;
      const key = JSON.stringify([publicKey ?? "", kms ?? "", secretName ?? "", signatureAlgorithm]);
      return { kind, globs: {}, exact: { ...exact, key } };
    }
    case "certificate": {
      const { certificate, chain } = signer;
      return {
        kind,
        globs: {},
        exact: { ...exact, ...(certificate ? { certificate } : {}), ...(chain ? { chain } : {}) },
      };
    }
  }
}

/**
 * Whether every image that meets `stronger` also meets `weaker`, whatever signatures images may have.
 *
 * Looks for an image that meets one and misses the other. To miss a clause that asks for n of its signers, an image
 * is allowed n-1 of them and none of the rest; having more signatures never hurts the other side, so it is enough to
 * give it every signature that is then still allowed.
 */
export function implies(stronger: Demand, weaker: Demand): boolean {
  if (stronger.key === weaker.key) return true;
  const clauses = [...weaker.clauses, ...stronger.clauses];
  const starts = clauses.map((_, index) =>
    clauses.slice(0, index).reduce((sum, { signers }) => sum + signers.length, 0),
  );
  const bitsOf = (index: number) =>
    clauses[index]!.signers.map((_, position) => 1n << BigInt(starts[index]! + position));
  const signatures = possibleSignatures(clauses.flatMap(({ signers }) => signers));
  const meets = (has: bigint, index: number) =>
    bitsOf(index).filter((bit) => (has & bit) !== 0n).length >= clauses[index]!.threshold;
  return weaker.clauses.every(({ threshold }, missed) => {
    if (threshold <= 0) return true;
    return subsets(bitsOf(missed), threshold - 1).every((forbidden) => {
      const has = signatures.filter((signature) => (signature & forbidden) === 0n).reduce((all, one) => all | one, 0n);
      return !stronger.clauses.every((_, index) => meets(has, weaker.clauses.length + index));
    });
  });
}

const MOST_CASES = 50_000;

/** For every choice of `kept` bits: the other bits. */
function subsets(bits: readonly bigint[], kept: number): bigint[] {
  let partial: { rest: bigint; kept: number }[] = [{ rest: 0n, kept: 0 }];
  bits.forEach((bit, index) => {
    partial = partial.flatMap((choice) => [
      ...(choice.kept < kept ? [{ ...choice, kept: choice.kept + 1 }] : []),
      // Dropping one is only a choice while enough bits are left to keep.
      ...(choice.kept + bits.length - index - 1 >= Math.min(kept, bits.length)
        ? [{ ...choice, rest: choice.rest | bit }]
        : []),
    ]);
    if (partial.length > MOST_CASES) throw new TooManyCases("a threshold over too many signers");
  });
  return partial.map(({ rest }) => rest);
}

/** Every set of signers for whom one signature can count, as bits in the order of the list. */
function possibleSignatures(signers: readonly Identity[]): bigint[] {
  const kinds = [...new Set(signers.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const own = signers
      .map((signer, index) => ({ signer, bit: 1n << BigInt(index) }))
      .filter(({ signer }) => signer.kind === kind);
    let sets = new Set([own.reduce((all, { bit }) => all | bit, 0n)]);
    const meet = (choices: readonly bigint[]) => {
      sets = new Set([...sets].flatMap((set) => choices.map((choice) => set & choice)));
      if (sets.size > MOST_CASES) throw new TooManyCases("signers whose wildcards overlap in too many ways");
    };
    const bits = (matches: (signer: Identity) => boolean) =>
      own.filter(({ signer }) => matches(signer)).reduce((all, { bit }) => all | bit, 0n);
    // Fields are independent of each other, so every combination of their values can occur.
    for (const field of new Set(own.flatMap(({ signer }) => Object.keys(signer.globs)))) {
      const patterns = own.flatMap(({ signer }) => signer.globs[field] ?? []);
      meet(
        witnesses(patterns).map(({ matches }) =>
          bits(({ globs }) => globs[field] === undefined || matches.has(globs[field])),
        ),
      );
    }
    for (const field of new Set(own.flatMap(({ signer }) => Object.keys(signer.exact)))) {
      const values = [undefined, ...new Set(own.flatMap(({ signer }) => signer.exact[field] ?? []))];
      meet(values.map((value) => bits(({ exact }) => exact[field] === undefined || exact[field] === value)));
    }
    return [...sets];
  });
}

function sortKeys(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]) => [key, sortKeys(child)]),
  );
}
