import { Command } from "commander";
import { formatTable } from "../cli/terminal/table";
import { admission } from "./admission";
import { commands } from "./commands";
import { entries } from "./entries";
import { load } from "./load";
import type { Bench } from "./measure";
import { others } from "./others";
import { posture } from "./posture";
import { pulumi } from "./pulumi";
import { reports } from "./reports";

/** To add one: a file that exports a Bench, and a line here. */
const BENCHES: Record<string, Bench> = {
  admission,
  entries,
  others,
  load,
  pulumi,
  reports,
  posture,
  commands,
};

async function main(): Promise<void> {
  const program = new Command("npm run bench --")
    .description("Measures against limits; exit code 1 when one is exceeded.")
    .argument("[names...]", `which of: ${Object.keys(BENCHES).join(", ")} (default: all)`)
    .parse();
  const names = program.args.length > 0 ? program.args : Object.keys(BENCHES);
  const unknown = names.filter((name) => !(name in BENCHES));
  if (unknown.length > 0)
    throw new Error(`no bench ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  for (const name of names) {
    const measures = await BENCHES[name]!();
    const rows = measures.map(({ what, value, limit, holds }) => [what, value, limit, holds ? "yes" : "NO"]);
    console.log(`${name}\n${formatTable(["MEASURED", "VALUE", "LIMIT", "HOLDS"], rows)}\n`);
    if (measures.some(({ holds }) => !holds)) process.exitCode = 1;
  }
}

if (require.main === module)
  main().then(
    // Idle connections of the clients would hold the process for a while.
    () => process.exit(),
    (error: Error) => {
      console.error(`error: ${error.message}`);
      process.exit(2);
    },
  );
