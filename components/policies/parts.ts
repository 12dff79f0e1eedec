import { GuardInputError } from "../problems";
import type { ClusterPolicy, Rule } from "./clusterPolicy";
import { partName } from "./names";

/**
 * Bytes of JSON. Kyverno writes a policy back with its status, and what the API server's store takes in one request is
 * three times this; a policy of the guard stays well below, also with what clients add to it.
 */
export const LARGEST_POLICY = 480_000;

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The policy as it is, or as several that have its rules in their order and are each small enough. */
export function inParts(policy: ClusterPolicy): ClusterPolicy[] {
  const frame = bytes({ ...policy, spec: { ...policy.spec, rules: [] } });
  const parts: Rule[][] = [[]];
  let size = frame;
  for (const rule of policy.spec.rules) {
    const own = bytes(rule) + 1;
    if (frame + own > LARGEST_POLICY) throw tooLarge(policy, rule, frame + own);
    if (size + own > LARGEST_POLICY) {
      parts.push([]);
      size = frame;
    }
    parts.at(-1)!.push(rule);
    size += own;
  }
  return parts.map((rules, index) => ({
    ...policy,
    metadata: { ...policy.metadata, name: partName(policy.metadata.name, index + 1) },
    spec: { ...policy.spec, rules },
  }));
}

function tooLarge({ metadata }: ClusterPolicy, { name }: Rule, size: number): GuardInputError {
  return new GuardInputError([
    {
      key: "images",
      found: `so much that rule ${name} of ${metadata.name} alone takes ${size} bytes`,
      allowed: `rules of at most ${LARGEST_POLICY} bytes, since Kyverno could not store the policy`,
      fix: "join repositories by wildcards, or give the entry fewer signers or trust anchors",
    },
  ]);
}
