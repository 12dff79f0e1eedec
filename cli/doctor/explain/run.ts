import { isJson, type OutputOptions } from "../../options";
import { describeExplanation, explain } from "./explain";

export interface ExplainOptions extends OutputOptions {
  stack?: string;
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

export async function runExplain(text: string | undefined, options: ExplainOptions): Promise<void> {
  const json = isJson(options);
  const given = text === undefined || text === "-" ? await readPipe() : text;
  if (given.trim() === "") throw new Error("there is no text to explain: give it as an argument or by a pipe");
  const answer = explain(given, options.stack);
  process.stdout.write(`${json ? JSON.stringify(answer, null, 2) : describeExplanation(answer)}\n`);
  process.exitCode = answer.exitCode;
}
