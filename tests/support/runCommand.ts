import { spawn } from "node:child_process";
import * as path from "node:path";

const root = path.join(__dirname, "..", "..");

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command line itself, in a process of its own. */
export function runCommand(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Ran> {
  const program = spawn(
    process.execPath,
    ["-r", "ts-node/register/transpile-only", path.join(root, "cli", "main.ts"), ...args],
    { cwd: root, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env } },
  );
  let out = "";
  let err = "";
  program.stdout.on("data", (chunk) => {
    out += chunk;
  });
  program.stderr.on("data", (chunk) => {
    err += chunk;
  });
  program.stdin.on("error", () => {});
  program.stdin.end(input);
  return new Promise((resolve) => program.on("close", (code) => resolve({ code, out, err })));
}
