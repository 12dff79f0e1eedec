import { Command } from "commander";
import { namespaceName, withClusterOptions, withOutputOption, withStackOptions } from "../options";
import { explainCommand } from "./explain/command";
import type { DoctorCommandOptions } from "./run";

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("Look at everything that the guard stands on, and name the command that mends what is broken.")
    .option("-s, --stack <name>", "stack whose Pulumi.<name>.yaml says what should be there")
    .option("-n, --namespace <name>", "Kyverno's namespace (default: the stack's, else kyverno)", namespaceName)
    .option("--release <name>", "Kyverno's Helm release (default: the stack's, else kyverno)")
    .option("--all", "also show what is well")
    // explain has options of the same names.
    .enablePositionalOptions();
  withOutputOption(withClusterOptions(withStackOptions(command)))
    .addHelpText(
      "after",
      [
        "",
        "Reads only. Exit code: 0 nothing is broken, 1 something is, 2 something could not be looked at.",
        "",
        "Examples:",
        "  image-signing-guard doctor --stack prod",
        "  image-signing-guard doctor --stack prod --context prod-eu --output json",
        "  kubectl apply -f pod.yaml 2>&1 | image-signing-guard doctor explain -",
      ].join("\n"),
    )
    .action(async (options: DoctorCommandOptions) => (await import("./run")).runDoctor(options));
  return command.addCommand(explainCommand());
}
