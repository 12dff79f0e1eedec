import type { KyvernoPlan } from "./types";

/** What weakens the policies from outside: exceptions do so just as an unsafe chart value does. */
export function weakenings({ unsafeValues, exceptionsNamespace }: KyvernoPlan): string[] {
  const exceptions = exceptionsNamespace ? [`features.policyExceptions in ${exceptionsNamespace}`] : [];
  return [...unsafeValues, ...exceptions].sort();
}
