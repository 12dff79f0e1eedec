import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { version as wantedPlugin } from "@pulumi/kubernetes/package.json";
import type { EngineFacts } from "./facts";

/** What of the engine is on this machine; asks no backend. */
export async function engineFacts(env: NodeJS.ProcessEnv = process.env): Promise<EngineFacts> {
  const cli = await promisify(execFile)("pulumi", ["version"], { timeout: 20_000, env }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  const pluginOnPath = (env.PATH ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, "pulumi-resource-kubernetes"))
    .find((file) => fs.existsSync(file));
  return {
    ...(cli ? { cli } : {}),
    plugins: installedPlugins(env),
    wantedPlugin,
    ...(pluginOnPath ? { pluginOnPath } : {}),
  };
}

function installedPlugins(env: NodeJS.ProcessEnv): string[] {
  const folder = path.join(env.PULUMI_HOME ?? path.join(os.homedir(), ".pulumi"), "plugins");
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((name) => /^resource-kubernetes-v(.+?)$/.exec(name)?.[1] ?? []);
}
