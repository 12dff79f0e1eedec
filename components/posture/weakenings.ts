import type { Posture } from "./types";

/**
 * What weakens the policies from outside: an unsafe chart value, exceptions, what somebody else's Kyverno lacks, and a form of
 * policies in which more counts as a signature.
 */
export function weakenings({ kyverno, images }: Pick<Posture, "kyverno" | "images">): string[] {
  const { unsafeValues, exceptionsNamespace, acknowledged = [], policies } = kyverno;
  const exceptions = exceptionsNamespace ? [`features.policyExceptions in ${exceptionsNamespace}`] : [];
  const tagged = policies ? images.filter(({ format }) => format === undefined) : [];
  return [
    ...unsafeValues,
    ...exceptions,
    ...acknowledged.map(({ finding }) => `acknowledged: ${finding}`),
    ...tagged.map(({ name }) => `any statement in a bundle counts as a signature of ${name} (kyverno.policies)`),
  ].sort();
}
