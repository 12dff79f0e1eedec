import { apiLocation } from "../../cli/images/reference";
import type { PublishedImage } from "./images";

const VARIABLE = "IMAGE_SIGNING_GUARD_PROGRAMS_FROM";
const BUILD = "build";

/** Where an image is asked for. */
export interface Place {
  readonly host: string;
  readonly repository: string;
  /** A registry that the user named: what it holds is theirs to answer for, so that it may lack signatures. */
  readonly isMirror: boolean;
}

/**
 * Where to ask for an image, in this order: the registry that IMAGE_SIGNING_GUARD_PROGRAMS_FROM names, under the image's
 * whole name and under its path; else its own. Nowhere with `build`, and on systems that run no Linux programs.
 */
export function placesOf({ repository }: PublishedImage, env: NodeJS.ProcessEnv = process.env): Place[] {
  const from = env[VARIABLE]?.replace(/\/+$/, "") || undefined;
  if (from === BUILD || architecture() === undefined) return [];
  const slash = repository.indexOf("/");
  const [registry, path] = [repository.slice(0, slash), repository.slice(slash + 1)];
  if (from === undefined) return [{ ...apiLocation(registry, path), isMirror: false }];
  const [host = "", ...folders] = from.split("/");
  if (!/^[A-Za-z0-9.-]+(:\d+)?$/.test(host))
    throw new Error(`${VARIABLE} is "${from}"; allowed: HOST[:PORT][/FOLDER] of a registry, or ${BUILD}`);
  return [repository, path].map((name) => ({ host, repository: [...folders, name].join("/"), isMirror: true }));
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** This machine's architecture as images call it; undefined where their programs do not run. */
export const architecture = (): string | undefined =>
  process.platform === "linux" ? ARCHITECTURES[process.arch] : undefined;
