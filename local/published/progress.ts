import type { Log } from "../log";

export interface BytesProgress {
  readonly add: (bytes: number) => void;
  readonly end: () => void;
  /** What was done: how much, and how fast. */
  readonly summary: () => string;
}

const MEGABYTE = 1024 * 1024;
const mega = (bytes: number) => `${(bytes / MEGABYTE).toFixed(1)} MiB`;

/** One rewritten line on a terminal, a line each 10 s elsewhere. `total` is the most that may come. */
export function bytesProgress(what: string, total: number, log: Log): BytesProgress {
  const start = Date.now();
  let [bytes, ended] = [0, start];
  const rate = () => `${mega(bytes / Math.max(0.001, ((ended > start ? ended : Date.now()) - start) / 1000))}/s`;
  const tty = process.stderr.isTTY === true;
  const line = () => `${what}: ${mega(bytes)} of at most ${mega(total)}, ${rate()}`;
  const timer = setInterval(() => (tty ? process.stderr.write(`\r${line()} `) : log(line())), tty ? 500 : 10_000);
  timer.unref();
  return {
    add: (more) => {
      bytes += more;
    },
    end: () => {
      clearInterval(timer);
      ended = Date.now();
      if (tty) process.stderr.write("\r\u001b[K");
    },
    summary: () => `${mega(bytes)}, ${rate()}`,
  };
}
