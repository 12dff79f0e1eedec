import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Log } from "./log";
import { baseEnv, runToEnd, startProcess } from "./processes";
import { showProgress } from "./progress";
import { fetchChart, fetchedFolder, fetchProgram } from "./published/fetch";
import { KYVERNO_CHART, PUBLISHED } from "./published/images";
import { placesOf } from "./published/source";
import { sleep } from "./waitFor";

interface Tool {
  /** Folder under tools/ with its go.mod. One module a tool, as their dependencies exclude each other. */
  module: string;
  /** The module whose version counts. */
  of: string;
  package: string;
  /** Linker flags that tell the program its version. */
  version?: (version: string) => string[];
}

const kubernetes = (command: string): Tool => ({
  module: "kubernetes",
  of: "k8s.io/kubernetes",
  package: `k8s.io/kubernetes/cmd/${command}`,
  version: (v) => {
    const [major, minor] = v.slice(1).split(".");
    const at = "k8s.io/component-base/version";
    return [`-X ${at}.gitVersion=${v}`, `-X ${at}.gitMajor=${major}`, `-X ${at}.gitMinor=${minor}`];
  },
});

const kyverno = (command: string): Tool => ({
  module: "kyverno",
  of: "github.com/kyverno/kyverno",
  package: `github.com/kyverno/kyverno/cmd/${command}`,
  version: (v) => [`-X github.com/kyverno/kyverno/pkg/version.BuildVersion=${v}`],
});

export const tools = {
  etcd: { module: "etcd", of: "go.etcd.io/etcd/server/v3", package: "go.etcd.io/etcd/server/v3" },
  "kube-apiserver": kubernetes("kube-apiserver"),
  "kube-controller-manager": kubernetes("kube-controller-manager"),
  kubectl: kubernetes("kubectl"),
  cosign: {
    module: "cosign",
    of: "github.com/sigstore/cosign/v3",
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
    version: (v) => [`-X sigs.k8s.io/release-utils/version.gitVersion=${v}`],
  },
  // A program of ours over Notation's library, as that project's own is no Go module that can be had.
  notation: { module: "notation", of: "github.com/notaryproject/notation-go", package: "." },
  crane: {
    module: "crane",
    of: "github.com/google/go-containerregistry",
    package: "github.com/google/go-containerregistry/cmd/crane",
    version: (v) => [`-X github.com/google/go-containerregistry/cmd/crane/cmd.Version=${v}`],
  },
  helm: {
    module: "helm",
    of: "helm.sh/helm/v3",
    package: "helm.sh/helm/v3/cmd/helm",
    version: (v) => [`-X helm.sh/helm/v3/internal/version.version=${v}`],
  },
  pulumi: {
    module: "pulumi",
    of: "github.com/pulumi/pulumi/pkg/v3",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version: (v) => [`-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${v}`],
  },
  kyverno: kyverno("kyverno"),
  "reports-controller": kyverno("reports-controller"),
  "background-controller": kyverno("background-controller"),
  "cleanup-controller": kyverno("cleanup-controller"),
} satisfies Record<string, Tool>;

export type ToolName = keyof typeof tools;

/** The version that a go.mod asks of a module, e.g. "v3.6.16". */
export function requiredVersion(goMod: string, module: string): string {
  const line = goMod.split("\n").find((l) =>
    l
      .replace(/^require\s+/, "")
      .trim()
      .startsWith(`${module} v`),
  );
  const version = line?.match(/ (v\S+)/)?.[1];
  if (version === undefined)
    throw new Error(`go.mod names no version of ${module}; add a line "require ${module} vX.Y.Z"`);
  return version;
}

/** The Go version that a go.mod asks for, e.g. "1.24.0". */
export const requiredGo = (goMod: string): string => goMod.match(/^go (\S+)/m)?.[1] ?? "1.21";

export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return env.IMAGE_SIGNING_GUARD_CACHE ?? path.join(os.homedir(), ".cache", "image-signing-guard");
}

/** Where a module's binaries are kept: another go.mod or go.sum is another folder. */
export function cacheFolder(root: string, module: string, version: string, goMod: string, goSum: string): string {
  const hash = createHash("sha256").update(goMod).update("\0").update(goSum).digest("hex").slice(0, 16);
  return path.join(root, `${module}-${version}-${process.platform}-${process.arch}`, hash);
}

function toolModule(name: ToolName) {
  const tool: Tool = tools[name];
  const folder = path.join(__dirname, "tools", tool.module);
  const goMod = fs.readFileSync(path.join(folder, "go.mod"), "utf8");
  const goSum = fs.readFileSync(path.join(folder, "go.sum"), "utf8");
  const version = requiredVersion(goMod, tool.of);
  return { tool, folder, goMod, version, cache: cacheFolder(cacheRoot(), tool.module, version, goMod, goSum) };
}

/** The version that ensureTool builds. */
export const toolVersion = (name: ToolName): string => toolModule(name).version;

/** The path of a tool: from the folder of ready binaries, from the cache, from its published image, else built now. */
export async function ensureTool(name: ToolName, log: Log): Promise<string> {
  const ready = process.env.IMAGE_SIGNING_GUARD_BIN;
  if (ready !== undefined && fs.existsSync(path.join(ready, name))) return path.join(ready, name);
  const { tool, folder, goMod, version, cache } = toolModule(name);
  const target = path.join(cache, name);
  if (fs.existsSync(target)) return target;
  const fetched = await ensurePublished(name, version, log);
  if (fetched !== undefined) return fetched;
  return made(target, log, async (partial) => {
    await checkGo(name, version, goMod, cache);
    const flags = ["-s", "-w", ...(tool.version?.(version) ?? [])].join(" ");
    const build = ["build", "-trimpath", "-ldflags", flags, "-o", partial, tool.package];
    await goBuild(`${name} ${version}`, folder, build, log);
    return target;
  });
}

/** A program of a version from its published image; undefined where that can't be had. Kept like what is built. */
export async function ensurePublished(name: string, version: string, log: Log): Promise<string | undefined> {
  const image = PUBLISHED[name];
  const folder = fetchedFolder(cacheRoot(), `${name}-${version}`);
  const target = path.join(folder, name);
  if (image === undefined || placesOf(image).length === 0) return undefined;
  const wanted = { image, version, what: `${name} ${version}`, folder, log };
  return made(target, log, async (partial) => ((await fetchProgram(wanted, name, partial)) ? target : undefined));
}

/** Kyverno's chart of a version, as a folder, in the same way. */
export async function ensurePublishedChart(version: string, log: Log): Promise<string | undefined> {
  const folder = fetchedFolder(cacheRoot(), `kyverno-chart-${version}`);
  const target = path.join(folder, "chart");
  if (placesOf(KYVERNO_CHART).length === 0) return undefined;
  const wanted = { image: KYVERNO_CHART, version, what: `Kyverno's chart ${version}`, folder, log };
  return made(target, log, async (partial) => ((await fetchChart(wanted, partial)) ? target : undefined));
}

/**
 * What is there already, else what `make` makes of a partial path, and of names that begin with it: whole or not at all, and
 * once for all processes. `make` says where it will be, or undefined where it can't be made.
 */
async function made<T extends string | undefined>(
  target: string,
  log: Log,
  make: (partial: string) => Promise<T>,
): Promise<string | T> {
  if (fs.existsSync(target)) return target;
  const unlock = await lockBuilds(log);
  try {
    if (fs.existsSync(target)) return target;
    const folder = path.dirname(target);
    fs.mkdirSync(folder, { recursive: true });
    const partial = `${target}.${process.pid}`;
    const result = await make(partial);
    if (result === undefined) return result;
    for (const name of fs.readdirSync(folder).map((one) => path.join(folder, one)))
      if (name.startsWith(partial)) fs.renameSync(name, `${target}${name.slice(partial.length)}`);
    return target;
  } finally {
    unlock();
  }
}

/** A copy of a folder of a tool's module, e.g. the Helm chart that belongs to a Kyverno version. */
export function ensureModuleFolder(name: ToolName, inModule: string): Promise<string> {
  const { tool, cache } = toolModule(name);
  return copyModuleFolder(name, tool.of, inModule, path.join(cache, inModule.replaceAll("/", "-")));
}

/** Copies a folder of a module that a tool's go.mod names, where it is not there yet. */
export async function copyModuleFolder(
  name: ToolName,
  module: string,
  inModule: string,
  target: string,
): Promise<string> {
  if (fs.existsSync(target)) return target;
  const { folder, goMod, cache } = toolModule(name);
  const version = requiredVersion(goMod, module);
  await checkGo(`the source of ${module}`, version, goMod, cache);
  const listing = path.join(cache, "list.log");
  const out = await goRun(["mod", "download", "-json", `${module}@${version}`], folder, listing);
  const source = (JSON.parse(out.slice(out.indexOf("{"))) as { Dir: string }).Dir;
  const partial = `${target}.${process.pid}`;
  fs.cpSync(path.join(source, inModule), partial, { recursive: true });
  makeWritable(partial); // The module cache is read-only, and so would the copy be.
  fs.renameSync(partial, target);
  return target;
}

function makeWritable(entry: string): void {
  const isFolder = fs.statSync(entry).isDirectory();
  fs.chmodSync(entry, isFolder ? 0o755 : 0o644);
  if (isFolder) for (const child of fs.readdirSync(entry)) makeWritable(path.join(entry, child));
}

/** Go sees none of the user's GOFLAGS: -mod=mod would change go.mod behind our back. */
export const goEnv = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([k]) => /^(GO|HTTPS?_PROXY|NO_PROXY|https?_proxy|no_proxy|SSL_|XDG_)/.test(k)),
  ),
  ...baseEnv(),
  GOFLAGS: "-buildvcs=false",
  GOWORK: "off",
  CGO_ENABLED: "0",
});

const goRun = (args: string[], cwd: string, logFile: string) =>
  runToEnd({ name: `go ${args[0]}`, command: "go", args, cwd, env: goEnv(), logFile });

async function checkGo(what: string, version: string, goMod: string, cache: string): Promise<void> {
  const needed = requiredGo(goMod);
  const advice = `install Go ${needed} or later from https://go.dev/dl, or name a folder with a ready "${what}" in IMAGE_SIGNING_GUARD_BIN`;
  let found: string;
  try {
    found = (await goRun(["env", "GOVERSION", "GOTOOLCHAIN"], __dirname, path.join(cache, "go.log"))).trim();
  } catch {
    throw new Error(`${what} ${version} has to be built, but no "go" was found on PATH: ${advice}`);
  }
  const [go = "", toolchain = ""] = found.split("\n");
  // From 1.21 on Go fetches a newer toolchain by itself, unless it is told not to.
  if (isOlder(go.replace(/^go/, ""), needed) && (toolchain === "local" || isOlder(go.replace(/^go/, ""), "1.21"))) {
    throw new Error(`${what} ${version} needs Go ${needed}, found ${go}: ${advice}`);
  }
}

export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((v) => v.split(".").map((n) => Number.parseInt(n, 10) || 0)) as [
    number[],
    number[],
  ];
  for (let i = 0; i < 3; i++) if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) < (b[i] ?? 0);
  return false;
}

async function goBuild(what: string, folder: string, args: string[], log: Log): Promise<void> {
  const logFile = path.join(cacheRoot(), "logs", `${what.replaceAll(/[^\w.-]+/g, "-")}.log`);
  fs.rmSync(logFile, { force: true });
  const child = startProcess({ name: `go build of ${what}`, command: "go", args, cwd: folder, env: goEnv(), logFile });
  try {
    os.setPriority(child.pid, 10);
  } catch {
    // Only politeness.
  }
  const end = progress(`building ${what}`, log);
  const code = await child.exited;
  const seconds = end();
  if (code !== 0)
    throw new Error(`go build of ${what} failed after ${seconds} s; last lines of ${logFile}:\n${child.tail()}`);
  log(`built ${what} in ${seconds} s`);
}

/** Says that something lasts, and for how long by now; the end tells the seconds. */
function progress(what: string, log: Log): () => number {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  log(`${what} (once; the result is cached)`);
  const end = showProgress(() => `${what}: ${seconds()} s`, log);
  return () => {
    end();
    return seconds();
  };
}

/** One build at a time, across processes; a lock whose owner is dead is taken over. */
async function lockBuilds(log: Log): Promise<() => void> {
  const lock = path.join(cacheRoot(), "build.lock");
  fs.mkdirSync(cacheRoot(), { recursive: true });
  for (let tries = 0; ; tries++) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: "wx" });
      const release = () => fs.rmSync(lock, { force: true });
      process.once("exit", release);
      return () => {
        process.off("exit", release);
        release();
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = readPid(lock);
    if (owner !== undefined && !isAlive(owner)) fs.rmSync(lock, { force: true });
    else {
      if (tries === 0) log(`waiting for the build of another process (pid ${owner}; lock ${lock})`);
      await sleep(500);
    }
  }
}

function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(fs.readFileSync(file, "utf8"), 10) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
