import * as fs from "node:fs";
import * as path from "node:path";
import { parse, stringify } from "yaml";
import { KyvernoTarget } from "../components/args";
import { KYVERNO_LINES } from "../components/posture/kyvernoLines";
import {
  copyModuleFolder,
  ensureModuleFolder,
  ensurePublished,
  ensurePublishedChart,
  ensureTool,
  type ToolName,
  toolVersion,
} from "./build";
import type { Log } from "./log";

/** Which Kyverno runs, and the chart that belongs to it. */
export interface KyvernoSource {
  /** Without "v", e.g. "1.10.7". */
  version: string;
  chart: string;
  chartVersion: string;
  binary(name: ToolName, image?: string): Promise<string>;
  /** For the log: where it comes from. */
  origin: string;
}

const binaryFolder = "IMAGE_SIGNING_GUARD_KYVERNO_BIN";
const chartFolder = "IMAGE_SIGNING_GUARD_KYVERNO_CHART";
const versionName = "IMAGE_SIGNING_GUARD_KYVERNO_VERSION";

/** Those that run on this machine (podPlan.ts says why the fourth does not). */
const CONTROLLERS = ["kyverno", "reports-controller", "background-controller"] as const;

/** Ready binaries from a folder, else published images of what is sold, else the module pinned in tools/kyverno/go.mod. */
export async function findKyverno(log: Log, env: NodeJS.ProcessEnv = process.env): Promise<KyvernoSource> {
  const folder = env[binaryFolder];
  const source =
    folder === undefined
      ? ((await publishedKyverno(log, env)) ?? (await builtKyverno(log, env)))
      : readyKyverno(folder, env);
  log(`Kyverno ${source.version} with chart ${source.chartVersion} (${source.origin})`);
  return source;
}

/** The version that the package installs by default, which Go can't build as it is. */
async function publishedKyverno(log: Log, env: NodeJS.ProcessEnv): Promise<KyvernoSource | undefined> {
  const { appVersion, chartVersion } = KYVERNO_LINES[KyvernoTarget.V1_10];
  const programs = new Map<ToolName, string>();
  for (const name of CONTROLLERS) {
    const program = await ensurePublished(name, appVersion, log);
    if (program === undefined) return undefined;
    programs.set(name, program);
  }
  const chart = env[chartFolder] ?? (await ensurePublishedChart(chartVersion, log));
  if (chart === undefined) return undefined;
  return {
    version: appVersion.replace(/^v/, ""),
    chart,
    chartVersion: readChart(chart).version,
    binary: async (name) => programs.get(name) ?? ensureTool(name, log),
    origin: "published images",
  };
}

/** The module pinned in tools/kyverno/go.mod. */
export async function builtKyverno(log: Log, env: NodeJS.ProcessEnv = {}): Promise<KyvernoSource> {
  // Before the first pod asks for them: a build lasts longer than Helm waits.
  for (const name of CONTROLLERS) await ensureTool(name, log);
  const chart = env[chartFolder] ?? (await completeChart(await ensureModuleFolder("kyverno", "charts/kyverno")));
  return {
    version: toolVersion("kyverno").replace(/^v/, ""),
    chart,
    chartVersion: readChart(chart).version,
    binary: (name) => ensureTool(name, log),
    origin: "built from the pinned Go module",
  };
}

interface Dependency {
  name: string;
  version: string;
  repository?: string;
}

/**
 * The module has the chart without the charts of others in it. The definitions of kyverno-api are in the module of that
 * name; the rest belongs to parts that are off.
 */
async function completeChart(chart: string): Promise<string> {
  const file = path.join(chart, "Chart.yaml");
  const description = parse(fs.readFileSync(file, "utf8")) as { dependencies?: Dependency[] };
  const { dependencies = [] } = description;
  const api = dependencies.find(({ name }) => name === "kyverno-api");
  if (api && !fs.existsSync(path.join(chart, "charts", api.name))) {
    const partial = `${chart}-api.${process.pid}`;
    await copyModuleFolder("kyverno", "github.com/kyverno/api", "charts/kyverno-api", partial);
    fs.writeFileSync(
      path.join(partial, "Chart.yaml"),
      stringify({ apiVersion: "v2", name: api.name, version: api.version }),
    );
    fs.renameSync(partial, path.join(chart, "charts", api.name));
  }
  const present = dependencies.filter(({ name }) => fs.existsSync(path.join(chart, "charts", name)));
  if (present.length < dependencies.length)
    fs.writeFileSync(file, stringify({ ...description, dependencies: present.map(({ repository, ...rest }) => rest) }));
  fs.rmSync(path.join(chart, "Chart.lock"), { force: true });
  return chart;
}

function readyKyverno(folder: string, env: NodeJS.ProcessEnv): KyvernoSource {
  const chart = env[chartFolder];
  if (chart === undefined) {
    throw new Error(
      `${binaryFolder} is set but ${chartFolder} is not; set it to the folder of the chart of that Kyverno version`,
    );
  }
  const program = path.join(folder, "kyverno");
  if (!fs.existsSync(program))
    throw new Error(`${binaryFolder}: ${folder} holds no "kyverno"; name the folder with Kyverno's programs`);
  const { version: chartVersion, appVersion } = readChart(chart);
  const version = (env[versionName] ?? stampedVersion(fs.readFileSync(program)) ?? appVersion).replace(/^v/, "");
  if (version !== appVersion.replace(/^v/, "")) {
    throw new Error(
      `Kyverno ${version} (${binaryFolder}) but a chart for ${appVersion} (${chartFolder}); give the chart of the same version`,
    );
  }
  return {
    version,
    chart,
    chartVersion,
    binary: async (name) => path.join(folder, name),
    origin: `ready binaries from ${binaryFolder}`,
  };
}

/** The version that the linker wrote into a Kyverno program, as its build information tells it. */
export function stampedVersion(program: Buffer): string | undefined {
  const at = program.indexOf("kyverno/pkg/version.BuildVersion=");
  if (at < 0) return undefined;
  return program
    .subarray(at, at + 100)
    .toString("latin1")
    .match(/BuildVersion=v?(\d+\.\d+\.\d+[\w.-]*)/)?.[1];
}

function readChart(folder: string): { version: string; appVersion: string } {
  const file = path.join(folder, "Chart.yaml");
  if (!fs.existsSync(file)) throw new Error(`${folder} is no Helm chart (no Chart.yaml); correct ${chartFolder}`);
  return parse(fs.readFileSync(file, "utf8")) as { version: string; appVersion: string };
}
