#!/usr/bin/env node
import { Command, CommanderError, type Option } from "commander";
import { GuardInputError } from "../components/problems";
import { adoptCommand } from "./adopt/command";
import { bypassCommand } from "./bypass/command";
import { checkCommand } from "./check/command";
import { completionCommand } from "./completion/command";
import { doctorCommand } from "./doctor/command";
import { impactCommand } from "./impact/command";
import { postureCommand } from "./posture/command";
import { recoverCommand } from "./recover/command";
import { renderCommand } from "./render/command";
import { reportCommand } from "./report/command";
import { trustCommand } from "./trust/command";

// By the package's own name, which leads to the same file from the sources and from dist.
const { version } = require("image-signing-guard/package.json") as { version: string };

/** Exit codes: 0 all is well, 1 the answer is no, 2 the question could not be asked. */
const COULD_NOT_ASK = 2;

/** All commands; a new one each time. */
export function program(): Command {
  const command = new Command("image-signing-guard")
    .description("Looks at, renders and checks what may run.")
    .version(version, "--version", "print the version")
    .addHelpText(
      "after",
      [
        "",
        "Exit codes: 0 all is well, 1 the answer is no, 2 the question could not be asked.",
        "",
        "Examples:",
        "  image-signing-guard check ghcr.io/ikey168/modulo-frontend:1.0 --stack prod",
        "  image-signing-guard doctor --stack prod",
        "  kubectl apply -f pod.yaml 2>&1 | image-signing-guard doctor explain -",
        "  source <(image-signing-guard completion bash)",
      ].join("\n"),
    )
    // Commands inside commands have options of the same names.
    .enablePositionalOptions()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });
  for (const subcommand of [
    renderCommand(),
    postureCommand(),
    checkCommand(),
    trustCommand(),
    bypassCommand(),
    impactCommand(),
    reportCommand(),
    adoptCommand(),
    recoverCommand(),
    doctorCommand(),
    completionCommand(),
  ])
    command.addCommand(subcommand);
  exitByError(command);
  return command;
}

/** Commander would end the process by itself; errors are to reach `main`. */
function exitByError(command: Command): void {
  command.exitOverride();
  unknownFirst(command);
  command.commands.forEach(exitByError);
}

/** Commander's own, which it does not declare. */
interface Complaints {
  missingMandatoryOptionValue(option: Option): void;
  unknownOption(flag: string): void;
}

/** A mistyped flag is told as such, not as the one that is then missing. */
function unknownFirst(command: Command): void {
  const complaints = command as unknown as Complaints;
  const missing = complaints.missingMandatoryOptionValue.bind(command);
  complaints.missingMandatoryOptionValue = (option) => {
    const known = ["--help", "--version", ...command.options.flatMap(({ long }) => long ?? [])];
    const given = rootOf(command).rawArgs.map((arg) => arg.split("=")[0]!);
    const unknown = given.find((arg) => /^--\w/.test(arg) && !known.includes(arg));
    if (unknown !== undefined) complaints.unknownOption(unknown);
    missing(option);
  };
}

function rootOf(command: Command): Command & { rawArgs: string[] } {
  return command.parent ? rootOf(command.parent) : (command as Command & { rawArgs: string[] });
}

async function main(): Promise<void> {
  // A reader that closes the pipe early (head, less) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? 0 : COULD_NOT_ASK),
  );
  try {
    await program().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : COULD_NOT_ASK);
    process.stderr.write(
      `${error instanceof GuardInputError ? error.message : `error: ${(error as Error).message}`}\n`,
    );
    process.exit(COULD_NOT_ASK);
  }
}

// Tests and the completion scripts only want the commands.
if (require.main === module) void main();
