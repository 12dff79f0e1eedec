import type { KyvernoPlan } from "./types";

/** What weakens the policies from outside: an unsafe chart value, exceptions, what somebody else's Kyverno lacks. */
export function weakenings({ unsafeValues, exceptionsNamespace, acknowledged = [] }: KyvernoPlan): string[] {
  const exceptions = exceptionsNamespace ? [`features.policyExceptions in ${exceptionsNamespace}`] : [];
  return [...unsafeValues, ...exceptions, ...acknowledged.map(({ finding }) => `acknowledged: ${finding}`)].sort();
}
