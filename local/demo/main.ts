import * as fs from "node:fs";
import { Command, Option } from "commander";
import { readStackSettings } from "../../cli/settings/stackSettings";
import { postureByName } from "../../components/posture/byName";
import { tellChanges } from "../../components/posture/comparison/tell";
import { resolveSettings } from "../../components/resolve";
import { argsFromSettings } from "../../components/settings";
import { findEngine, openStack } from "../engine";
import { cases, namespaces } from "./cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "./cluster";
import { handOver } from "./handOver";
import { type DemoImages, makeImages } from "./images";
import { verdictsPicture } from "./picture";
import { applyRendered } from "./render";
import { paint, Screen, table } from "./screen";
import { localChanges, localSettings, projectFolder, type StackName, stackNames } from "./settings";
import { type Outcome, removeAll, tryAll } from "./verdicts";

interface Options {
  stack?: StackName;
  keep?: boolean;
  picture?: string;
  verbose?: boolean;
}

/** Exit codes: 0 every verdict is as expected, 1 one is not, 2 the demo could not run. */
const COULD_NOT_RUN = 2;

function readOptions(): Options {
  return (
    new Command("npm run demo --")
      .description("Runs the stacks of Pulumi.dev.yaml and Pulumi.prod.yaml against a real Kyverno on this machine.")
      .addOption(new Option("--stack <name>", "only this stack (default: dev, then prod)").choices([...stackNames]))
      .option("--keep", "leave the cluster running and print what a stack of your own needs to use it")
      .option("--picture <file>", "also draw the tables as an SVG, as docs/images/demo.svg was made")
      .option("--verbose", "print whole refusals and reports, and what the programs tell")
      .addHelpText("after", "\nExit codes: 0 all verdicts as expected, 1 some are not, 2 the demo could not run.")
      // Commander's own code for a wrong option is 1, which means something else here.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : COULD_NOT_RUN))
      .parse()
      .opts<Options>()
  );
}

async function main(): Promise<void> {
  const options = readOptions();
  const screen = new Screen(options.verbose ?? false);
  const stacks = options.stack ? [options.stack] : stackNames;
  let cluster: DemoCluster | undefined;
  try {
    screen.line(
      `Runs a control plane with Kyverno on this machine and applies ${stacks.join(", then ")}: ${stacks.length + 1} minutes. The first time its programs are fetched (some 300 MB) or, where their images can't be had, built (10 to 40 minutes).`,
    );
    for (const stack of stacks) for (const line of postureLines(stack)) screen.line(line);
    cluster = await screen.step(
      "control plane",
      () => startCluster({ log: screen.log, uninstalls: options.keep === true }),
      ({ node }) => `etcd, API server and controller manager run; Kyverno ${node.kyverno.version}`,
    );
    const { images, tables } = await runStacks(cluster, stacks, screen, options.verbose ?? false);
    const outcomes = Object.values(tables).flat();
    if (options.picture) fs.writeFileSync(options.picture, verdictsPicture(rowsOf(tables)));
    const wrong = outcomes.filter(({ asExpected }) => !asExpected).length;
    screen.line();
    screen.line(
      wrong === 0
        ? paint("green", `All ${outcomes.length} verdicts are as expected.`)
        : paint("red", `${wrong} of ${outcomes.length} verdicts are not as expected (marked !!).`),
    );
    process.exitCode = wrong === 0 ? 0 : 1;
    if (options.keep) await keepRunning(handOver(cluster, images, stacks.at(-1)!), screen);
  } catch (error) {
    const logs = cluster ? `\nThe logs of all programs stay in ${cluster.plane.workDir}/logs.` : "";
    process.stderr.write(`error: ${(error as Error).message}${logs}\n`);
    process.exitCode = COULD_NOT_RUN;
  }
  await cluster?.stop();
  // Idle connections of the clients would hold the process for a while.
  process.exit();
}

/** What a stack's file says, at once: it needs no cluster, and what follows may take its time. */
function postureLines(stack: StackName): string[] {
  const posture = postureByName(resolveSettings(readStackSettings(stack, projectFolder)).posture);
  const [, ...lines] = tellChanges(undefined, posture).split("\n");
  return ["", paint("bold", `Pulumi.${stack}.yaml says`), ...lines];
}

async function runStacks(
  { plane, cosign, sigstore, node }: DemoCluster,
  stacks: readonly StackName[],
  screen: Screen,
  verbose: boolean,
): Promise<{ images: DemoImages; tables: Tables }> {
  const images = await screen.step(
    "images",
    () => makeImages(plane.registry, cosign, sigstore),
    () => "ghcr.io/ikey168/modulo-* pushed; signed with certificate, transparency log bundle and SCT",
  );
  await ensureNamespaces(plane, Object.values(namespaces));
  const engine = await findEngine(screen.log);
  const pulumi = "missing" in engine ? undefined : await openStack(plane, engine, "local");
  const how = "missing" in engine ? `server-side apply of what render prints: ${engine.missing}` : "pulumi up";
  screen.line(`  ${"applied by".padEnd(16)}${how}`);
  screen.line(`  ${"settings".padEnd(16)}${localChanges}`);

  const tables: Tables = {};
  for (const stack of stacks) {
    screen.line();
    screen.line(paint("bold", `Pulumi.${stack}.yaml`));
    const settings = localSettings(stack, sigstore, node.kyverno);
    await screen.step(
      "up",
      async () => {
        if (!pulumi) return applyRendered(plane, node.kyverno, settings);
        return pulumi.up(argsFromSettings(settings));
      },
      (run) =>
        run ? `pulumi: ${countOperations(run.operations)}; ${run.outputs.readiness}` : "all policies are Ready",
    );
    const outcomes = await screen.step(
      "cases",
      () =>
        tryAll(plane, cases, images, stack, () =>
          screen.note("waiting for the policy reports (Kyverno writes them after about a minute)"),
        ),
      () => `${cases.length} objects created or refused, policy reports read`,
    );
    for (const line of table(outcomes, stack, verbose)) screen.line(line);
    tables[stack] = outcomes;
    if (stack !== stacks[stacks.length - 1]) await removeAll(plane, cases, stack);
  }
  screen.line();
  screen.line(paint("dim", "  reported: admitted, and the policy reports of the namespace list it as failed"));
  return { images, tables };
}

type Tables = Partial<Record<StackName, readonly Outcome[]>>;

const rowsOf = (tables: Tables) =>
  Object.fromEntries(
    Object.entries(tables).map(([stack, outcomes]) => [
      stack,
      outcomes.map(({ demoCase, verdict, short }) => ({
        title: demoCase.title,
        namespace: demoCase.namespace,
        verdict,
        message: short,
      })),
    ]),
  );

function countOperations(operations: readonly { op: string }[]): string {
  const counts = new Map<string, number>();
  for (const { op } of operations) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => `${count} ${op}`).join(", ");
}

/** Until Ctrl-C, which also stops the cluster. */
async function keepRunning(words: readonly string[], screen: Screen): Promise<never> {
  screen.line();
  for (const line of ["The cluster is still running.", ...words]) screen.line(line === "" ? "" : `  ${line}`);
  screen.line("  Ctrl-C stops it.");
  return new Promise<never>(() => setInterval(() => {}, 3_600_000));
}

void main();
