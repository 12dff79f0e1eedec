import { globMatches, globToRegex } from "../globs";

/**
 * The same image spelled otherwise. Registries answer to upper case, to their port, and Docker Hub to many names; Kyverno
 * 1.10 compares the text alone. Admission ({@link looseRegex}), `check` ({@link isSpelledLike}) and the configuration
 * ({@link rightSpelling}, {@link spellings}) go by what stands here.
 */

const HUB = "docker.io";
const HUB_NAMES = "(?:(?:index|registry-1|registry|registry[.]hub|hub|www)[.])?docker[.](?:io|com)";
const IS_HUB = new RegExp(`^${HUB_NAMES}$`, "i");
/** Docker Hub's own images have two spellings: with this folder and without. */
const LIBRARY = "library/";

/** A bare image ID, as Kyverno reads it: the node runs whatever image it has under that ID, unseen by any registry. */
const IMAGE_ID = "docker[.]io/(?:library/)?(?:sha256|[0-9a-f]{64})";
const IS_IMAGE_ID = new RegExp(`^${IMAGE_ID}$`, "i");

interface Host {
  readonly name: string;
  readonly port?: number;
}

function readHost(host: string): Host {
  const [, name = host, port] = /^(.*):([0-9]+)$/.exec(host) ?? [];
  return { name: name.toLowerCase(), ...(port === undefined ? {} : { port: Number(port) }) };
}

/** Whether a registry's name, with any port, is one of Docker Hub's. */
export function isDockerHub(host: string): boolean {
  return IS_HUB.test(readHost(host).name);
}

function split(repository: string): { host: string; path: string } {
  const slash = repository.indexOf("/");
  return { host: repository.slice(0, slash), path: repository.slice(slash + 1) };
}

/** The one spelling that an entry of the configuration may have. */
export function rightSpelling(repository: string): string {
  const { host, path } = split(repository);
  const { name, port } = readHost(host);
  if (IS_HUB.test(name)) return `${HUB}/${path}`;
  return `${name}${port === undefined || port === 443 ? "" : `:${port}`}/${path}`;
}

/** The spellings that Kyverno may see of an entry's images: it leaves `nginx` and `library/nginx` as they are. */
export function spellings(repositories: readonly string[]): string[] {
  return [...new Set(repositories.flatMap(bothSpellings))].sort();
}

function bothSpellings(repository: string): string[] {
  const { host, path } = split(repository);
  const name = path.replace(LIBRARY, "");
  if (host !== HUB || /[*?/]/.test(name) || !(path === name || path === LIBRARY + name)) return [repository];
  return [`${HUB}/${name}`, `${HUB}/${LIBRARY}${name}`];
}

/** Whether an image's registry and path are those of an entry, spelled otherwise, or no more than an image ID. */
export function isSpelledLike(repositories: readonly string[], image: string): boolean {
  return IS_IMAGE_ID.test(image) || plainSpellings(image).some((plain) => repositories.some((r) => names(r, plain)));
}

/** Wildcards in a registry's name take nothing but a registry's name. */
function names(repository: string, image: string): boolean {
  const [wanted, given] = [split(repository), split(image)];
  return globMatches(wanted.host, given.host) && globMatches(wanted.path, given.path);
}

/** Every spelling of an image that an entry of the configuration could have. */
export function plainSpellings(image: string): string[] {
  const { host, path } = split(image);
  const { name, port } = readHost(host);
  const atHost = [name, `${name}:${port ?? 80}`].map((at) => `${at}/${path}`);
  if (!IS_HUB.test(name)) return atHost;
  const ofLibrary = path.startsWith(LIBRARY) ? path.slice(LIBRARY.length) : "";
  const other = !path.includes("/") ? [LIBRARY + path] : ofLibrary && !ofLibrary.includes("/") ? [ofLibrary] : [];
  return [...[path, ...other].map((at) => `${HUB}/${at}`), ...atHost];
}

/**
 * One RE2 expression that matches what {@link isSpelledLike} says yes to: the repositories in any case, with any port
 * where none is written, and under Docker Hub's other names.
 */
export function looseRegex(repositories: readonly string[]): string {
  const loose = repositories.flatMap((repository) => {
    const { host, path } = split(repository);
    return [
      ...(host === HUB ? [] : [`${looseHost(host)}/${globToRegex(path)}`]),
      ...(globMatches(host, HUB) ? [`${HUB_NAMES}(?::[0-9]+)?/(?:${[...new Set(hubPaths(path))].join("|")})`] : []),
    ];
  });
  return `(?i)^(?:${[...loose, IMAGE_ID].join("|")})$`;
}

function looseHost(host: string): string {
  const { name, port } = readHost(host);
  if (port === undefined) return `${globToRegex(name, "[^/]")}(?::[0-9]+)?`;
  return globToRegex(name, "[^/:]") + (port === 80 ? "(?::0*80)?" : `:0*${port}`);
}

/** The paths that Docker Hub takes for the same ones, as regular expressions. */
function hubPaths(path: string): string[] {
  const named = oneFolder(path).map((name) => LIBRARY + name);
  return [globToRegex(path), ...named, ...after(path, LIBRARY).flatMap(oneFolder)];
}

/** A regular expression for what the glob matches in one folder, if anything. */
function oneFolder(glob: string): string[] {
  return glob.includes("/") ? [] : [globToRegex(glob, "[^/]")];
}

/** What may follow `text` in a string that the glob matches, as globs. */
function after(glob: string, text: string): string[] {
  if (text === "") return [glob];
  const [first, rest] = [glob[0], glob.slice(1)];
  if (first === "*") return [...new Set([...after(glob, text.slice(1)), ...after(rest, text)])];
  return first === "?" || first === text[0] ? after(rest, text.slice(1)) : [];
}
