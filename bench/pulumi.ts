import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { argsFromSettings } from "../components/settings";
import { type Engine, findEngine } from "../local/engine";
import { runToEnd } from "../local/processes";
import { type BenchCluster, startBenchCluster } from "./cluster";
import type { Bench } from "./measure";
import type { ProgramInput, ProgramRun } from "./pulumiProgram";
import { quick } from "./quick";
import { writeReport } from "./report";
import { type ProgramName, type ProgramResult, programs, save } from "./results";
import { percentile } from "./stats";

const rounds = quick ? 1 : Number(process.env.BENCH_ROUNDS ?? 3);

export const pulumi: Bench = async () => {
  const engine = await findEngine((line) => console.log(`  ${line}`));
  if ("missing" in engine) {
    console.log(`  skipped: ${engine.missing}`);
    return [];
  }
  const loadBefore = os.loadavg()[0]!;
  const program = compileProgram();
  const cluster = await startBenchCluster(1);
  try {
    const runs: Record<ProgramName, ProgramRun[]> = { component: [], bare: [] };
    for (let round = 0; round < rounds; round++) {
      // Turn about, so that whatever else the machine does hits both alike.
      for (const name of round % 2 === 0 ? programs : [...programs].reverse()) {
        const run = await runProgram(cluster, engine, program, name, round);
        console.log(`  round ${round + 1} of ${rounds}: ${name}, up ${run.up.toFixed(1)} s`);
        runs[name].push(run);
      }
    }
    const [component, bare] = [summary(runs.component), summary(runs.bare)];
    save("pulumi", {
      ...cluster.versions,
      plugin: engine.pluginVersion,
      loadBefore,
      rounds,
      programs: { component, bare },
    });
    if (!quick) writeReport();
    return [
      {
        what: `first up, ${component.resources} resources; a bare Release with policies: ${bare.up.toFixed(1)} s, ${bare.resources} resources`,
        value: `${component.up.toFixed(1)} s`,
        limit: `${(2 * bare.up).toFixed(1)} s`,
        holds: component.up < 2 * bare.up,
      },
      {
        what: `peak memory of the program; bare: ${bare.memoryMiB} MiB`,
        value: `${component.memoryMiB} MiB`,
        limit: `${2 * bare.memoryMiB} MiB`,
        holds: component.memoryMiB < 2 * bare.memoryMiB,
      },
    ];
  } finally {
    await cluster.stop();
  }
};

function summary(runs: readonly ProgramRun[]): ProgramResult {
  const median = (of: (run: ProgramRun) => number) => percentile(runs.map(of), 50);
  return {
    preview: median(({ preview }) => preview),
    up: median(({ up }) => up),
    emptyPreview: median(({ emptyPreview }) => emptyPreview),
    resources: runs[0]!.resources,
    memoryMiB: Math.max(...runs.map(({ memoryMiB }) => memoryMiB)),
  };
}

/** Compiled as it is published: a program that compiles itself would mostly show the compiler's time and memory. */
function compileProgram(): string {
  const project = path.join(__dirname, "..");
  const out = path.join(project, "node_modules", ".cache", "bench");
  const tsc = require.resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--outDir", out, "--noCheck", "--declaration", "false"], { cwd: project });
  return path.join(out, "bench", "pulumiProgram.js");
}

/** A process and a stack of its own for each run; the stack is destroyed at its end. */
async function runProgram(
  { plane, settings }: BenchCluster,
  engine: Engine,
  program: string,
  name: ProgramName,
  round: number,
): Promise<ProgramRun> {
  const folder = path.join(plane.workDir, "pulumi");
  const id = `${name}-${round}`;
  fs.mkdirSync(folder, { recursive: true });
  const { workDir, kubeconfig } = plane;
  const input: ProgramInput = {
    name,
    stack: id,
    plane: { workDir, kubeconfig },
    engine,
    args: argsFromSettings(settings),
  };
  const file = path.join(folder, `${id}.json`);
  fs.writeFileSync(file, JSON.stringify(input));
  const output = await runToEnd(
    {
      name: `pulumi program ${id}`,
      command: process.execPath,
      args: [program, file],
      env: { ...process.env, KUBECONFIG: kubeconfig },
      logFile: path.join(workDir, "logs", `bench-pulumi-${id}.log`),
    },
    900_000,
  );
  return JSON.parse(output.trim().split("\n").pop()!) as ProgramRun;
}
