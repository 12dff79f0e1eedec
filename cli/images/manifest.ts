import { RegistryError } from "./registryError";

export interface Descriptor {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly digest: string;
  readonly size?: number;
  readonly annotations?: Record<string, string>;
  /** Of an index's members. */
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

export interface Manifest {
  readonly digest: string;
  readonly mediaType?: string;
  /** What it is, where it is no image: its own word, or that of its configuration. */
  readonly artifactType?: string;
  readonly layers: Descriptor[];
  readonly manifests: Descriptor[];
}

export function parseManifest(body: Buffer, where: string): Omit<Manifest, "digest"> {
  const manifest = parseJson(body, where) as (Partial<Manifest> & { config?: { mediaType?: unknown } }) | null;
  if (manifest === null || typeof manifest !== "object") {
    throw new RegistryError("malformed", `the answer of ${where} is no manifest`);
  }
  const { layers = [], manifests = [], mediaType } = manifest;
  if (![layers, manifests].every((list) => Array.isArray(list) && list.every(isDescriptor))) {
    throw new RegistryError("malformed", `the answer of ${where} is no manifest`);
  }
  const types = [manifest.artifactType, manifest.config?.mediaType];
  const artifactType = types.find((type) => typeof type === "string" && !NO_TYPE.test(type)) as string | undefined;
  return {
    layers,
    manifests,
    ...(typeof mediaType === "string" ? { mediaType } : {}),
    ...(artifactType ? { artifactType } : {}),
  };
}

/** Types of a configuration that say nothing about what the manifest is. */
const NO_TYPE =
  /^$|^application\/vnd\.oci\.empty\.v1\+json$|^application\/vnd\.(?:oci|docker)\.(?:image\.config|container\.image)/;

function isDescriptor(value: unknown): value is Descriptor {
  return typeof (value as Descriptor | null)?.digest === "string";
}

export function parseJson(body: Buffer, where: string): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new RegistryError("malformed", `the answer of ${where} is not JSON`);
  }
}
