import { Argument, Command } from "commander";
import { bashScript } from "./bash";
import { fishScript } from "./fish";
import { type Place, placesOf } from "./places";
import { zshScript } from "./zsh";

const SCRIPTS: Record<string, (places: readonly Place[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Completion for a shell, written from the commands themselves, so that it can't lack one. */
export function completionCommand(): Command {
  return new Command("completion")
    .description("Print a shell's completion script.")
    .addArgument(new Argument("<shell>", "shell").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      [
        "",
        "Examples:",
        "  source <(image-signing-guard completion bash)                              # this shell; put it into ~/.bashrc",
        '  image-signing-guard completion zsh > "${fpath[1]}/_image-signing-guard"     # then start a new shell',
        "  image-signing-guard completion fish > ~/.config/fish/completions/image-signing-guard.fish",
      ].join("\n"),
    )
    .action((shell: string, _options: unknown, command: Command) => {
      process.stdout.write(SCRIPTS[shell]!(placesOf(rootOf(command))));
    });
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}
