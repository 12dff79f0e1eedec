import type { Log } from "./log";

/** Shows how something goes: one rewritten line on a terminal, else a line in the log each `silenceMs`. Ends it when called. */
export function showProgress(line: () => string, log: Log, { silenceMs = 30_000 } = {}): () => void {
  const tty = process.stderr.isTTY === true;
  const timer = setInterval(() => (tty ? process.stderr.write(`\r${line()} `) : log(line())), tty ? 1000 : silenceMs);
  return () => {
    clearInterval(timer);
    if (tty) process.stderr.write("\r\u001b[K");
  };
}
