import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { GiveUp, sleep } from "./waitFor";

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment; nothing is inherited. */
  env: NodeJS.ProcessEnv;
  logFile: string;
  cwd?: string;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code, or null after a signal. Never rejects. */
  readonly exited: Promise<number | null>;
  isRunning(): boolean;
  /** The last lines of its log, for error messages. */
  tail(lines?: number): string;
  /** Throws, ending a waitFor, when the process is gone. */
  assertRunning(): void;
  /** SIGTERM to the whole process group, SIGKILL after the grace time. */
  stop(graceMs?: number): Promise<void>;
}

/** What a helper needs from our own environment; everything else would make runs differ between machines. */
export function baseEnv(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {};
  for (const name of ["PATH", "HOME", "TMPDIR", "LANG"])
    if (process.env[name] !== undefined) env[name] = process.env[name];
  return env;
}

const running = new Set<RunningProcess>();
const cleanups: (() => Promise<void>)[] = [];
let guard: ChildProcess | undefined;

/** Pids of the processes that are alive now. */
export const runningPids = (): number[] => [...running].map((p) => p.pid);

/** Runs before everything is killed on Ctrl-C. */
export function onInterrupt(cleanup: () => Promise<void>): () => void {
  armExitHooks();
  cleanups.push(cleanup);
  return () => {
    const at = cleanups.indexOf(cleanup);
    if (at >= 0) cleanups.splice(at, 1);
  };
}

export function startProcess(spec: ProcessSpec): RunningProcess {
  armExitHooks();
  fs.mkdirSync(path.dirname(spec.logFile), { recursive: true });
  const log = fs.openSync(spec.logFile, "a");
  // Detached: its own process group, so that grandchildren are reached by one kill and Ctrl-C reaches us first.
  const child = spawn(spec.command, [...spec.args], {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ["ignore", log, log],
  });
  fs.closeSync(log);

  let alive = child.pid !== undefined;
  let code: number | null = null;
  let failure = "";
  const exited = new Promise<number | null>((resolve) => {
    const over = (exitCode: number | null) => {
      if (alive) tellGuard("del", child.pid as number);
      alive = false;
      code = exitCode;
      running.delete(self);
      resolve(exitCode);
    };
    child.once("exit", over);
    child.once("error", (error) => {
      failure = error.message;
      over(null);
    });
  });

  const self: RunningProcess = {
    name: spec.name,
    pid: child.pid ?? -1,
    logFile: spec.logFile,
    exited,
    isRunning: () => alive,
    tail: (lines = 15) => lastLines(spec.logFile, lines),
    assertRunning: () => {
      if (alive) return;
      throw new GiveUp(
        failure !== ""
          ? `${spec.name} could not be started: ${failure}`
          : `${spec.name} ended early (exit code ${code ?? "none, by a signal"}). Last lines of ${spec.logFile}:\n${lastLines(spec.logFile, 15)}`,
      );
    },
    stop: async (graceMs = 5000) => {
      if (!alive) return;
      killGroup(self.pid, "SIGTERM");
      const inTime = await Promise.race([exited.then(() => true), sleep(graceMs).then(() => false)]);
      if (!inTime) {
        killGroup(self.pid, "SIGKILL");
        await exited;
      }
    },
  };
  if (alive) {
    running.add(self);
    tellGuard("add", self.pid);
  }
  return self;
}

/** Runs a command to its end; throws with the last lines of its output when it fails. */
export async function runToEnd(spec: ProcessSpec, timeoutMs = 600_000): Promise<string> {
  fs.rmSync(spec.logFile, { force: true });
  const child = startProcess(spec);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void child.stop();
  }, timeoutMs);
  const code = await child.exited;
  clearTimeout(timer);
  if (late)
    throw new Error(
      `${spec.name} was not done after ${timeoutMs / 1000} s; last lines of its output:\n${child.tail()}`,
    );
  if (code !== 0) {
    if (child.pid === -1) child.assertRunning();
    throw new Error(
      `${spec.name} failed (exit code ${code ?? "none, by a signal"}); last lines of its output:\n${child.tail()}`,
    );
  }
  return fs.readFileSync(spec.logFile, "utf8");
}

function lastLines(file: string, count: number): string {
  try {
    const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-count);
    // The API server's objections can hold whole objects in one line; their ends are what matters.
    return lines.map((l) => (l.length > 600 ? `${l.slice(0, 300)} ... ${l.slice(-300)}` : l)).join("\n");
  } catch {
    return "(no log)";
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone, which is what we want.
  }
}

let armed = false;

function armExitHooks(): void {
  if (armed) return;
  armed = true;
  startGuard();
  // An uncaught exception ends in "exit" too, without taking it from a test runner that handles it.
  process.on("exit", () => {
    for (const child of running) killGroup(child.pid, "SIGKILL");
  });
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => {
      const all = Promise.allSettled([...cleanups].map((cleanup) => cleanup()));
      void Promise.race([all, sleep(8000)]).then(() => process.exit(code));
    });
  }
}

/**
 * A shell that outlives us by a moment: when our end of its stdin closes for whatever reason, even SIGKILL,
 * it ends the groups that are still on its list.
 */
const guardScript = `
list=" "
while read -r verb pid; do
  case $verb in
    add) list="$list$pid " ;;
    del) list=$(printf %s "$list" | sed "s/ $pid / /") ;;
  esac
done
for pid in $list; do kill -s TERM -- "-$pid" 2>/dev/null; done
[ "$list" = " " ] || sleep 2
for pid in $list; do kill -s KILL -- "-$pid" 2>/dev/null; done
`;

function startGuard(): void {
  guard = spawn("/bin/sh", ["-c", guardScript], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  guard.on("error", () => {});
  guard.stdin?.on("error", () => {});
  guard.unref();
  (guard.stdin as unknown as { unref?(): void }).unref?.();
}

const tellGuard = (verb: "add" | "del", pid: number) => guard?.stdin?.write(`${verb} ${pid}\n`);
