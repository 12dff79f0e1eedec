import { policiesOf } from "../../../components/compile";
import type { Manifest } from "../../../components/kubernetes/manifest";
import { CLUSTER_POLICIES, POLICIES, POLICY_REPORTS, type Resource } from "../../../components/kubernetes/resources";
import { policyDrift } from "../../../components/policies/drift";
import { policyKind } from "../../../components/policies/kinds";
import { KYVERNO_LINES } from "../../../components/posture/kyvernoLines";
import { type Facts, look, type PolicyObject } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { restart, restore, restoreKyverno } from "../fixes";

export function policyChecks(facts: Facts): Finding[] {
  const crds = look("policies.crds", facts.crds, (names) => {
    const kinds = facts.stack ? policiesOf(facts.stack.compiled).map(policyKind) : [CLUSTER_POLICIES];
    const wanted = [...new Set([...kinds, POLICIES, POLICY_REPORTS].map(resourceNameOf))];
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
  const wanted = policiesOf(facts.stack.compiled);
  const missing = wanted.filter((one) => !findPolicy(policies, one)).map(({ metadata }) => metadata.name);
  const extra = own.filter(({ kind, name }) => !wanted.some((w) => w.kind === kind && w.metadata.name === name));
  return [
    missing.length === 0
      ? ok(id, [...new Set(wanted.map(({ metadata }) => metadata.name))].join(", "))
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
            `the cluster has ${extra.map(({ name }) => name).join(", ")}, which this stack does not: two policies for one image corrupt each other's verdict`,
            [...new Set(extra.map(({ kind }) => kind))]
              .map((kind) => {
                const names = extra.filter((one) => one.kind === kind).map(({ name }) => name);
                return `${facts.commands.kubectl} delete ${kind.toLowerCase()} ${names.join(" ")}`;
              })
              .join(" && "),
          ),
        ]
      : []),
  ];
}

function findPolicy(policies: readonly PolicyObject[], { kind, metadata }: Manifest): PolicyObject | undefined {
  return policies.find((policy) => policy.kind === kind && policy.name === metadata.name);
}

/** A definition's name. */
const resourceNameOf = ({ plural, group }: Resource) => `${plural}.${group}`;

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
    const found = findPolicy(policies, wanted);
    if (!found) return [];
    const places = policyDrift(wanted, found.spec, addedToPolicies);
    if (places.length === 0) return [ok("policies.drift", `${found.name} says what the stack says`)];
    const shown = places.slice(0, 3).join("; ");
    const more = places.length > 3 ? `; and ${places.length - 3} more places` : "";
    return [finding("problem", "policies.drift", `${found.name} was changed: ${shown}${more}`, putBack(facts, wanted))];
  });
}

/** What somebody adds to a list of the newer kinds stays theirs when the policy is applied again. */
function putBack(facts: Facts, policy: Manifest): string {
  const again = restore(facts, "3-policies");
  if (policyKind(policy) === CLUSTER_POLICIES) return again;
  return `${facts.commands.kubectl} delete ${policy.kind.toLowerCase()} ${policy.metadata.name} && ${again}`;
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
