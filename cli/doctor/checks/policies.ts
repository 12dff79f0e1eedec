import { policiesOf } from "../../../components/compile";
import { policyDrift } from "../../../components/policies/drift";
import { KYVERNO_LINES } from "../../../components/posture/kyvernoLines";
import { type Facts, look, type PolicyObject } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { restart, restore, restoreKyverno } from "../fixes";

export function policyChecks(facts: Facts): Finding[] {
  const crds = look("policies.crds", facts.crds, (names) => {
    const wanted = ["clusterpolicies.kyverno.io", "policies.kyverno.io", "policyreports.wgpolicyk8s.io"];
    const missing = wanted.filter((name) => !names.includes(name));
    return missing.length === 0
      ? ok("policies.crds", `${names.length} kinds of Kyverno's`)
      : finding("problem", "policies.crds", `the cluster does not know ${missing.join(", ")}`, restoreKyverno(facts));
  });
  return [
    ...crds,
    ...look("policies.present", facts.policies, (policies) => [
      ...present(facts, policies),
      ...policies.filter(({ role }) => role).map((policy) => ready(facts, policy)),
      ...drifts(facts, policies),
      ...others(facts, policies),
    ]),
  ];
}

function present(facts: Facts, policies: readonly PolicyObject[]): Finding[] {
  const id = "policies.present";
  const own = policies.filter(({ role }) => role);
  if (!facts.stack)
    return [
      own.length > 0
        ? ok(id, own.map(({ name }) => name).join(", "))
        : finding(
            "problem",
            id,
            "none of the guard's policies is there: nothing is checked",
            restore(facts, "3-policies"),
          ),
    ];
  const wanted = policiesOf(facts.stack.compiled).map(({ metadata }) => metadata.name);
  const missing = wanted.filter((name) => !policies.some((policy) => policy.name === name));
  const extra = own.filter(({ name }) => !wanted.includes(name)).map(({ name }) => name);
  return [
    missing.length === 0
      ? ok(id, wanted.join(", "))
      : finding(
          "problem",
          id,
          `the stack has ${missing.join(", ")}, the cluster does not`,
          restore(facts, "3-policies"),
        ),
    ...(extra.length > 0
      ? [
          finding(
            "problem",
            "policies.leftover",
            `the cluster has ${extra.join(", ")}, which this stack does not: two policies for one image corrupt each other's verdict`,
            `${facts.commands.kubectl} delete clusterpolicy ${extra.join(" ")}`,
          ),
        ]
      : []),
  ];
}

function ready(facts: Facts, { name, ready: isReady, readyMessage }: PolicyObject): Finding {
  if (isReady) return ok("policies.ready", `${name} is Ready`);
  const evidence = `${name} is not Ready${readyMessage ? `: ${readyMessage}` : ""}`;
  return finding("problem", "policies.ready", evidence, restart(facts, `${facts.release}-admission-controller`));
}

function drifts(facts: Facts, policies: readonly PolicyObject[]): Finding[] {
  const { stack } = facts;
  if (!stack) return [];
  const { addedToPolicies } = KYVERNO_LINES[stack.resolved.posture.kyverno.target];
  return policiesOf(stack.compiled).flatMap((wanted) => {
    const found = policies.find(({ name }) => name === wanted.metadata.name);
    if (!found) return [];
    const places = policyDrift(wanted, found.spec, addedToPolicies);
    if (places.length === 0) return [ok("policies.drift", `${found.name} says what the stack says`)];
    const shown = places.slice(0, 3).join("; ");
    const more = places.length > 3 ? `; and ${places.length - 3} more places` : "";
    return [
      finding("problem", "policies.drift", `${found.name} was changed: ${shown}${more}`, restore(facts, "3-policies")),
    ];
  });
}

/** 1.10 keeps one verdict for an image and shares it among all policies. */
function others(facts: Facts, policies: readonly PolicyObject[]): Finding[] {
  const named = new Set((facts.stack ? policiesOf(facts.stack.compiled) : []).map(({ metadata }) => metadata.name));
  const foreign = policies.filter(
    ({ role, name, spec }) => !role && !named.has(name) && JSON.stringify(spec).includes('"verifyImages"'),
  );
  return foreign.map(({ kind, name }) =>
    finding(
      "warning",
      "policies.foreign",
      `${kind} ${name} verifies images too: where it and the guard's judge the same image, one's verdict counts for the other`,
      `${facts.commands.kubectl} get ${kind.toLowerCase()} ${name.includes("/") ? `-n ${name.replace("/", " ")}` : name} -o yaml`,
    ),
  );
}
