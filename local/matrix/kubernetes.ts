import * as fs from "node:fs";
import * as path from "node:path";
import { cacheRoot, goEnv } from "../build";
import type { Log } from "../log";
import { runToEnd } from "../processes";

const PROGRAMS = ["kube-apiserver", "kube-controller-manager"] as const;
/** Both tell their version, by the packages that different releases read it from. */
const VERSION_PACKAGES = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"];
/** How many patches to go back for a part that this very patch lacks. */
const OLDER_PATCHES = 8;

/** The API server and the controller manager of a Kubernetes version, built once and kept in the cache. */
export async function ensureKubernetes(version: string, log: Log): Promise<string> {
  const folder = path.join(cacheRoot(), "matrix", `kubernetes-${version}-${process.platform}-${process.arch}`);
  const lacking = PROGRAMS.filter((program) => !fs.existsSync(path.join(folder, program)));
  if (lacking.length === 0) return folder;
  fs.mkdirSync(folder, { recursive: true });
  const go = (args: string[]) =>
    runToEnd(
      {
        name: `go ${args[0]} (Kubernetes ${version})`,
        command: "go",
        args,
        cwd: folder,
        // go.mod is made here, so that the tool may complete it.
        env: { ...goEnv(), GOFLAGS: "-mod=mod" },
        logFile: path.join(folder, `go-${args[0]}.log`),
      },
      30 * 60_000,
    );
  fs.writeFileSync(path.join(folder, "go.mod"), "module matrix\n\ngo 1.21\n");
  const told = await go(["mod", "download", "-json", `k8s.io/kubernetes@${version}`]);
  const { Dir } = JSON.parse(told.slice(told.indexOf("{"))) as { Dir: string };
  fs.writeFileSync(path.join(folder, "go.mod"), goModOf(fs.readFileSync(path.join(Dir, "go.mod"), "utf8"), version));
  fs.writeFileSync(
    path.join(folder, "programs.go"),
    `//go:build programs\n\npackage programs\n\nimport (\n${PROGRAMS.map((one) => `\t_ "k8s.io/kubernetes/cmd/${one}"\n`).join("")})\n`,
  );
  await servedParts(folder, go, log);
  const [major, minor] = version.slice(1).split(".");
  const versions = VERSION_PACKAGES.flatMap((at) => [
    `-X ${at}.gitVersion=${version}`,
    `-X ${at}.gitMajor=${major}`,
    `-X ${at}.gitMinor=${minor}`,
  ]);
  // Old releases reach into the runtime by names that newer linkers want to be asked about.
  const flags = ["-s", "-w", "-checklinkname=0", ...versions].join(" ");
  for (const program of lacking) {
    log(`building ${program} ${version}`);
    await go(["build", "-ldflags", flags, "-o", path.join(folder, program), `k8s.io/kubernetes/cmd/${program}`]);
  }
  return folder;
}

/** The release's own go.mod, with its parts by their published versions in place of folders. */
export function goModOf(own: string, version: string): string {
  const parts = [...own.matchAll(/^\s*(k8s\.io\/[\w-]+) => \.\/staging/gm)].map(([, part]) => part!);
  const others = [...own.matchAll(/^\s*(\S+ => \S+ v\S+)$/gm)].map(([, line]) => line!);
  const go = /^go (\S+)/m.exec(own)?.[1] ?? "1.21";
  const replaced = [...new Set(parts)].map((part) => `${part} => ${part} v0.${version.slice("v1.".length)}`);
  return [
    `module matrix\n\ngo ${go}\n`,
    `require k8s.io/kubernetes ${version}\n`,
    `replace (\n${[...replaced, ...others].map((line) => `\t${line}\n`).join("")})\n`,
  ].join("\n");
}

/** Where one patch of a part can't be had, an older patch of the same release is what comes nearest. */
async function servedParts(folder: string, go: (args: string[]) => Promise<string>, log: Log): Promise<void> {
  const file = path.join(folder, "go.mod");
  for (const [, part, minor, patch] of fs
    .readFileSync(file, "utf8")
    .matchAll(/(k8s\.io\/[\w-]+) v0\.(\d+)\.(\d+)$/gm)) {
    for (let at = Number(patch); at >= Math.max(0, Number(patch) - OLDER_PATCHES); at--) {
      const candidate = `v0.${minor}.${at}`;
      const served = await go(["mod", "download", `${part}@${candidate}`]).then(
        () => true,
        () => false,
      );
      if (!served) continue;
      if (at !== Number(patch)) {
        log(`${part} v0.${minor}.${patch} is not to be had; taking ${candidate}`);
        await go(["mod", "edit", `-replace=${part}=${part}@${candidate}`]);
      }
      break;
    }
  }
}
