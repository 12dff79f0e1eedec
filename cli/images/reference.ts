/** An image as Kyverno 1.10 reads it, and where its registry is. */
export interface ImageReference {
  readonly registry: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

export class ImageNameError extends Error {}

// The grammar of github.com/distribution/distribution 2.8.1 (reference/regexp.go), which Kyverno 1.10 parses with.
const LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?$`);
const NAME = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${NAME}(?:/${NAME})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const LONGEST = 255;

/** `nginx` becomes docker.io/nginx:latest, without `library/`: policies see it so. */
export function parseReference(text: string): ImageReference {
  const at = text.indexOf("@");
  const digest = at === -1 ? undefined : text.slice(at + 1);
  const named = withRegistry(at === -1 ? text : text.slice(0, at));
  const slash = named.indexOf("/");
  const colon = named.indexOf(":", slash);
  const registry = named.slice(0, slash);
  const path = named.slice(slash + 1, colon === -1 ? undefined : colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const wrong =
    // First, so that no expression is tried on a long text.
    (`${registry}/${path}`.length > LONGEST && `its name is longer than ${LONGEST} characters`) ||
    (!DOMAIN.test(registry) && `"${registry}" is no registry`) ||
    (!PATH.test(path) && `"${path}" is no repository (lower case, parts separated by /)`) ||
    (tag !== undefined && !TAG.test(tag) && `"${tag.slice(0, 140)}" is no tag`) ||
    (digest !== undefined &&
      !DIGEST.test(digest) &&
      `"${digest.slice(0, 140)}" is no digest (sha256: and 64 hexadecimal digits)`);
  if (wrong) throw new ImageNameError(wrong);
  return {
    registry,
    path,
    ...(tag ? { tag } : digest ? {} : { tag: "latest" }),
    ...(digest ? { digest } : {}),
  };
}

function withRegistry(name: string): string {
  const first = name.split("/")[0]!;
  const isRegistry =
    name.includes("/") && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  return isRegistry ? name : `docker.io/${name}`;
}

/** The text that imageReferences are compared with: the tag is dropped where there is a digest. */
export function policyText({ registry, path, tag, digest }: ImageReference): string {
  return `${registry}/${path}${digest ? `@${digest}` : `:${tag}`}`;
}

/**
 * Why Kyverno's verifier (go-containerregistry 0.15.2, pkg/name) can't parse what its policies could; such an image is
 * refused where it must be signed.
 */
export function verifierObjection({ registry, path, digest }: ImageReference): string | undefined {
  const repository = isHost(registry) ? path : `${registry}/${path}`;
  if (repository !== repository.toLowerCase()) return `Kyverno's verifier takes "${registry}" for a part of the path`;
  if (repository.length < 2) return "Kyverno's verifier wants a repository of at least two characters";
  if (digest && !digest.startsWith("sha256:")) return "Kyverno's verifier reads sha256 digests only";
  return undefined;
}

/** To the verifier a registry is what has a dot or a colon; all else is a folder of Docker Hub, `localhost` too. */
const isHost = (registry: string) => /[.:]/.test(registry);

/** Host and repository that the registry's API knows, as Kyverno's verifier finds them. */
export function apiLocation(registry: string, path: string): { host: string; repository: string } {
  if (!isHost(registry)) return { host: DOCKER_HUB_API, repository: `${registry}/${path}` };
  if (registry !== "docker.io" && registry !== "index.docker.io") return { host: registry, repository: path };
  return { host: DOCKER_HUB_API, repository: path.includes("/") ? path : `library/${path}` };
}

const DOCKER_HUB_API = "registry-1.docker.io";
