/** One thing wrong with the input, told so that a person can mend it without reading code. */
export interface Problem {
  /** Where, in the words of the config: `images[0].signers[1].github.ref`. */
  readonly key: string;
  /** What was found there, already safe to print. */
  readonly found: string;
  /** What would be allowed. */
  readonly allowed: string;
  /** What to do about it. */
  readonly fix: string;
}

/** Every problem of the input at once. Thrown before anything is made, so nothing is half applied. */
export class GuardInputError extends Error {
  constructor(public readonly problems: readonly Problem[]) {
    super(describeProblems(problems));
    this.name = "GuardInputError";
  }
}

export function describeProblems(problems: readonly Problem[]): string {
  const where = problems.every(({ key }) => /^[-<]/.test(key)) ? "The command line" : "The guard's configuration";
  const heading = `${where} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:`;
  return [heading, ...problems.map(describeProblem)].join("\n");
}

function describeProblem(problem: Problem): string {
  return [
    `  ${problem.key}`,
    `    found:   ${problem.found}`,
    `    allowed: ${problem.allowed}`,
    `    fix:     ${problem.fix}`,
  ].join("\n");
}

/** Collects problems, to throw them together, and what is only to be known. */
export class ProblemList {
  /** What is no mistake but should be seen at every preview. */
  readonly warnings: string[] = [];
  private readonly problems: Problem[] = [];

  /** A value that is wrong. */
  add(key: string, value: unknown, allowed: string, fix: string): void {
    this.say(key, describeValue(value), allowed, fix);
  }

  /** Something that is wrong and no single value. */
  say(key: string, found: string, allowed: string, fix: string): void {
    this.problems.push({ key, found, allowed, fix });
  }

  warn(text: string): void {
    this.warnings.push(text);
  }

  throwIfAny(): void {
    if (this.problems.length > 0) throw new GuardInputError(this.problems);
  }
}

const LONGEST_VALUE = 120;

/** What was found, in one line. Blocks and lists are only named: a key or a token may be anywhere inside them. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null (an empty value)";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `a list of ${value.length} ${value.length === 1 ? "entry" : "entries"}`;
  if (typeof value === "object") return `a block with the keys ${Object.keys(value).join(", ") || "(none)"}`;
  return String(value);
}

function quote(text: string): string {
  if (/PRIVATE KEY/.test(text)) return "a private key (not shown)";
  // Base64 of a PEM text: of which one is not to be seen.
  if (/LS0tLS1CRUdJTi/.test(text)) return "an encoded key or certificate (not shown)";
  return shorten(JSON.stringify(text.replace(/:\/\/[^/\s]*@/g, "://***@")));
}

function shorten(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}... (${text.length} characters)`;
}
