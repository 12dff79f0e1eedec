import * as fs from "node:fs";
import * as os from "node:os";

/** What a number depends on besides the code; no host name. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
}

export const machine = (): Machine => ({
  cores: os.cpus().length,
  cpu: (os.cpus()[0]?.model ?? "unknown").trim(),
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  system: `${os.platform()} ${os.arch()}`,
  node: process.version,
});

/** Peak resident memory of a process, in MiB. */
export function peakMemoryMiB(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc/${pid}/status has no VmHWM`);
  return Math.round(Number(kib) / 1024);
}
