const MOST = 10;

/** A list as a message tells it: people read the first few, and a message has no room for hundreds. */
export function someOf(items: readonly string[]): string {
  const more = items.length - MOST;
  return more > 0 ? `${items.slice(0, MOST).join(", ")} and ${more} more` : items.join(", ");
}
