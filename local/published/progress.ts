import type { Log } from "../log";
import { showProgress } from "../progress";

export interface BytesProgress {
  readonly add: (bytes: number) => void;
  readonly end: () => void;
  /** What was done: how much, and how fast. */
  readonly summary: () => string;
}

const MEGABYTE = 1024 * 1024;
const mega = (bytes: number) => `${(bytes / MEGABYTE).toFixed(1)} MiB`;

/** `total` is the most that may come. */
export function bytesProgress(what: string, total: number, log: Log): BytesProgress {
  const start = Date.now();
  let [bytes, ended] = [0, start];
  const rate = () => `${mega(bytes / Math.max(0.001, ((ended > start ? ended : Date.now()) - start) / 1000))}/s`;
  const line = () => `${what}: ${mega(bytes)} of at most ${mega(total)}, ${rate()}`;
  const endLine = showProgress(line, log, { silenceMs: 10_000 });
  return {
    add: (more) => {
      bytes += more;
    },
    end: () => {
      endLine();
      ended = Date.now();
    },
    summary: () => `${mega(bytes)}, ${rate()}`,
  };
}
