import { GuardMode, UncoveredAction } from "../../components/args";
import { globMatches } from "../../components/globs";
import { entryRule, isJudge, ROLE, RULE, ruleName } from "../../components/policies/names";
import { ruleOwner } from "../../components/policies/verifyRules";
import { imageReferences, repositoryCovered } from "../../components/posture/images";
import { KUBERNETES_NAMESPACES, scopeHas } from "../../components/posture/namespaces";
import { isSpelledLike, plainSpellings } from "../../components/posture/spelling";
import type { ImageRule, PolicyPlan, Posture } from "../../components/posture/types";
import { type ImageReference, policyText } from "../images/reference";

/** How the stack treats an image in a namespace, as far as that is known before any registry is asked. */
export interface Treatment {
  readonly namespace: string;
  readonly mode: GuardMode | "none";
  readonly policy?: string;
  readonly rule?: string;
  readonly entry?: ImageRule;
  /** What is known without looking at signatures. */
  readonly settled?: { reason: "uncovered" | "exempt" | "notJudged"; passes: boolean; detail: string };
}

export function treatmentOf(posture: Posture, image: ImageReference, namespace: string): Treatment {
  const found = posture.policies
    .filter(({ role }) => isJudge(role))
    .flatMap((plan) => plan.scopes.map((scope) => ({ plan, scope })))
    .find(({ scope }) => scopeHas(scope, namespace));
  if (!found) return notJudged(posture, namespace);
  const { plan, scope } = found;
  const at = { namespace, mode: plan.mode, policy: plan.name };
  const rule = (base: string) => ruleName(base, plan.scopes, scope);
  const text = policyText(image);
  const entry = posture.images.find(({ repositories }) =>
    repositories.flatMap(imageReferences).some((pattern) => globMatches(pattern, text)),
  );
  // Where uncovered images are refused, so is one that a wildcard of Kyverno's takes for another registry's.
  const takenAmiss = entry && plan.uncovered === UncoveredAction.Refuse && !repositoryCovered(entry.repositories, text);
  if (entry && !takenAmiss)
    return { ...at, rule: rule(entryRule("signedBy", ruleOwner(posture.images, entry).name)), entry };
  const exempt = posture.exempt.find(({ repositories }) => repositoryCovered(repositories, text));
  if (exempt) return { ...at, settled: { reason: "exempt", passes: true, detail: exempt.reason } };
  return { ...at, ...uncovered(posture, plan, image, rule) };
}

function uncovered(
  posture: Posture,
  plan: PolicyPlan,
  image: ImageReference,
  rule: (base: string) => string,
): Pick<Treatment, "rule" | "settled"> {
  const name = `${image.registry}/${image.path}`;
  if (plan.uncovered === UncoveredAction.Refuse) {
    const detail = `no entry of images covers ${name}; add it with its signers, or to uncovered.exempt`;
    return { rule: rule(RULE.everyImageHasASigner), settled: { reason: "uncovered", passes: false, detail } };
  }
  const patterns = [...posture.images, ...posture.exempt].flatMap(({ repositories }) => repositories);
  if (isSpelledLike(patterns, name)) {
    const plain = plainSpellings(name).find((spelling) => repositoryCovered(patterns, `${spelling}:latest`));
    const detail = plain ? `another spelling of ${plain}; write it plainly` : "a bare image ID; write the image's name";
    return { rule: rule(RULE.imagesAreSpelledPlainly), settled: { reason: "uncovered", passes: false, detail } };
  }
  const detail = `no entry of images covers ${name}; it may run, and ${ROLE.uncovered} reports it`;
  return { settled: { reason: "uncovered", passes: true, detail } };
}

function notJudged(posture: Posture, namespace: string): Treatment {
  const suspended = posture.suspended.map(({ policy, until }) => `${policy} is suspended until ${until}`).join(", ");
  const detail = isSystemNamespace(posture, namespace)
    ? "a system namespace, which no policy looks at"
    : suspended || "no policy judges this namespace";
  return { namespace, mode: "none", settled: { reason: "notJudged", passes: true, detail } };
}

/** Whether Kyverno leaves a namespace alone. */
export function isSystemNamespace(posture: Posture, namespace: string): boolean {
  const system: readonly string[] | undefined = posture.namespaces.find(({ name }) => name === "system")?.patterns;
  return (system ?? KUBERNETES_NAMESPACES).includes(namespace);
}

/** A production namespace and an application namespace, where the stack has them. */
export function usualNamespaces(posture: Posture): string[] {
  const production = posture.namespaces.find(({ name }) => name === "production")?.patterns ?? [];
  const exact = production.filter((pattern) => !/[*?]/.test(pattern));
  const named = (exact.includes("production") ? "production" : exact[0]) ?? production[0]?.replace(/[*?]/g, "x");
  const taken = posture.namespaces.flatMap(({ patterns }) => patterns);
  const application = ["default", "app"].find((name) => !taken.some((pattern) => globMatches(pattern, name)));
  return [named, application].filter((name): name is string => name !== undefined);
}

export function willRefuse(treatment: Treatment): boolean {
  return treatment.mode === GuardMode.Enforce;
}
