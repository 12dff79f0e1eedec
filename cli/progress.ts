/** A line that counts, for a person at a terminal; files and pipes get none. */
export function showProgress(what: string): { show: (done: number, of: number) => void; end: () => void } {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => {}, end: () => {} };
  let shown = false;
  return {
    show: (done, of) => {
      shown = true;
      stderr.write(`\r${what} ${done} of ${of}`);
    },
    end: () => {
      if (shown) stderr.write("\r\u001b[K");
    },
  };
}
