import { Command } from "commander";
import { withOutputOption, withStackOptions } from "../options";
import type { RenderOptions } from "./run";

export function renderCommand(): Command {
  const command = new Command("render")
    .description("Print the manifests and Helm values of a stack, without cluster, engine or network.")
    .requiredOption("-s, --stack <name>", "stack whose Pulumi.<name>.yaml is read")
    .option("--out <folder>", "write files into this folder instead of printing");
  return withOutputOption(withStackOptions(command), ["yaml", "json"])
    .addHelpText(
      "after",
      "\nExamples:\n  image-signing-guard render --stack prod --out rendered\n  image-signing-guard render --stack dev | less",
    )
    .action(async (options: RenderOptions) => (await import("./run")).runRender(options));
}
