import { EXCLUSIONS, exclusionsOf, filtersOf } from "../../../components/kyverno/settingsMap";
import { type Facts, look } from "../facts";
import { type Finding, finding, ok } from "../finding";
import { reapplyRelease } from "../fixes";

/** What Kyverno's ConfigMap keeps every policy from seeing. */
export function filterChecks(facts: Facts): Finding[] {
  return look("filters.resources", facts.config, (data) => {
    if (!data)
      return finding(
        "problem",
        "filters.resources",
        `Kyverno's ConfigMap ${facts.release} is missing in namespace ${facts.namespace}`,
        reapplyRelease(facts),
      );
    return [resources(facts, data), people(facts, data)];
  });
}

function resources(facts: Facts, data: Record<string, string>): Finding {
  const id = "filters.resources";
  const found = filtersOf(data.resourceFilters ?? "");
  const config = (facts.stack?.compiled.chartValues as { config?: { resourceFilters?: string[] } } | undefined)?.config;
  if (!config?.resourceFilters) return ok(id, `${found.length} filters`);
  const wanted = [...filtersOf(config.resourceFilters.join("")), `[*/*,${facts.namespace},*]`];
  const more = found.filter((filter) => !wanted.includes(filter));
  if (more.length === 0) return ok(id, `${found.length} filters, all of them the stack's`);
  const evidence = `the stack does not have ${more.join(" ")}: no policy sees such objects`;
  return finding("problem", id, evidence, reapplyRelease(facts));
}

function people(facts: Facts, data: Record<string, string>): Finding {
  const id = "filters.people";
  const config = (facts.stack?.compiled.chartValues as { config?: Record<string, string[]> } | undefined)?.config ?? {};
  const keys = EXCLUSIONS.filter((key) => data[key] !== undefined);
  const extra = exclusionsOf(data)
    .filter(({ key, name }) => !(config[key] ?? []).includes(name))
    .map(({ key, name }) => `${key}: ${name}`);
  if (extra.length === 0) return ok(id, "nobody is exempt from the policies");
  // Helm leaves a key alone that its own manifest does not have.
  const added = keys.filter((key) => (config[key] ?? []).length === 0);
  const patch = JSON.stringify(added.map((key) => ({ op: "remove", path: `/data/${key}` })));
  const remove = `${facts.commands.kubectl} -n ${facts.namespace} patch configmap ${facts.release} --type=json -p '${patch}'`;
  const fix = added.length > 0 ? remove : reapplyRelease(facts);
  return finding("problem", id, `exempt from every policy: ${extra.join(", ")}`, fix);
}
