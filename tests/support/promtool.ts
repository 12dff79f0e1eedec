import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { silent } from "../../local/log";
import { findPrometheus, prometheusIsMissing } from "../../local/prometheus";

let command: string | undefined;

/** Skips what needs promtool where there is none. */
export async function needPromtool(hook: Mocha.Context): Promise<void> {
  command ??= await findPrometheus("promtool", silent);
  if (command !== undefined) return;
  hook.skipReason = prometheusIsMissing("promtool");
  hook.skip();
}

/** Runs promtool on files in a folder of their own; throws with what it says. */
export function promtool(args: readonly string[], files: Record<string, string>): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "guard-promtool-"));
  try {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
    return execFileSync(command ?? "promtool", args, {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(" ")}: ${stdout}${stderr}` || message);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
