import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PROJECT } from "../../local/packaging/schema";

export interface Packed {
  readonly tarball: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: string[];
}

const folders: string[] = [];

/** A temporary folder that goes when the tests end. */
export function newFolder(name: string): string {
  if (folders.length === 0) process.once("exit", () => folders.forEach(remove));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `image-signing-guard-${name}-`));
  folders.push(folder);
  return folder;
}

const remove = (folder: string) => fs.rmSync(folder, { recursive: true, force: true });

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  /** Everything that it printed, for error messages. */
  readonly all: string;
}

export function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Ran {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 540_000,
  });
  return { code: status ?? -1, stdout: stdout ?? "", all: `${stdout}\n${stderr}${error ? `\n${error}` : ""}` };
}

export function runOrThrow(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  const ran = run(command, args, cwd, env);
  if (ran.code !== 0) throw new Error(`${command} ${args.join(" ")} in ${cwd} ended with ${ran.code}:\n${ran.all}`);
  return ran.stdout;
}

let packed: Packed | undefined;

/** What `npm publish` would publish, built afresh; once a run. */
export function pack(): Packed {
  if (packed) return packed;
  const folder = newFolder("tarball");
  const out = runOrThrow("npm", ["pack", "--silent", "--json", "--pack-destination", folder], PROJECT);
  const [entry] = JSON.parse(out.slice(out.indexOf("["))) as {
    filename: string;
    size: number;
    unpackedSize: number;
    files: { path: string }[];
  }[];
  packed = {
    tarball: path.join(folder, entry!.filename),
    size: entry!.size,
    unpackedSize: entry!.unpackedSize,
    files: entry!.files.map((file) => file.path),
  };
  return packed;
}

/** Without a registry nothing can be installed; everything else that goes wrong is a failure. */
const UNREACHABLE = /\b(ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED)\b/;

/** An empty stack that has installed the tarball, or why it could not. */
export function newConsumer(name: string, dependencies: Record<string, string> = {}): string | { missing: string } {
  const folder = newFolder(name);
  const manifest = { name, private: true, dependencies: { "image-signing-guard": `file:${pack().tarball}` } };
  Object.assign(manifest.dependencies, dependencies);
  fs.writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  const { code, all } = run("npm", args, folder);
  if (code === 0) return folder;
  const reason = UNREACHABLE.exec(all)?.[0];
  if (reason) return { missing: `npm can't reach a registry (${reason})` };
  throw new Error(`npm install in ${folder} failed:\n${all}`);
}
