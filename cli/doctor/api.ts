import { ClusterError, missingRight, type Right } from "../../components/kubernetes/errors";
import type { Asked } from "./facts";
import { quote } from "./fixes";

/** An answer, or why there is none: the right that lacks and the command that gives it. */
export async function ask<T>(question: () => Promise<T>, kubectl: string): Promise<Asked<T>> {
  try {
    return { known: await question() };
  } catch (error) {
    return reason(error as Error, kubectl);
  }
}

function reason(error: Error, kubectl: string): { unknown: string; fix?: string } {
  const { why, said } = error instanceof ClusterError ? error : { why: undefined, said: "" };
  if (why === "unauthorized") return { unknown: error.message, fix: `${kubectl} auth whoami` };
  const right = why === "forbidden" ? missingRight(said) : undefined;
  return right ? { unknown: describeRight(right), fix: grant(right, kubectl) } : { unknown: error.message };
}

function describeRight({ user, verb, resource, namespace }: Right): string {
  return `${user} lacks the right to ${verb} ${resource} ${namespace ? `in namespace ${namespace}` : "in the whole cluster"}`;
}

/** For somebody who may give rights. */
function grant({ user, verb, resource, namespace }: Right, kubectl: string): string {
  const name = `image-signing-guard-doctor-${verb}-${resource}`.toLowerCase().replace(/[^a-z0-9.-]/g, "-");
  const kind = namespace ? "role" : "clusterrole";
  const place = namespace ? ` -n ${namespace}` : "";
  return [
    `${kubectl} create ${kind} ${name}${place} --verb=${verb} --resource=${resource}`,
    `${kubectl} create ${kind}binding ${name}${place} --${kind}=${name} --user=${quote(user)} # as somebody who may give rights`,
  ].join(" && ");
}
