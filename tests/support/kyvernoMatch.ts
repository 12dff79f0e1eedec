import type { Json, Manifest } from "../../components/kubernetes/manifest";

/**
 * Kyverno 1.10.7's wildcard matcher, translated from `deepMatchRune` of IGLOU-EU/go-wildcard 1.0.3. Written apart from
 * the code under test on purpose.
 */
export function kyvernoWildcard(pattern: string, text: string): boolean {
  const key = `${pattern}\n${text}`;
  const known = decided.get(key);
  if (known !== undefined) return known;
  const result = decide(pattern, text);
  decided.set(key, result);
  return result;
}

const decided = new Map<string, boolean>();

function decide(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  const p = [...pattern];
  const t = [...text];
  const memo = new Map<string, boolean>();
  const match = (i: number, j: number): boolean => {
    const key = `${i} ${j}`;
    const known = memo.get(key);
    if (known !== undefined) return known;
    const result =
      i === p.length
        ? j === t.length
        : p[i] === "*"
          ? match(i + 1, j) || (j < t.length && match(i, j + 1))
          : j < t.length && (p[i] === "?" || p[i] === t[j]) && match(i + 1, j + 1);
    memo.set(key, result);
    return result;
  };
  return match(0, 0);
}

/** A pod that is created, one that asks for a bypass, or one that gets a debug container. */
export type PodRequest = "create" | "bypass" | "debug";

/** One entry of a rule that verifies images. */
export interface JudgingEntry {
  readonly policy: string;
  readonly rule: string;
  readonly action: string;
  readonly looksIn: (namespace: string) => boolean;
  readonly matchesImage: (image: string) => boolean;
}

/**
 * What verifies images in such requests. Entries without attestors and attestations don't: Kyverno records no verdict
 * for them (imageverifier.go, Verify).
 */
export function judgingEntries(policies: readonly Manifest[], request: PodRequest): JudgingEntry[] {
  return policies.flatMap((policy) => {
    const spec = policy.spec as Json;
    return (spec.rules as Json[])
      .filter((rule) => Array.isArray(rule.verifyImages) && !isSkipped(rule))
      .flatMap((rule) =>
        (rule.verifyImages as Json[])
          .filter((entry) => entry.attestors || entry.attestations)
          .map((entry) => ({
            policy: policy.metadata.name,
            rule: rule.name as string,
            action: spec.validationFailureAction as string,
            looksIn: (namespace: string) => appliesIn(rule, namespace, request),
            matchesImage: (image: string) =>
              (entry.imageReferences as string[]).some((pattern) => kyvernoWildcard(pattern, image)),
          })),
      );
  });
}

/** Whether a rule looks at such a request in a namespace. */
export function appliesIn(rule: Json, namespace: string, request: PodRequest = "create"): boolean {
  const takes = (block: unknown) => filters(block).some((filter) => filterTakes(filter, namespace, request));
  return takes(rule.match) && !takes(rule.exclude);
}

interface Filter {
  readonly resources: { readonly kinds?: string[]; readonly namespaces?: string[]; readonly annotations?: object };
}

function filters(block: unknown): Filter[] {
  return ((block as Json | undefined)?.any ?? []) as Filter[];
}

/** Kyverno takes the kind `Pod` for debug containers too. A pod has no annotations but those that ask for a bypass. */
function filterTakes({ resources }: Filter, namespace: string, request: PodRequest): boolean {
  const kinds = request === "debug" ? ["Pod", "Pod/ephemeralcontainers"] : ["Pod"];
  const kindFits = resources.kinds === undefined || resources.kinds.some((kind) => kinds.includes(kind));
  const keys = Object.keys(resources.annotations ?? {});
  const annotationsFit = keys.every((key) => request === "bypass" && key === "policies.kyverno.io/skip");
  return (
    kindFits && annotationsFit && (resources.namespaces ?? ["*"]).some((pattern) => kyvernoWildcard(pattern, namespace))
  );
}

/**
 * The preconditions that don't depend on the pod: two constants. All others, that is the bypass and whether it is a
 * scan, are taken as fulfilled.
 */
function isSkipped(rule: Json): boolean {
  const all = ((rule.preconditions as Json | undefined)?.all ?? []) as Json[];
  return all.some(({ key, value }) => !String(key).includes("{{") && key !== value);
}
