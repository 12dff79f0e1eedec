import { backstopDrift } from "../../../components/backstop/drift";
import { type Facts, known, look } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { restore } from "../fixes";

/** What the API server refuses by itself. It shows nothing while Kyverno is well, so nobody would miss it. */
export function backstopChecks(facts: Facts): Finding[] {
  return [...deployed(facts), ...namespacedPolicies(facts)];
}

function deployed(facts: Facts): Finding[] {
  const { stack } = facts;
  if (!stack) return [];
  const wanted = stack.compiled.backstop;
  return look("backstop.present", facts.backstop, (live) => {
    const find = (one: (typeof wanted)[number]) =>
      live.find(({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name);
    const fix = restore(facts, "4-backstop");
    const missing = wanted.filter((one) => !find(one)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const drifted = wanted.flatMap((one) => {
      const found = find(one);
      const part = found && backstopDrift(one, found);
      return part ? [`${one.kind} ${one.metadata.name} (${part})`] : [];
    });
    const over = live.filter(
      (one) => !wanted.some((w) => w.kind === one.kind && w.metadata.name === one.metadata.name),
    );
    const findings = [
      ...(missing.length > 0
        ? [
            finding(
              "problem",
              "backstop.present",
              `missing: ${missing.join(", ")}: what it refuses gets in while Kyverno's webhooks are gone`,
              fix,
            ),
          ]
        : []),
      ...(drifted.length > 0
        ? [finding("problem", "backstop.drift", `changed in the cluster: ${drifted.join(", ")}`, fix)]
        : []),
      ...over.map(({ kind, metadata }) =>
        finding(
          "warning",
          "backstop.leftover",
          `${kind} ${metadata.name} is no part of the stack and may refuse what the stack admits`,
          `${facts.commands.kubectl} delete ${kind.toLowerCase()} ${metadata.name}`,
        ),
      ),
    ];
    if (findings.length > 0) return findings;
    return wanted.length > 0
      ? ok("backstop.present", `${wanted.length} objects as the stack wants them`)
      : finding("note", "backstop.present", "the stack has none: the API server itself refuses nothing");
  });
}

/** Written before the backstop, they still run with Kyverno's rights. */
function namespacedPolicies(facts: Facts): Finding[] {
  const names = (known(facts.policies) ?? []).filter(({ kind }) => kind === "Policy").map(({ name }) => name);
  if (names.length === 0) return [];
  const fix = `${facts.commands.kubectl} get policies.kyverno.io -A -o yaml`;
  return [
    finding(
      "warning",
      "backstop.policies",
      `namespaced policies run with Kyverno's own rights: ${names.join(", ")}`,
      fix,
    ),
  ];
}
