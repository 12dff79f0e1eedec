import * as fs from "node:fs";
import { fileReason } from "../../components/mistakes";
import { comparePostures } from "../../components/posture/comparison/compare";
import type { Comparison, PostureResult } from "../../components/posture/comparison/result";
import { plain } from "../../components/posture/comparison/words";
import { GuardInputError } from "../../components/problems";
import { isJson, type OutputOptions, type StackOptions } from "../options";
import { stackName } from "../settings/stackSettings";
import { toMarkdown } from "./markdown";
import { readPreview } from "./preview";
import { exitCode } from "./result";
import { compareStacks, compareWithRef } from "./stackFiles";

export interface PostureOptions extends OutputOptions, StackOptions {
  from?: string;
  stack?: string;
  against?: string;
  baseRef?: string;
  failOnWeaker?: boolean;
}

async function ask(options: PostureOptions, now: Date): Promise<Comparison> {
  const { from, stack, against, baseRef } = options;
  const given = [from, against, baseRef].filter((value) => value !== undefined).length;
  if (given !== 1) throw new Error("give exactly one of --from, --against, --base-ref");
  if (from !== undefined) return readPreview(await readInput(from), stack);
  if (stack === undefined) throw new Error("--against and --base-ref need --stack");
  if (against !== undefined && stackName(against) === stackName(stack))
    throw new GuardInputError([
      {
        key: "--against",
        found: `"${against}", the stack itself`,
        allowed: "another stack of this folder",
        fix: "name another, or compare with a commit: --base-ref main",
      },
    ]);
  return against !== undefined
    ? compareStacks(stack, against, options, now)
    : compareWithRef(stack, baseRef!, options, now);
}

async function readInput(from: string): Promise<string> {
  if (from !== "-") return readFile(from);
  if (process.stdin.isTTY)
    throw new Error("--from - reads a pipe: pulumi preview --json --show-sames | image-signing-guard posture --from -");
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function readFile(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const found = `${file}: ${fileReason((error as Error).message)}`;
    const fix = "save one: pulumi preview --json --show-sames > preview.json";
    throw new GuardInputError([{ key: "--from", found, allowed: "a file with a preview, or - for a pipe", fix }]);
  }
}

/** Documented in docs/posture.md. */
export function toJson(result: PostureResult, code: number): Record<string, unknown> {
  return {
    version: 1,
    stack: result.stack,
    verdict: result.verdict,
    exitCode: code,
    changes: result.changes.map(({ about, strength, text }) => ({ about, strength, text: plain(text) })),
    lacks: result.lacks.map(plain),
    failed: result.failed.map(plain),
  };
}

export async function runPosture(options: PostureOptions): Promise<void> {
  const result = comparePostures(await ask(options, new Date()));
  const code = exitCode(result, options.failOnWeaker ?? false);
  const text = isJson(options) ? JSON.stringify(toJson(result, code), null, 2) : toMarkdown(result);
  process.stdout.write(`${text}\n`);
  process.exitCode = code;
}
