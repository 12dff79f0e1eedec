import type { Argument, Command, Option } from "commander";

/** What can stand behind an option or in an argument's place. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "file" | "folder" | "stack" | "context" | "free" };

export interface Flag {
  readonly names: readonly string[];
  readonly description: string;
  /** Absent for a switch. */
  readonly values?: Values;
}

/** A command with what may follow it. */
export interface Place {
  /** The words that lead here, each with a space before it: "" or " doctor explain". */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly Flag[];
  readonly argument?: Values;
}

export function placesOf(command: Command, path = ""): Place[] {
  const subcommands = command.commands;
  const argument = command.registeredArguments[0];
  const place: Place = {
    path,
    commands: subcommands.map((sub) => ({ name: sub.name(), description: sub.description() })),
    flags: [...command.options.map(flagOf), { names: ["--help"], description: "display help for command" }],
    ...(argument ? { argument: argumentValues(argument) } : {}),
  };
  return [place, ...subcommands.flatMap((sub) => placesOf(sub, `${path} ${sub.name()}`))];
}

function flagOf(option: Option): Flag {
  const names = [option.short, option.long].filter((name): name is string => typeof name === "string");
  return {
    names,
    description: option.description,
    ...(option.required || option.optional ? { values: optionValues(option) } : {}),
  };
}

/** Told by the placeholder: <file>, <folder>; names are of stacks and contexts where the flag says so. */
function optionValues({ argChoices, flags, long }: Option): Values {
  if (argChoices) return { kind: "words", words: argChoices };
  if (/<(file|path)>/.test(flags)) return { kind: "file" };
  if (/<(folder|directory|dir)>/.test(flags)) return { kind: "folder" };
  if (long === "--stack" || long === "--against") return { kind: "stack" };
  if (long === "--context") return { kind: "context" };
  return { kind: "free" };
}

function argumentValues(argument: Argument): Values {
  if (argument.argChoices) return { kind: "words", words: argument.argChoices };
  if (argument.name() === "file") return { kind: "file" };
  return { kind: argument.name() === "stack" ? "stack" : "free" };
}

/** Names of the stacks whose files are here, and of the kubeconfig's contexts, as a POSIX shell gets them. */
export const STACKS = "ls 2>/dev/null | sed -n 's/^Pulumi\\.\\(.*\\)\\.yaml$/\\1/p'";
export const CONTEXTS = "kubectl config get-contexts -o name 2>/dev/null";

/** A description on one line that no shell takes apart. */
export function plain(description: string): string {
  return description
    .replace(/['"\\`$]/g, "")
    .replace(/:/g, ",")
    .replace(/\s+/g, " ");
}

/** The branches of a shell's `case "$place:$prev"` for flags that take a value, in bash and zsh alike. */
export function valueCases({ path, flags }: Place, reply: (values: Values) => string): string[] {
  return flags.flatMap(({ names, values }) =>
    values ? [`    ${names.map((name) => `"${path}:${name}"`).join(" | ")}) ${reply(values)}; return ;;`] : [],
  );
}
