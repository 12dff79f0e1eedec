import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Whether a program of Prometheus is on the PATH; the package `prometheus` of Debian and Ubuntu has both. */
export function hasProgram(name: "promtool" | "prometheus"): boolean {
  return spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0;
}

export const promtoolIsMissing = "promtool is not on the PATH; apt-get install prometheus brings it";

/** Runs promtool on files in a folder of their own; throws with what it says. */
export function promtool(args: readonly string[], files: Record<string, string>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-promtool-"));
  try {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
    return execFileSync("promtool", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(" ")}: ${stdout}${stderr}` || message);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
