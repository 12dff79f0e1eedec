/** A ConfigMap that a container has as files. */
export interface Mount {
  /** Folder, or the file itself where only one is mounted. */
  readonly path: string;
  /** The one file of the volume that is mounted. */
  readonly subPath?: string;
  readonly configMap: string;
  /** Which keys become which files; absent for each key under its own name. */
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

/** A file that a container reads. */
export interface MountedFile {
  readonly path: string;
  readonly configMap: string;
  readonly content: string | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a part of a pod's spec, checked field by field.
type Part = Record<string, any>;

/** ConfigMaps among a container's volumes, those in projected ones too. */
export function mountsOf({ volumes }: Part, { volumeMounts }: Part): Mount[] {
  const sources = ({ configMap, projected }: Part): Part[] => [
    ...(configMap ? [configMap] : []),
    ...((projected?.sources ?? []) as Part[]).flatMap((one) => (one.configMap ? [one.configMap] : [])),
  ];
  return ((volumeMounts ?? []) as Part[]).flatMap(({ name, mountPath, subPath }) =>
    ((volumes ?? []) as Part[])
      .filter((volume) => volume.name === name)
      .flatMap(sources)
      .map((source) => ({
        path: String(mountPath),
        ...(subPath ? { subPath: String(subPath) } : {}),
        configMap: String(source.name),
        ...(Array.isArray(source.items) ? { items: source.items } : {}),
      })),
  );
}

/** The files of the mounts, as far as the ConfigMaps are known. */
export function filesOf(
  mounts: readonly Mount[],
  configMaps: Readonly<Record<string, Readonly<Record<string, string>>>>,
): MountedFile[] {
  return mounts.flatMap(({ path, subPath, configMap, items }) => {
    const data = configMaps[configMap] ?? {};
    const files = items ?? Object.keys(data).map((key) => ({ key, path: key }));
    return files.flatMap((file) => {
      if (subPath !== undefined && file.path !== subPath) return [];
      return [{ path: subPath === undefined ? `${path}/${file.path}` : path, configMap, content: data[file.key] }];
    });
  });
}
