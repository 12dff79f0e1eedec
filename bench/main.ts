import { admission } from "./admission";
import { type Bench, quick } from "./bench";
import { deploymentsBench } from "./deployments";
import { pulumiBench } from "./pulumi";
import { writeReport } from "./report";

const benches: readonly Bench[] = [admission, deploymentsBench, pulumiBench];

/** `npm run bench` runs all, `npm run bench -- NAME ...` some; then docs/performance.md is written anew. */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    throw new Error(`no bench ${unknown.join(", ")}; there are ${benches.map(({ name }) => name).join(", ")}`);
  }
  for (const bench of benches.filter(({ name }) => names.length === 0 || names.includes(name))) {
    console.log(bench.name);
    await bench.run();
  }
  if (!quick) writeReport();
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`error: ${(error as Error).message}\n`);
    process.exit(2);
  },
);
