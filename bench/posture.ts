import * as fs from "node:fs";
import * as path from "node:path";
import { performance } from "node:perf_hooks";
import { comparePostures } from "../cli/posture/compare";
import { toMarkdown } from "../cli/posture/markdown";
import { readPreview } from "../cli/posture/preview";

const MEGABYTES = 5;
const ROUNDS = 10;
const LIMIT_MS = 2000;

/** A recorded preview of the guard among so many other resources that the document has the wanted size. */
export function largePreview(megabytes: number): string {
  const file = path.join(__dirname, "../tests/unit/fixtures/posture/enforce.json");
  const document = JSON.parse(fs.readFileSync(file, "utf8")) as { steps: object[] };
  const other = (index: number) => ({
    op: "same",
    urn: `urn:pulumi:dev::p::kubernetes:core/v1:ConfigMap::c${index}`,
    oldState: { inputs: { data: { file: "x".repeat(900) } } },
    newState: { inputs: { data: { file: "x".repeat(900) } } },
  });
  const size = JSON.stringify(other(0)).length + 1;
  const count = Math.ceil((megabytes * 1_000_000) / size);
  return JSON.stringify({
    ...document,
    steps: [...Array.from({ length: count }, (_, index) => other(index)), ...document.steps],
  });
}

/** The posture lines of a preview of 5 MB: what a pull request of a large stack costs. */
export const posture = {
  name: "posture",
  async run(): Promise<{ megabytes: number; medianMs: number; slowestMs: number; heapMegabytes: number }> {
    const text = largePreview(MEGABYTES);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      const lines = toMarkdown(comparePostures(readPreview(text, "dev")));
      times.push(performance.now() - began);
      if (!lines.includes("**STRONGER**")) throw new Error(`a wrong answer: ${lines}`);
    }
    times.sort((a, b) => a - b);
    const result = {
      megabytes: Math.round(text.length / 100_000) / 10,
      medianMs: Math.round(times[Math.floor(ROUNDS / 2)]!),
      slowestMs: Math.round(times.at(-1)!),
      heapMegabytes: Math.round(process.memoryUsage().heapUsed / 1_000_000),
    };
    console.log(
      `posture of a preview of ${result.megabytes} MB: median ${result.medianMs} ms, slowest ${result.slowestMs} ms, heap ${result.heapMegabytes} MB`,
    );
    if (result.slowestMs > LIMIT_MS) throw new Error(`slower than ${LIMIT_MS} ms`);
    return result;
  },
};

if (require.main === module) void posture.run();
