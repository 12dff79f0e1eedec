import { GuardMode, UncoveredAction } from "../args";
import type { NamespaceScope, PolicyPlan, Posture, Resolved } from "../posture/types";
import { reportingWebhook } from "./auditing";
import { type ClusterPolicy, clusterPolicy, type Rule } from "./clusterPolicy";
import { shownImages, when } from "./jmespath";
import { isJudge, RULE, ruleName } from "./names";
import { type Place, PODS, TEMPLATES } from "./place";
import { matchPlace } from "./scope";
import { uncoveredImages } from "./sourceRules";

export const AUDIT_TEXT = {
  title: "Report images without a signer",
  severity: "medium",
  description: "Lists running images that nobody is configured to sign, for compliance. Nothing is refused.",
} as const;

/**
 * audit-unsigned-images: reports, cluster-wide and in system namespaces too, images that no signer covers. It asks no
 * registry, so it costs nothing and can't disturb the verdicts of the policies that verify. Where such images are
 * refused, the rule that refuses also reports.
 */
export function auditUnsignedImages(plan: PolicyPlan, resolved: Resolved): ClusterPolicy[] {
  const { posture } = resolved;
  const scopes = whereNotRefused(posture);
  const { failurePolicy, timeoutSeconds } = reportingWebhook(plan, posture);
  return [PODS, TEMPLATES].map((place) => {
    const text = { ...AUDIT_TEXT, title: `${AUDIT_TEXT.title}${place === TEMPLATES ? ": pod templates" : ""}` };
    const frame = { ...plan, name: `${plan.name}${place.suffix}`, failurePolicy, timeoutSeconds };
    const rules = scopes.map((scope) => reportRule(place, scopes, scope, posture));
    return clusterPolicy(frame, text, { background: true, rules });
  });
}

function reportRule(place: Place, scopes: readonly NamespaceScope[], scope: NamespaceScope, posture: Posture): Rule {
  const found = uncoveredImages(posture.images.flatMap(({ repositories }) => repositories));
  const message = `no signer is configured for ${shownImages(found)}`;
  return {
    name: ruleName(RULE.imageHasASigner, scopes, scope),
    ...matchPlace(scope, place, "whatever"),
    validate: { deny: { conditions: { any: [when(`length(${found}) > \`0\``, message)] } } },
  };
}

/** Every namespace but those in which an image without a signer is refused. */
export function whereNotRefused({ policies }: Posture): NamespaceScope[] {
  const refusing = policies
    .filter(
      ({ role, mode, uncovered }) =>
        isJudge(role) && mode === GuardMode.Enforce && uncovered === UncoveredAction.Refuse,
    )
    .flatMap(({ scopes }) => scopes);
  const refused = [...new Set(refusing.flatMap(({ include }) => include))].sort();
  const rest = refusing.find(({ include }) => include.length === 0);
  const taken = refusing.filter((scope) => scope !== rest).flatMap(({ exclude }) => exclude);
  const left = (rest?.exclude ?? []).filter((pattern) => !refused.includes(pattern));
  const scope = (name: string, include: readonly string[], exclude: readonly string[]): NamespaceScope => ({
    name,
    include: [...new Set(include)].sort(),
    exclude: [...exclude],
  });
  return [
    rest ? scope("cluster", left, refused) : scope("cluster", [], refused),
    ...(taken.length > 0 ? [scope("taken-out", taken, [])] : []),
  ];
}
