import { Command } from "commander";
import { isJson, type OutputOptions, withOutputOption } from "../../options";
import { describeExplanation, explain } from "./explain";

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
    .action(async (text: string | undefined, options: OutputOptions & { stack?: string }) => {
      const json = isJson(options);
      const given = text === undefined || text === "-" ? await readPipe() : text;
      if (given.trim() === "") throw new Error("there is no text to explain: give it as an argument or by a pipe");
      const answer = explain(given, options.stack);
      process.stdout.write(`${json ? JSON.stringify(answer, null, 2) : describeExplanation(answer)}\n`);
      process.exitCode = answer.exitCode;
    });
}

const LONGEST = 1 << 20;

async function readPipe(): Promise<string> {
  if (process.stdin.isTTY)
    throw new Error("nothing is piped in: kubectl apply -f pod.yaml 2>&1 | image-signing-guard doctor explain -");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > LONGEST) throw new Error("that is more than 1 MB: pipe in the refusal alone");
  }
  return Buffer.concat(chunks).toString("utf8");
}
