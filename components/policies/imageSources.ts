import { repositoriesToRegex } from "../globs";
import type { Json } from "../kubernetes/manifest";
import { looseRegex } from "../posture/spelling";
import type { NamespaceScope, PolicyPlan, Resolved } from "../posture/types";
import { ALL_IMAGES, IMAGE_REPOSITORY, IMAGE_TEXT, IMAGES_ARE_NEW, literal, variable } from "./jmespath";
import { RULE, ruleName } from "./names";
import { preconditions, unlessBypassed } from "./preconditions";
import { matchPods } from "./scope";

/** Repositories that somebody signs or that are exempt. */
function coveredRepositories({ posture }: Resolved): string[] {
  return [...posture.images, ...posture.exempt].flatMap(({ repositories }) => repositories);
}

/** Refuses images that no signer covers, so that nothing is admitted just because no pattern matches it. */
export function uncoveredRule(plan: PolicyPlan, scope: NamespaceScope, resolved: Resolved): Json {
  const repositories = coveredRepositories(resolved);
  return {
    name: ruleName(RULE.everyImageHasASigner, plan.scopes, scope),
    ...matchPods(scope),
    context: [uncoveredImages(repositories)],
    ...preconditions(unlessBypassed(plan, resolved)),
    validate: {
      message: [
        `no signer is configured for ${variable("join(', ', uncovered)")}.`,
        `Images here must come from ${repositories.join(", ")} and be signed.`,
        "Use such an image, or let the platform team add the repository to images (with its signers) or to uncovered.exempt.",
        `In an emergency: ${resolved.posture.runbookUrl}`,
      ].join(" "),
      deny: anyNew("uncovered"),
    },
  };
}

/** Denies when the list variable has entries, unless the request leaves the images as they were. */
export function anyNew(list: string): Json {
  const key = variable(`length(${list}) > \`0\` && ${IMAGES_ARE_NEW}`);
  return { conditions: { any: [{ key, operator: "Equals", value: true }] } };
}

/** The list variable `uncovered`: images whose repository matches none of the patterns. */
export function uncoveredImages(repositories: readonly string[]): Json {
  const covered = `regex_match(${literal(repositoriesToRegex(repositories))}, ${IMAGE_REPOSITORY})`;
  return { name: "uncovered", variable: { jmesPath: `${ALL_IMAGES} | [?!${covered}].${IMAGE_TEXT}` } };
}

/**
 * Where uncovered images are let through, another spelling of a covered one would be uncovered: upper case or a port in
 * the registry's name. Registries answer to it all the same, so it is refused.
 */
export function spellingRule(plan: PolicyPlan, scope: NamespaceScope, resolved: Resolved): Json {
  const repositories = coveredRepositories(resolved);
  const covered = `regex_match(${literal(repositoriesToRegex(repositories))}, ${IMAGE_REPOSITORY})`;
  const alike = `regex_match(${literal(looseRegex(repositories))}, ${IMAGE_REPOSITORY})`;
  return {
    name: ruleName(RULE.imagesAreSpelledPlainly, plan.scopes, scope),
    ...matchPods(scope),
    context: [
      { name: "disguised", variable: { jmesPath: `${ALL_IMAGES} | [?!${covered} && ${alike}].${IMAGE_TEXT}` } },
    ],
    ...preconditions(unlessBypassed(plan, resolved)),
    validate: {
      message: [
        `${variable("join(', ', disguised)")} is another spelling of an image that must be signed, or a bare image ID.`,
        "Write the registry in lower case, without a default port, and Docker Hub as docker.io.",
      ].join(" "),
      deny: anyNew("disguised"),
    },
  };
}

/** Kyverno does not look at images that are mounted as volumes, so nobody could say who signed them. */
export function imageVolumeRule(plan: PolicyPlan, scope: NamespaceScope, resolved: Resolved): Json {
  const references = "request.object.spec.volumes[?image].image.reference";
  return {
    name: ruleName(RULE.noImageVolumes, plan.scopes, scope),
    ...matchPods(scope),
    ...preconditions(unlessBypassed(plan, resolved)),
    validate: {
      message: `image volumes can't be verified: ${variable(`join(', ', ${references} || \`[]\`)`)}. Put their content into a signed image.`,
      deny: {
        conditions: {
          any: [
            {
              key: variable(`length(${references} || \`[]\`) > \`0\` && ${IMAGES_ARE_NEW}`),
              operator: "Equals",
              value: true,
            },
          ],
        },
      },
    },
  };
}
