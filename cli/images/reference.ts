/** An image as Kyverno 1.10 reads it, and where its registry is. */
export interface ImageReference {
  readonly registry: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

export class ImageNameError extends Error {}

const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

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
    (!DOMAIN.test(registry) && `"${registry}" is no registry`) ||
    (!PATH.test(path) && `"${path}" is no repository (lower case, parts separated by /)`) ||
    (tag !== undefined && !TAG.test(tag) && `"${tag}" is no tag`) ||
    (digest !== undefined && !DIGEST.test(digest) && `"${digest}" is no digest (sha256: and 64 hexadecimal digits)`);
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

const DOCKER_HUB = /^(?:(?:index|registry-1|registry|www)\.)?docker\.(?:io|com)(?::[0-9]+)?$/i;

/** Registry, port and `library/` written plainly, to see whether another spelling of a covered image is used. */
export function plainRepository({ registry, path }: ImageReference): string {
  if (DOCKER_HUB.test(registry)) return `docker.io/${path.replace(/^library\//, "")}`;
  return `${registry.toLowerCase().replace(/:[0-9]+$/, "")}/${path}`;
}

/** Host and repository that the registry's API knows. */
export function apiLocation(registry: string, path: string): { host: string; repository: string } {
  if (!DOCKER_HUB.test(registry)) return { host: registry, repository: path };
  return { host: "registry-1.docker.io", repository: path.includes("/") ? path : `library/${path}` };
}
