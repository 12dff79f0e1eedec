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
 * The login that `docker login` left for a registry, from DOCKER_CONFIG or ~/.docker: a helper of that registry, else
 * the credentials store, else the file itself. No npm library that runs on Node 20 reads the helpers.
 */
export function registryCredentials(host: string): Credentials | undefined {
  const config = readConfig();
  if (!config) return undefined;
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
  for (const [key, entry] of Object.entries(config.auths ?? {})) {
    if (!names.includes(key) && !names.includes(key.replace(/^https?:\/\//, "").split("/")[0]!)) continue;
    const [username = "", ...rest] = Buffer.from(entry.auth ?? "", "base64")
      .toString("utf8")
      .split(":");
    const login = { username: entry.username ?? username, password: entry.password ?? rest.join(":") };
    if (entry.identitytoken) return { ...login, identityToken: entry.identitytoken };
    if (login.username) return login;
  }
  return undefined;
}

/** Docker Hub's login is stored under the name of an API that is long gone. */
function aliases(host: string): string[] {
  return host === "registry-1.docker.io"
    ? ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"]
    : [host, `https://${host}`];
}

function readConfig(): DockerConfig | undefined {
  const file = path.join(process.env.DOCKER_CONFIG ?? path.join(os.homedir(), ".docker"), "config.json");
  if (!fs.existsSync(file)) return undefined;
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")) as DockerConfig;
  } catch {
    throw new CredentialsError(`${file} is not JSON; log in again with docker login`);
  }
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
