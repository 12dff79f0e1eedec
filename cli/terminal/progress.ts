/** What a long command does at the moment, on one line that leaves nothing behind; silent where nobody watches. */
export class Progress {
  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  say(what: string): void {
    if (!this.stream.isTTY) return;
    const room = Math.max(20, (this.stream.columns || 80) - 1);
    this.stream.write(`\r${`${what} ...`.slice(0, room)}\u001b[K`);
  }

  done(): void {
    if (this.stream.isTTY) this.stream.write("\r\u001b[K");
  }
}
