const CODES = { red: 31, yellow: 33, green: 32, magenta: 35, dim: 2, bold: 1 } as const;
export type Colour = keyof typeof CODES;

/** https://no-color.org: any value but the empty one switches colours off; so do pipes and dumb terminals. */
export function hasColours(
  stream: { isTTY?: boolean } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
}

export function paint(colour: Colour, text: string, isOn: boolean = hasColours()): string {
  return isOn ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}
