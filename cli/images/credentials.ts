import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** An OAuth refresh token that stands for both. */
  readonly identityToken?: string;
}

interface DockerConfig {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

export class CredentialsError extends Error {}

/**
 * The login that `docker login` or `podman login` left for a repository's registry. Files are asked in turn, as the tools
 * do: REGISTRY_AUTH_FILE, DOCKER_CONFIG or ~/.docker, and the one in XDG_RUNTIME_DIR; in each a helper of that registry,
 * else the credentials store, else the file itself. No npm library that runs on Node 20 reads the helpers.
 */
export function registryCredentials(host: string, repository = ""): Credentials | undefined {
  for (const file of configFiles()) {
    const found = credentialsIn(readConfig(file), host, repository);
    if (found) return found;
  }
  return undefined;
}

function configFiles(): string[] {
  const { REGISTRY_AUTH_FILE: named, DOCKER_CONFIG: folder, XDG_RUNTIME_DIR: runtime } = process.env;
  if (named && !fs.existsSync(named))
    throw new CredentialsError(`REGISTRY_AUTH_FILE is ${named}, which does not exist`);
  const usual = path.join(folder || path.join(os.homedir(), ".docker"), "config.json");
  const candidates = [named, usual, runtime ? path.join(runtime, "containers", "auth.json") : undefined];
  return candidates.filter((file): file is string => file !== undefined && file !== "" && fs.existsSync(file));
}

function credentialsIn(config: DockerConfig, host: string, repository: string): Credentials | undefined {
  const names = aliases(host);
  for (const name of names) {
    const helper = config.credHelpers?.[name];
    if (helper) return fromHelper(helper, name);
  }
  if (config.credsStore) {
    for (const name of names) {
      const found = fromHelper(config.credsStore, name);
      if (found) return found;
    }
  }
  // The login that is kept for the longest part of the name.
  const logins = Object.entries(config.auths ?? {}).sort(([a], [b]) => b.length - a.length);
  for (const [key, entry] of logins) {
    if (!isFor(key, names, repository)) continue;
    const [username = "", ...rest] = Buffer.from(entry.auth ?? "", "base64")
      .toString("utf8")
      .split(":");
    const login = { username: entry.username ?? username, password: entry.password ?? rest.join(":") };
    if (entry.identitytoken) return { ...login, identityToken: entry.identitytoken };
    if (login.username) return login;
  }
  return undefined;
}

/** Docker keeps logins by registry, podman also by a part of the repository: `ghcr.io/org`. */
function isFor(key: string, names: readonly string[], repository: string): boolean {
  if (names.includes(key)) return true;
  const [at = "", ...folders] = key
    .replace(/^https?:\/\//, "")
    .replace(/\/$/, "")
    .split("/");
  if (!names.includes(at)) return false;
  const folder = folders.join("/");
  return folder === "" || /^v[12]$/.test(folder) || `${repository}/`.startsWith(`${folder}/`);
}

/** Docker Hub's login is stored under the name of an API that is long gone. */
function aliases(host: string): string[] {
  return host === "registry-1.docker.io"
    ? ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"]
    : [host, `https://${host}`];
}

function readConfig(file: string): DockerConfig {
  try {
    const config = JSON.parse(fs.readFileSync(file, "utf8")) as DockerConfig | null;
    if (config !== null && typeof config === "object") return config;
  } catch (error) {
    if (!(error instanceof SyntaxError))
      throw new CredentialsError(`${file} can't be read: ${(error as Error).message}`);
  }
  throw new CredentialsError(`${file} is not JSON; log in again with docker login`);
}

function fromHelper(helper: string, registry: string): Credentials | undefined {
  const command = `docker-credential-${helper}`;
  const run = spawnSync(command, ["get"], { input: registry, encoding: "utf8", timeout: 10_000 });
  if (run.error) throw new CredentialsError(`the credential helper ${command} does not run: ${run.error.message}`);
  if (run.status !== 0) {
    const text = `${run.stdout}${run.stderr}`.trim();
    if (/credentials not found/i.test(text)) return undefined;
    throw new CredentialsError(`the credential helper ${command} failed: ${text.slice(0, 200)}`);
  }
  try {
    const { Username = "", Secret = "" } = JSON.parse(run.stdout) as { Username?: string; Secret?: string };
    return Username === "<token>"
      ? { username: "", password: "", identityToken: Secret }
      : { username: Username, password: Secret };
  } catch {
    throw new CredentialsError(`the credential helper ${command} did not answer with JSON`);
  }
}
