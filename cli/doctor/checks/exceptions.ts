import { flagValue } from "../../../components/kyverno/flags";
import { type DeploymentFacts, type Facts, known, look } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { reapplyRelease } from "../fixes";

/** PolicyExceptions are Kyverno's own way around every policy; off unless the stack allows a namespace. */
export function exceptionChecks(facts: Facts): Finding[] {
  const enabled = look("exceptions.enabled", facts.deployments, (deployments) =>
    deployments
      .filter(({ component }) => component !== "cleanup-controller")
      .map((deployment) => enabledIn(facts, deployment)),
  );
  const objects = look("exceptions.objects", facts.exceptions, (found) => {
    if (!found) return ok("exceptions.objects", "the cluster does not know PolicyExceptions");
    if (found.length === 0) return ok("exceptions.objects", "there is none");
    const live = (known(facts.deployments) ?? []).some(
      ({ args }) => flagValue(args, "enablePolicyException") === "true",
    );
    return found.map(({ name, policies }) => {
      const [namespace, own] = name.split("/");
      return finding(
        live ? "warning" : "note",
        "exceptions.objects",
        `PolicyException ${name} excepts ${policies.join(", ") || "nothing"}${live ? "" : " (exceptions are off, so it counts for nothing)"}`,
        `${facts.commands.kubectl} -n ${namespace} delete policyexception ${own}`,
      );
    });
  });
  return [...enabled, ...objects];
}

function enabledIn(facts: Facts, { name, args }: DeploymentFacts): Finding {
  const id = "exceptions.enabled";
  const isOn = flagValue(args, "enablePolicyException") === "true";
  const namespace = flagValue(args, "exceptionNamespace") || "every namespace";
  const wanted = facts.stack?.resolved.posture.kyverno.exceptionsNamespace;
  if (!isOn) return ok(id, `${name}: off`);
  const evidence = `${name}: PolicyExceptions of ${namespace} count`;
  if (wanted && wanted === namespace) return finding("note", id, `${evidence}, as the stack says`);
  return finding(
    "problem",
    id,
    `${evidence}, ${facts.stack ? "and the stack does not say so" : "whoever may write one there gets around every policy"}`,
    reapplyRelease(facts),
  );
}
