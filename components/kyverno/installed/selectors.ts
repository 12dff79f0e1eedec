import { InstallationFinding as F } from "../../args";
import { withoutNulls } from "../../kubernetes/withoutNulls";
import { scopeHas } from "../../posture/namespaces";
import type { NamespaceScope } from "../../posture/types";
import type { Found, Installation, Selector, Selectors } from "./types";

const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** Selectors of Kyverno's own settings, and of its webhooks as they are now: something else may have written there. */
export function webhookSelectors({ config, registered }: Installation, scopes: readonly NamespaceScope[]): Found[] {
  if (scopes.length === 0) return [];
  const [ordered, live] = [settingsOf(config?.webhooks), withoutNulls(registered) as Selectors[]].map(
    (all) => new Set(all.flatMap((one) => narrowedBy(one, scopes))),
  ) as [Set<string>, Set<string>];
  const elsewhere = [...live].filter((text) => !ordered.has(text));
  return [
    ...finding(
      [...ordered],
      "whether Kyverno is asked depends on",
      "Helm values: config.webhooks with one namespaceSelector, NotIn the names of system namespaces",
    ),
    ...finding(
      elsewhere,
      "Kyverno's webhooks were given, by something else than its settings,",
      "find out what writes there: kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations -l webhook.kyverno.io/managed-by=kyverno -o yaml --show-managed-fields",
    ),
  ];
}

function finding(what: readonly string[], begin: string, mend: string): Found[] {
  if (what.length === 0) return [];
  const undoes = "what a selector leaves out is admitted without a question";
  return [{ finding: F.WebhookSelectors, evidence: `${begin} ${what.join("; ")}`, undoes, mend }];
}

function narrowedBy(
  { namespaceSelector = {}, objectSelector = {}, matchConditions = [] }: Selectors,
  scopes: readonly NamespaceScope[],
): string[] {
  return [
    ...(isEmpty(objectSelector) ? [] : ["an objectSelector, whose labels every author of a pod can set"]),
    ...(isEmpty({ matchLabels: namespaceSelector.matchLabels }) ? [] : ["matchLabels of namespaces"]),
    ...(namespaceSelector.matchExpressions ?? []).flatMap(({ key, operator, values = [] }) => {
      if (key !== NAMESPACE_NAME || operator !== "NotIn") return [`the namespaces' ${key} (${operator})`];
      const hidden = values.filter((name) => scopes.some((scope) => scopeHas(scope, name)));
      return hidden.length > 0 ? [`the namespaces ${hidden.join(", ")}`] : [];
    }),
    ...(matchConditions.length > 0 ? [`the conditions ${matchConditions.map(({ name }) => name).join(", ")}`] : []),
  ];
}

function settingsOf(text = "[]"): Selectors[] {
  try {
    // The chart writes null for what is not given.
    const value = withoutNulls(JSON.parse(text) as unknown);
    return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "object" && one !== null);
  } catch {
    return [];
  }
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: Selector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
