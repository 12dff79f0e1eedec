import { Command } from "commander";
import { withOutputOption } from "../../options";
import type { ExplainOptions } from "./run";

export function explainCommand(): Command {
  const command = new Command("explain")
    .description("Say what a refusal means: which policy, which image, who should have signed it, what to do.")
    .argument("[text]", "the error as kubectl or an event shows it; - or nothing: read it from standard input")
    .option("-s, --stack <name>", "stack to name in the commands that it proposes");
  return withOutputOption(command)
    .addHelpText(
      "after",
      [
        "",
        "Needs no cluster. Exit code: 0 explained, 1 not in the table of known messages, 2 there was no text.",
        "",
        "Examples:",
        "  kubectl apply -f pod.yaml 2>&1 | image-signing-guard doctor explain -",
        "  kubectl -n shop get events -o jsonpath='{.items[-1:].message}' | image-signing-guard doctor explain",
        "  image-signing-guard doctor explain 'failed calling webhook \"mutate.kyverno.svc-fail\": ...'",
      ].join("\n"),
    )
    .action(async (text: string | undefined, options: ExplainOptions) =>
      (await import("./run")).runExplain(text, options),
    );
}
