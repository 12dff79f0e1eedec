import { type Document, parseAllDocuments, type ScalarTag } from "yaml";
import { jsonMistake, yamlMistake } from "../../components/mistakes";
import { GuardInputError } from "../../components/problems";

/**
 * YAML and JSON as Pulumi's own reader (go-yaml v3) understands them. It is neither YAML 1.1 nor 1.2: `on` is a text,
 * `0123` an octal number, `1.10` the number 1.1 and `2026-12-01` a time.
 */
export function readDocument(text: string, file: string): unknown {
  const body = text.replace(/^\uFEFF/, "");
  // What became of bytes that are no UTF-8, such as what PowerShell's > writes.
  if (/[\0\uFFFD]/.test(body))
    throw new GuardInputError([{ key: file, found: "no UTF-8 text", allowed: "UTF-8", fix: "save it as UTF-8" }]);
  if (file.endsWith(".json")) return readJson(body, file);
  // As go-yaml: what follows the first document is not read.
  const document = parseAllDocuments(body, { schema: "failsafe", customTags: [goScalar], merge: true })[0];
  if (document === undefined) return null;
  const [error] = document.errors;
  if (error) throw broken(file, yamlMistake(error), "YAML");
  return plainObject(expanded(document as Document.Parsed, file));
}

function expanded(document: Document.Parsed, file: string): unknown {
  try {
    // Maps, as objects would take `__proto__` for something else and every key for a text.
    return document.toJS({ mapAsMap: true });
  } catch {
    throw broken(file, "aliases that lead nowhere or grow without end", "YAML without them");
  }
}

function readJson(text: string, file: string): unknown {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken(file, jsonMistake(error, text), "one JSON document");
  }
}

/** A time written without quotes. Pulumi makes different texts of it in the two files. */
export class Timestamp {
  constructor(private readonly parts: readonly string[]) {}

  /** As Go prints a time, which is what reaches a program from a stack's file. */
  inStack(): string {
    const zone = this.zone === "Z" ? "+0000 UTC" : `${this.zone.replace(":", "")} ${this.zone.replace(":", "")}`;
    return `${this.date} ${this.time} ${zone}`;
  }

  /** RFC 3339, which is what becomes of it in the project's file. */
  inProject(): string {
    return `${this.date}T${this.time}${this.zone}`;
  }

  private get date(): string {
    const [, year = "", month = "", day = ""] = this.parts;
    return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  }

  private get time(): string {
    const [, , , , hours = "0", minutes = "0", seconds = "0", fraction = ""] = this.parts;
    const end = fraction.replace(/\.?0*$/, "");
    return `${[hours, minutes, seconds].map((part) => part.padStart(2, "0")).join(":")}${end}`;
  }

  private get zone(): string {
    const zone = this.parts[8] ?? "Z";
    return /^[+-]00:00$/.test(zone) ? "Z" : zone;
  }
}

const TIMES = [
  /^(\d{4})-(\d\d?)-(\d\d?)[Tt](\d\d?):(\d\d?):(\d\d?)(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  /^(\d{4})-(\d\d?)-(\d\d?) (\d\d?):(\d\d?):(\d\d?)(\.\d+)?$/,
  /^(\d{4})-(\d\d?)-(\d\d?)$/,
];

const WORDS = new Map<string, unknown>([
  ...["", "~", "null", "Null", "NULL"].map((word): [string, unknown] => [word, null]),
  ...["true", "True", "TRUE"].map((word): [string, unknown] => [word, true]),
  ...["false", "False", "FALSE"].map((word): [string, unknown] => [word, false]),
]);

const goScalar: ScalarTag = {
  tag: "tag:yaml.org,2002:str",
  default: true,
  test: /^/,
  resolve: (text) => scalar(text),
};

/** What an unquoted word is. */
export function scalar(text: string): unknown {
  if (WORDS.has(text)) return WORDS.get(text);
  for (const form of TIMES) {
    const parts = form.exec(text);
    if (parts && isDate(parts)) return new Timestamp(parts);
  }
  return /^[-+.0-9]/.test(text) ? (number(text) ?? text) : text;
}

function isDate([, year, month, day]: readonly string[]): boolean {
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  return m >= 1 && m <= 12 && d >= 1 && d <= new Date(y, m, 0).getDate();
}

function number(text: string): number | undefined {
  const plain = text.replace(/_/g, "");
  const [, sign = "", digits = ""] = /^([-+]?)(.*)$/.exec(plain) ?? [];
  const value = integer(digits) ?? (/^(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(digits) ? Number(digits) : undefined);
  return value === undefined ? undefined : sign === "-" ? -value : value;
}

function integer(digits: string): number | undefined {
  if (/^(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|0|[1-9]\d*)$/.test(digits)) return Number(digits);
  return /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** Blocks with texts as keys, which is what becomes of numbers and the like. */
function plainObject(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainObject);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, child]) => [keyText(key), plainObject(child)]));
}

function keyText(key: unknown): string {
  return key instanceof Timestamp ? key.inStack() : key === null ? "<nil>" : String(key);
}

function broken(file: string, found: string, allowed: string): GuardInputError {
  return new GuardInputError([{ key: file, found, allowed, fix: "mend the file there" }]);
}
