import { TRUST_FILES } from "../../../components/kyverno/trustFiles";
import { describeTrust } from "../../../components/posture/describeTrust";
import { type DeploymentFacts, type Facts, look, type StackFacts } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { reapplyRelease, restore } from "../fixes";

const DAYS_AHEAD = 30;

/** Without a stack nobody knows what should be trusted. */
export function trustChecks(facts: Facts): Finding[] {
  const { stack } = facts;
  if (!stack) return [];
  return [...(stack.compiled.trust ? deployed(facts, stack.compiled.trust) : []), window(facts, stack)];
}

type TrustMap = NonNullable<StackFacts["compiled"]["trust"]>;

function deployed(facts: Facts, trust: TrustMap): Finding[] {
  const { name } = trust.metadata;
  const content = look("trust.configMap", facts.trustMap, (found) => {
    const id = "trust.configMap";
    if (!found)
      return finding(
        "problem",
        id,
        `ConfigMap ${name} is missing: keyless signatures can't be verified after Kyverno's next restart`,
        restore(facts, "1-prerequisites"),
      );
    const wanted = trust.data as Record<string, string>;
    const files = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
    const differ = files.filter((file) => wanted[file] !== found[file]);
    return differ.length === 0
      ? ok(id, `ConfigMap ${name} holds what the stack trusts`)
      : finding(
          "problem",
          id,
          `ConfigMap ${name}: ${differ.join(", ")} differ from the stack`,
          restore(facts, "1-prerequisites"),
        );
  });
  if (facts.installation) return content;
  const mounts = look("trust.mounted", facts.deployments, (deployments) =>
    deployments
      .filter(({ component }) => component === "admission-controller" || component === "reports-controller")
      .map((deployment) => mounted(facts, deployment, trust)),
  );
  return [...content, ...mounts];
}

function mounted(facts: Facts, { name, configMaps, env }: DeploymentFacts, trust: TrustMap): Finding {
  const files = Object.keys(trust.data as object);
  const variables = Object.values(TRUST_FILES).filter(({ file }) => files.includes(file));
  const lacks = [
    ...(configMaps.includes(trust.metadata.name) ? [] : [`the volume of ${trust.metadata.name}`]),
    ...variables.filter(({ variable, file }) => !env[variable]?.endsWith(`/${file}`)).map(({ variable }) => variable),
  ];
  return lacks.length === 0
    ? ok("trust.mounted", `${name} uses the trust bundle`)
    : finding("problem", "trust.mounted", `${name} lacks ${lacks.join(", ")}`, reapplyRelease(facts));
}

function window(facts: Facts, { resolved }: StackFacts): Finding {
  const id = "trust.window";
  const { anchors } = describeTrust(resolved, facts.now);
  const fix = `${facts.commands.guard} trust ${facts.commands.stackFlags}`;
  const bad = anchors.filter(({ state }) => state !== "valid");
  if (bad.length > 0) {
    const list = bad.map(
      ({ use, subject, state }) => `${use} ${subject} (${state === "ended" ? "ended" : "not yet valid"})`,
    );
    return finding("problem", id, `outside its validity: ${list.join("; ")}`, fix);
  }
  const soon = anchors.filter(({ daysLeft }) => daysLeft !== undefined && daysLeft < DAYS_AHEAD);
  if (soon.length > 0)
    return finding(
      "warning",
      id,
      `ends soon: ${soon.map(({ subject, daysLeft }) => `${subject} in ${daysLeft} days`).join("; ")}`,
      fix,
    );
  return ok(
    id,
    anchors.length > 0 ? `${anchors.length} anchors, all valid` : "no anchor is needed: keys and certificates sign",
  );
}
