import { globContains, globMatches, globsIntersect, kyvernoComparisons } from "../globs";
import type { ProblemList } from "../problems";
import type { Context } from "./context";
import { rightSpelling, spellings } from "./spelling";

/**
 * The patterns for one repository, tags and digests alike: Kyverno 1.10 drops the tag of an image that has a digest,
 * so `repository:*` alone would let every digest reference pass unchecked.
 */
export function imageReferences(repository: string): string[] {
  // Kyverno evaluates each text of a rule anew for every request, so what needs one pattern has one.
  return repository.endsWith("*") ? [repository] : [`${repository}:*`, `${repository}@*`];
}

/** One repository of the configuration. */
interface Place {
  readonly key: string;
  readonly repository: string;
  readonly spellings: readonly string[];
  /** The entry or exemption that it stands in, as the configuration has it. */
  readonly owner: string;
  readonly exempt: boolean;
  readonly reason?: string;
}

/** Refuses repositories that no image can have, those that reach further than they look, and images that two entries would judge. */
export function checkRepositories({ config, problems }: Context): void {
  const places = [
    ...placesIn("images", config.images, false),
    ...placesIn("uncovered.exempt", config.uncovered?.exempt ?? [], true),
  ];
  for (const place of places) {
    checkRegistryHost(place.key, place.repository, problems);
    checkHostWildcard(place, problems);
    checkWildcards(place.key, place.repository, LONGEST_REPOSITORY, problems);
  }
  places.forEach((left, index) => {
    for (const right of places.slice(index + 1)) {
      if (meanTheSame(left, right) || apartByRegistry(left, right)) continue;
      if (!left.spellings.some((one) => right.spellings.some((two) => shareImage(one, two)))) continue;
      problems.say(
        `${left.key} and ${right.key}`,
        `"${left.repository}" and "${right.repository}", which can both match one image`,
        "repositories of which each image matches one",
        overlapFix(left, right),
      );
    }
  });
}

function placesIn(
  list: string,
  entries: readonly { repositories: string[]; acceptWildcardReason?: string | undefined }[],
  exempt: boolean,
): Place[] {
  return entries.flatMap(({ repositories, acceptWildcardReason }, index) =>
    repositories.map((repository, position) => ({
      key: `${list}[${index}].repositories[${position}]`,
      repository,
      spellings: spellings([repository]),
      owner: `${list}[${index}]`,
      exempt,
      ...(acceptWildcardReason ? { reason: acceptWildcardReason } : {}),
    })),
  );
}

/** Within one entry, and among exemptions, matching twice changes nothing; and what an entry names is never exempt. */
function meanTheSame(left: Place, right: Place): boolean {
  if (left.owner === right.owner || (left.exempt && right.exempt)) return true;
  return !left.exempt && right.exempt && globContains(right.repository, left.repository);
}

/** An exemption's registry is matched by itself; an entry's only where it has no wildcard that could leave it. */
function apartByRegistry(left: Place, right: Place): boolean {
  const [host, other] = [left, right].map(({ repository }) => repository.split("/")[0]!);
  return right.exempt && !host!.includes("*") && !globsIntersect(host!, other!);
}

function overlapFix(left: Place, right: Place): string {
  if (right.exempt)
    return `name the repositories of ${left.owner} without this one: what an entry matches must be signed, so the exemption would have no effect`;
  return 'join the two entries, or name the repositories of the wider one: Kyverno 1.10 has no "all but", and asks the signers of every entry that matches';
}

/** The name of a registry and the path together; what Kyverno's reader of images takes. */
const LONGEST_REPOSITORY = 255;
/** Some tens of milliseconds of Kyverno's processor time. */
const MOST_COMPARISONS = 10_000_000;

/** Kyverno's own matcher tries every place for every `*`, and whoever names the image chooses the text. */
export function checkWildcards(key: string, pattern: string, longest: number, problems: ProblemList): void {
  if (kyvernoComparisons(pattern, longest) <= MOST_COMPARISONS) return;
  const stars = pattern.split("*").length - 1;
  problems.say(
    key,
    `"${pattern}", which has ${stars} wildcards *`,
    "a pattern that Kyverno matches fast, with two or three *",
    "remove some of them: Kyverno tries every place for each, and a text that somebody chose for it would keep it busy for minutes",
  );
}

function checkHostWildcard({ key, repository, owner, exempt, reason }: Place, problems: ProblemList) {
  const host = repository.split("/")[0]!;
  if (!host.includes("*")) return;
  const reach = exempt
    ? `"${repository}" exempts the images of every registry whose name "${host}" matches`
    : `"${repository}" lets Kyverno ask every host whose name the wildcard of "${host}" can match, also by a path`;
  if (reason) problems.warn(`${key}: ${reach}; accepted: ${reason}`);
  else
    problems.add(
      key,
      repository,
      "a repository whose registry has no wildcard",
      `name the registry, one line for each; or say in ${owner}.acceptWildcardReason why it is safe: ${reach}`,
    );
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

/**
 * Kyverno puts `docker.io/` before a name without a registry, so a pattern without one never matches anything; and it
 * compares text, so one with another spelling than the pods' would let theirs pass.
 */
function checkRegistryHost(key: string, repository: string, problems: ProblemList): void {
  const host = repository.split("/")[0]!;
  if (host !== "localhost" && !/[.:*]/.test(host)) {
    problems.add(key, repository, "a repository that starts with its registry", `write docker.io/${repository}`);
  } else if (rightSpelling(repository) !== repository) {
    const allowed = "a registry as pods name it: without its default port, Docker Hub as docker.io";
    problems.add(key, repository, allowed, `write ${rightSpelling(repository)}`);
  }
}

/** An image that no entry covers would be admitted or refused for another reason than its signature. */
export function checkSignedImage({ config, problems }: Context): void {
  const image = config.readiness?.signedImage;
  if (image === undefined) return;
  const key = "readiness.signedImage";
  const name = image.slice(image.lastIndexOf("/") + 1);
  if (!/[:@]/.test(name)) problems.add(key, image, "an image with tag or digest", `write ${image}:TAG`);
  else if (
    !repositoryCovered(
      config.images.flatMap(({ repositories }) => repositories),
      image,
    )
  )
    problems.add(key, image, "an image that an entry of images covers", "name one that is signed as the entry says");
}

/**
 * Whether one of the patterns covers an image: Kyverno's wildcards match it, and those in the registry's name take
 * nothing but a registry's name, as the rules on image sources have it.
 */
export function repositoryCovered(patterns: readonly string[], image: string): boolean {
  const host = image.split("/")[0]!;
  return patterns.some(
    (pattern) =>
      globMatches(pattern.split("/")[0]!, host) &&
      imageReferences(pattern).some((reference) => globMatches(reference, image)),
  );
}
