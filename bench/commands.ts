import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Bench } from "./measure";
import { quick } from "./quick";

const ROOT = path.join(__dirname, "..");
/** What users run. */
const MAIN = path.join(ROOT, "dist", "cli", "main.js");
const TELL_CPU = path.join(__dirname, "tellCpu.cjs");
const ROUNDS = quick ? 2 : 15;

/** How many times the CPU of `node -e 0` a command may take. */
const MOST: readonly (readonly [times: number, ...args: string[]])[] = [
  [3, "--version"],
  [3, "--help"],
  [3, "completion", "bash"],
  [3, "check", "--help"],
  [8, "render", "--stack", "prod"],
  [8, "posture", "--stack", "prod", "--against", "dev"],
];

/** What a command costs before it does anything: modules that load. CPU, not time, so that a busy machine matters less. */
export const commands: Bench = async () => {
  if (!fs.existsSync(MAIN)) throw new Error(`there is no ${path.relative(ROOT, MAIN)}: npm run build`);
  const baseline = cpuMs(["-e", "0"]);
  return [
    { what: `node -e 0, CPU, least of ${ROUNDS}`, value: `${baseline.toFixed(0)} ms`, limit: "-", holds: true },
    ...MOST.map(([times, ...args]) => {
      const ratio = cpuMs([MAIN, ...args]) / baseline;
      return {
        what: args.join(" "),
        value: `${ratio.toFixed(1)} x node -e 0`,
        limit: `${times} x`,
        holds: ratio <= times,
      };
    }),
  ];
};

/** The least of some runs, which is the one that other work on the machine disturbed least. */
function cpuMs(args: readonly string[]): number {
  const once = () => {
    const done = spawnSync(process.execPath, ["-r", TELL_CPU, ...args], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      encoding: "utf8",
    });
    if (done.status !== 0) throw new Error(`${args.join(" ")} failed: ${done.stderr}`);
    return Number(done.output[3]) / 1000;
  };
  return Math.min(...Array.from({ length: ROUNDS }, once));
}
