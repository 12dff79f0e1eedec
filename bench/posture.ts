import * as fs from "node:fs";
import * as path from "node:path";
import { performance } from "node:perf_hooks";
import { toMarkdown } from "../cli/posture/markdown";
import { readPreview } from "../cli/posture/preview";
import { comparePostures } from "../components/posture/comparison/compare";
import type { Bench } from "./measure";

const MEGABYTES = 5;
const ROUNDS = 10;
const LIMIT_MS = 2000;
/** How many times the work of parsing the preview the answer may cost. */
const MOST_PARSES = 10;

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

/** The posture lines of a preview of 5 MB: what a pull request of a large stack costs, against parsing it alone. */
export const posture: Bench = async () => {
  const text = largePreview(MEGABYTES);
  const answer = slowest(() => {
    const lines = toMarkdown(comparePostures(readPreview(text, "dev")));
    if (!lines.includes("**STRONGER**")) throw new Error(`a wrong answer: ${lines}`);
  });
  const times = answer / slowest(() => JSON.parse(text));
  return [
    {
      what: `posture of ${MEGABYTES} MB, slowest of ${ROUNDS}`,
      value: `${(answer / 1000).toFixed(2)} s`,
      limit: `${LIMIT_MS / 1000} s`,
      holds: answer <= LIMIT_MS,
    },
    {
      what: "the same, baseline JSON.parse alone",
      value: `${times.toFixed(1)} x`,
      limit: `${MOST_PARSES} x`,
      holds: times <= MOST_PARSES,
    },
  ];
};

function slowest(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return Math.max(...times);
}
