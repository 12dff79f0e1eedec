export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Asks until the answer is neither undefined, false nor an error, and hands it back.
 * The last answer's error is part of the message, because "timed out" alone explains nothing.
 */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  everyMs = 100,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last = "";
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = "";
    } catch (error) {
      if (error instanceof GiveUp) throw error;
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= end) {
      throw new Error(
        `${what}: not so after ${timeoutMs / 1000} s${last === "" ? "" : `; the last try said: ${last}`}`,
      );
    }
    await sleep(everyMs);
  }
}

/** Thrown by a question whose answer can no longer become good; ends the waiting at once. */
export class GiveUp extends Error {}
