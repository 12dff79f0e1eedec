/** Does something `count` times, at most `width` at once. */
export async function inParallel(width: number, count: number, action: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker));
}
