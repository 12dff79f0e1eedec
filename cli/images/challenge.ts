/** One way to log in that a server offers (RFC 9110, WWW-Authenticate). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** By name in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`);
const SCHEME = new RegExp(`^\\s*(${TOKEN})(?=\\s|,|$)`);

/** Several challenges in one header or in several, with values in quotation marks or without. */
export function challengesOf(header: string | null): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header ?? "";
  while (rest.trim() !== "") {
    const parameter = PARAMETER.exec(rest);
    const scheme = parameter ? null : SCHEME.exec(rest);
    const current = found.at(-1);
    if (parameter && current) {
      const [, name, quoted, plain] = parameter;
      const value = quoted === undefined ? plain! : quoted.replace(/\\(.)/g, "$1");
      // The first one counts, as with Go's parser of what Kyverno is made of.
      current.parameters[name!.toLowerCase()] ??= value;
    } else if (scheme) found.push({ scheme: scheme[1]!.toLowerCase(), parameters: Object.create(null) });
    // What is neither ends at a comma.
    const taken = parameter?.[0].length ?? scheme?.[0].length ?? `${rest},`.indexOf(",") + 1;
    rest = rest.slice(taken).replace(/^\s*,?/, "");
  }
  return found;
}
