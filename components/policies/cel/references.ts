import { repositoriesToRegex } from "../../globs";
import { text } from "../../posture/cel";
import { looseRegex } from "../../posture/spelling";

/** Registry and repository of an image, by the rule of container runtimes: the first part is a registry if it looks like one. */
function repositoryOf(image: string): string {
  const first = `${image}.split('/')[0]`;
  const hasRegistry = `${image}.contains('/') && (${first}.contains('.') || ${first}.contains(':') || ${first} == 'localhost')`;
  const named = `(${hasRegistry} ? ${image} : 'docker.io/' + ${image})`;
  const withoutTag = "n.lastIndexOf(':') > n.lastIndexOf('/') ? n.substring(0, n.lastIndexOf(':')) : n";
  return `cel.bind(n, ${named}.split('@')[0], ${withoutTag})`;
}

function isOf(repositories: readonly string[]): string {
  return `r.matches(${text(repositoriesToRegex(repositories))})`;
}

/** Each image once: the deadlock of kyverno#17275 needs one twice. What is empty is no image. */
export function distinct(images: string): string {
  return `(${images}).filter(i, i != '').distinct()`;
}

/** Whether an image belongs to one of the repositories. What is no image name is refused as such, unread. */
export function belongsTo(repositories: readonly string[], image: string): string {
  const named = `${isShort} && ${isOf(repositories)}`;
  return `${image}.matches(${text(WELL_FORMED)}) && cel.bind(r, ${repositoryOf(image)}, ${named})`;
}

/** The images of a list that belong to none. */
export function uncoveredImages(repositories: readonly string[], images: string): string {
  return `${images}.filter(i, cel.bind(r, ${repositoryOf("i")}, !${isOf(repositories)}))`;
}

/** What a container runtime takes for an image's name: another text is read by everybody differently. */
const COMPONENT = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*";
const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const HOST = `(?:${LABEL}(?:[.]${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const WELL_FORMED = `^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,})?$`;
const isShort = "r.size() <= 255";

/** The images of a list that are none. */
export function malformedImages(images: string): string {
  return `${images}.filter(i, !i.matches(${text(WELL_FORMED)}) || cel.bind(r, ${repositoryOf("i")}, !(${isShort})))`;
}

/** The images of a list that a registry takes for one of the repositories' although the text is another. */
export function spelledOtherwise(repositories: readonly string[], images: string): string {
  const alike = `r.matches(${text(looseRegex(repositories))})`;
  return `${images}.filter(i, cel.bind(r, ${repositoryOf("i")}, !${isOf(repositories)} && ${alike}))`;
}

const LONGEST_SHOWN = 2000;

/** Images in a message. Their texts are the requester's, so their length is bounded. */
export function shown(list: string): string {
  return `cel.bind(m, ${list}.join(', '), m.size() > ${LONGEST_SHOWN} ? m.substring(0, ${LONGEST_SHOWN}) + '...' : m)`;
}
