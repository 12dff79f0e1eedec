import { styleText } from "node:util";
import type { StackName } from "./settings";
import type { Outcome } from "./verdicts";

type Format = Parameters<typeof styleText>[0];

/** Colour only on a terminal that wants it. */
export const paint = (format: Format, text: string): string =>
  styleText(format, text, { stream: process.stdout, validateStream: true });

const labelWidth = 16;

/** Prints one line a step; on a terminal a step that runs shows before it is done. */
export class Screen {
  private running = "";

  constructor(private readonly verbose: boolean) {}

  line(text = ""): void {
    this.clear();
    process.stdout.write(`${text}\n`);
    this.show();
  }

  /** What the tools tell: what is fetched and built always, as it takes minutes; the rest with --verbose. */
  readonly log = (text: string): void => {
    if (this.verbose || /^(building|built|fetching|fetched|no published image|waiting for the build)\b/.test(text))
      this.line(`  ${paint("dim", text)}`);
  };

  /** Runs a step and prints what came of it and how long it took. */
  async step<T>(label: string, action: () => Promise<T>, result: (value: T) => string): Promise<T> {
    const start = Date.now();
    this.running = label;
    this.show();
    try {
      const value = await action();
      const seconds = Math.round((Date.now() - start) / 1000);
      this.finish();
      this.line(`  ${label.padEnd(labelWidth)}${result(value)} ${paint("dim", `(${seconds} s)`)}`);
      return value;
    } finally {
      this.finish();
    }
  }

  /** Says what a step is waiting for now. */
  note(text: string): void {
    this.running = text;
    this.clear();
    this.show();
  }

  private finish(): void {
    this.clear();
    this.running = "";
  }

  private clear(): void {
    if (process.stdout.isTTY && this.running !== "") process.stdout.write("\r\u001b[K");
  }

  private show(): void {
    if (process.stdout.isTTY && this.running !== "") process.stdout.write(paint("dim", `\r  ${this.running} ...`));
  }
}

const width = 120;
const columns = [
  { title: "case", width: 29 },
  { title: "namespace", width: 12 },
  { title: "expected", width: 10 },
  { title: "verdict", width: 10 },
] as const;
const messageWidth = width - 4 - columns.reduce((sum, column) => sum + column.width, 0);

/** The cases of a stack as lines; the whole message below each with `verbose`. */
export function table(outcomes: readonly Outcome[], stack: StackName, verbose: boolean): string[] {
  const row = (cells: readonly string[]) =>
    columns.map((column, at) => (cells[at] ?? "").padEnd(column.width)).join("");
  const head = `    ${row(columns.map(({ title }) => title))}message`;
  const lines = outcomes.flatMap(({ demoCase, verdict, asExpected, short, full }) => {
    const expected = demoCase.expected[stack].verdict;
    const mark = asExpected ? paint("green", "ok") : paint("red", "!!");
    const [before, after] = [
      row([demoCase.title, demoCase.namespace, expected]).trimEnd().padEnd(51),
      cut(short, messageWidth),
    ];
    const painted = paint(verdict === "refused" ? "red" : verdict === "reported" ? "yellow" : "green", verdict);
    const line = ` ${mark} ${before}${painted}${" ".repeat(10 - verdict.length)}${after}`;
    return verbose && full !== "" ? [line, ...indent(full), ""] : [line];
  });
  return [paint("bold", head), ...lines];
}

const cut = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 3)}...`);

const indent = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => paint("dim", `      ${line}`.trimEnd()));
