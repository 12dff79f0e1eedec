import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import type { RuleGroup } from "../components/monitoring/prometheusRule";
import { ensurePublished } from "./build";
import type { ControlPlane } from "./controlPlane";
import type { Log } from "./log";
import { freePort, loopback } from "./ports";
import { baseEnv, startProcess } from "./processes";
import { waitFor } from "./waitFor";

export interface Target {
  job: string;
  /** host:port */
  address: string;
}

export interface FiringAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: "pending" | "firing";
}

export interface Samples {
  metric: Record<string, string>;
  /** Seconds and value. */
  values: [number, number][];
}

export interface Prometheus {
  readonly url: string;
  /** Replaces what is scraped besides the API server. */
  scrape(targets: readonly Target[]): void;
  query(expr: string): Promise<Samples[]>;
  queryRange(expr: string, start: number, end: number, step: number): Promise<Samples[]>;
  alerts(): Promise<FiringAlert[]>;
  stop(): Promise<void>;
}

/** The line with long-term support that Debian's packages come from too. */
const VERSION = "v2.53.4";

export const prometheusIsMissing = (name: "prometheus" | "promtool"): string =>
  `${name} is not on the PATH (apt-get install prometheus brings it), and its image can't be had`;

/** A program of Prometheus: the one on the PATH, else that of its published image; undefined where there is neither. */
export async function findPrometheus(name: "prometheus" | "promtool", log: Log): Promise<string | undefined> {
  if (spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0) return name;
  return ensurePublished(name, VERSION, log);
}

/**
 * Prometheus, on 127.0.0.1 and a port of its own, with these rules. It scrapes the API server as an
 * admin, and each second what `scrape` names.
 */
export async function startPrometheus(
  plane: ControlPlane,
  groups: readonly RuleGroup[],
  command = "prometheus",
): Promise<Prometheus> {
  const folder = path.join(plane.workDir, "prometheus");
  fs.mkdirSync(folder, { recursive: true });
  const file = (name: string, text: string) => {
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return path.join(folder, name);
  };
  const user = plane.client.getCurrentUser();
  const pem = (data: string | undefined) => Buffer.from(data ?? "", "base64").toString();
  const targetFile = file("targets.json", "[]");
  const server = new URL(plane.server).host;
  const config = file(
    "prometheus.yml",
    stringify({
      global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
      rule_files: [file("rules.yml", stringify({ groups }))],
      scrape_configs: [
        { job_name: "kyverno", file_sd_configs: [{ files: [targetFile], refresh_interval: "1s" }] },
        {
          job_name: "apiserver",
          scheme: "https",
          static_configs: [{ targets: [server] }],
          tls_config: {
            ca_file: file("ca.crt", plane.ca),
            cert_file: file("client.crt", pem(user?.certData)),
            key_file: file("client.key", pem(user?.keyData)),
          },
          // Thousands of series that nobody asks about.
          metric_relabel_configs: [
            {
              source_labels: ["__name__"],
              regex: "apiserver_(admission_webhook|validating_admission_policy)_.*",
              action: "keep",
            },
          ],
        },
      ],
    }),
  );
  const port = await freePort();
  const url = `http://${loopback}:${port}`;
  const child = startProcess({
    name: "prometheus",
    command,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(folder, "data")}`,
      `--web.listen-address=${loopback}:${port}`,
      "--log.level=warn",
    ],
    env: baseEnv(),
    cwd: folder,
    logFile: path.join(plane.workDir, "logs", "prometheus.log"),
  });
  const stop = async () => {
    await child.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  plane.onStop(stop);
  await waitFor("Prometheus answers", 30_000, async () => {
    child.assertRunning();
    return (await fetch(`${url}/-/ready`)).ok;
  });

  const get = async <T>(route: string, parameters: Record<string, string> = {}): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${route}?${new URLSearchParams(parameters)}`);
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== "success") throw new Error(`Prometheus on ${JSON.stringify(parameters)}: ${body.error}`);
    return body.data;
  };
  type Raw = { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] };
  const samples = ({ result }: { result: Raw[] }): Samples[] =>
    result.map(({ metric, value, values }) => ({
      metric,
      values: (values ?? [value!]).map(([time, text]) => [time, Number(text)]),
    }));
  return {
    url,
    scrape: (targets) => {
      const groups = targets.map(({ job, address }) => ({ targets: [address], labels: { job } }));
      // Renamed into place: Prometheus may be reading it.
      fs.writeFileSync(`${targetFile}.new`, JSON.stringify(groups));
      fs.renameSync(`${targetFile}.new`, targetFile);
    },
    query: async (query) => samples(await get("query", { query })),
    queryRange: async (query, start, end, step) =>
      samples(await get("query_range", { query, start: `${start}`, end: `${end}`, step: `${step}` })),
    alerts: async () => (await get<{ alerts: FiringAlert[] }>("alerts")).alerts,
    stop,
  };
}
