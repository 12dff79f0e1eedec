import * as pulumi from "@pulumi/pulumi";
import { UNKNOWN_VALUE } from "./posture/pem";
import type { ProblemList } from "./problems";
import { formatKey } from "./schema";

/** Whether a value has anything in it that only `up` may know. */
export function holdsOutputs(value: unknown): boolean {
  if (isEventual(value)) return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(holdsOutputs);
}

/** Settings that may be Outputs. All others decide which resources exist, which a preview must know. */
const LATE_KEYS = ["publicKey", "certificate", "chain", "fulcioCertificates", "ctLogPublicKey", "kubeconfig", "values"];

/** The value with a marker where an Output may be, so that its shape can be checked before the Output is known. */
export function withoutOutputs(value: unknown, problems: ProblemList, path: (string | number)[] = []): unknown {
  const key = path.at(-1);
  if (isEventual(value)) {
    const inValues = path[0] === "kyverno" && path[1] === "values";
    if (!inValues && !LATE_KEYS.includes(String(key))) {
      problems.say(
        formatKey(path),
        "an Output, which only up knows",
        "a plain value",
        `pass ${formatKey(path)} as it is, or build the guard's arguments inside .apply`,
      );
    }
    // Chart values are the one block that may be an Output as a whole.
    return inValues && path.length === 2 ? {} : UNKNOWN_VALUE;
  }
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item, index) => withoutOutputs(item, problems, [...path, index]));
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, withoutOutputs(child, problems, [...path, name])]),
  );
}

function isEventual(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}
