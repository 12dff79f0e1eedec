import { globMatches, globsIntersect } from "../globs";
import type { ProblemList } from "../problems";
import type { GuardConfig } from "../schema";

/**
 * The patterns for one repository, tags and digests alike: Kyverno 1.10 drops the tag of an image that has a digest,
 * so `repository:*` alone would let every digest reference pass unchecked.
 */
export function imageReferences(repository: string): string[] {
  return [`${repository}:*`, `${repository}@*`];
}

/** Refuses repositories that no image can have, and every image that two entries would judge. */
export function checkRepositories(config: GuardConfig, problems: ProblemList): void {
  const entries = [
    ...config.images.flatMap((rule, index) =>
      rule.repositories.map((repository, position) => ({
        key: `images[${index}].repositories[${position}]`,
        repository,
      })),
    ),
    ...(config.uncovered?.exempt ?? []).flatMap((exempt, index) =>
      exempt.repositories.map((repository, position) => ({
        key: `uncovered.exempt[${index}].repositories[${position}]`,
        repository,
      })),
    ),
  ];
  for (const { key, repository } of entries) checkRegistryHost(key, repository, problems);
  entries.forEach((left, index) => {
    for (const right of entries.slice(index + 1)) {
      if (!shareImage(left.repository, right.repository)) continue;
      problems.say(
        `${left.key} and ${right.key}`,
        `"${left.repository}" and "${right.repository}", which can both match one image`,
        "repositories of which each image matches one",
        "join the two entries or make one of the repositories narrower",
      );
    }
  });
}

/**
 * Neither a tag nor a digest has a slash, so two patterns share an image if they share a repository; or if a wildcard of
 * one takes the other's digest algorithm for the end of its repository and the rest for a tag.
 */
function shareImage(left: string, right: string): boolean {
  const asTag = (pattern: string, repository: string) =>
    ["@sha256", "@sha384", "@sha512"].some((algorithm) => globsIntersect(pattern, `${repository}${algorithm}`));
  return globsIntersect(left, right) || asTag(left, right) || asTag(right, left);
}

/** Kyverno puts `docker.io/` before a name without a registry, so a pattern without one never matches anything. */
function checkRegistryHost(key: string, repository: string, problems: ProblemList): void {
  const host = repository.split("/")[0]!;
  if (host === "localhost" || /[.:*]/.test(host)) return;
  problems.add(key, repository, "a repository that starts with its registry", `write docker.io/${repository}`);
}

/** Whether a repository (registry and path) is matched by one of the patterns. */
export function repositoryCovered(patterns: readonly string[], image: string): boolean {
  return patterns.flatMap(imageReferences).some((reference) => globMatches(reference, image));
}
