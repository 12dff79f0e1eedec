import type { Facts } from "./facts";
import { known } from "./facts";

/** Whether the policies were written by the engine, so that only the engine may mend them. */
export function byEngine(facts: Facts): boolean {
  const managers = (known(facts.policies) ?? []).flatMap((policy) => (policy.role ? policy.managers : []));
  return managers.length === 0 || managers.some((name) => /pulumi/i.test(name));
}

const NO_STACK = "again with --stack NAME for the command that mends it";

/** Puts back what the stack says: one kind of objects where they were applied by hand, everything where the engine did. */
export function restore(facts: Facts, file: "1-prerequisites" | "3-policies" | "4-backstop"): string {
  const { commands, stack } = facts;
  if (!stack) return `${commands.guard} doctor ${NO_STACK}`;
  if (byEngine(facts)) return `pulumi up --refresh ${commands.stackFlags}`;
  return [
    `${commands.guard} render ${commands.stackFlags} --out rendered`,
    `${commands.kubectl} apply --server-side --force-conflicts -f rendered/${file}.yaml`,
  ].join(" && ");
}

/**
 * Puts back what somebody changed in the release's objects. The engine does not see such changes, since neither its
 * chart nor its values differ; what Helm has on record is applied again, without a new revision.
 */
export function reapplyRelease(facts: Facts): string {
  const own = (known(facts.releases) ?? []).filter(({ name }) => name === facts.release);
  const [latest] = [...own].sort((a, b) => b.revision - a.revision);
  if (latest?.status !== "deployed") return restoreKyverno(facts);
  const { helm, kubectl } = facts.commands;
  return [
    `${helm} get manifest ${facts.release} --namespace ${facts.namespace}`,
    `${kubectl} apply --server-side --force-conflicts --namespace ${facts.namespace} -f -`,
  ].join(" | ");
}

/** Installs what the stack says, where it is not there or is another version. */
export function restoreKyverno(facts: Facts): string {
  const { commands, stack, namespace, release } = facts;
  if (!stack) return `${commands.guard} doctor ${NO_STACK}`;
  if (byEngine(facts)) return `pulumi up --refresh ${commands.stackFlags}`;
  const { chart, chartVersion } = stack.resolved.posture.kyverno;
  const where = chart.repository
    ? `${chart.name} --repo ${chart.repository} --version ${chartVersion}`
    : quote(chart.name);
  return [
    `${commands.guard} render ${commands.stackFlags} --out rendered`,
    `${commands.helm} upgrade --install ${release} ${where} --namespace ${namespace} --values rendered/2-kyverno-values.yaml --wait`,
  ].join(" && ");
}

export function restart(facts: Facts, deployment: string): string {
  return `${facts.commands.kubectl} -n ${facts.namespace} rollout restart deployment ${deployment}`;
}

/** A shell word. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;
}
