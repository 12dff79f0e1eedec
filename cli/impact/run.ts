import { configFromSettings } from "../../components/settings";
import { savedSource } from "../cluster/saved";
import { clusterSource } from "../cluster/source";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions, type StackOptions } from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { Progress } from "../terminal/progress";
import { assessImpact } from "./assess";
import type { Check } from "./check";
import { describeImpact } from "./table";

export interface ImpactOptions extends ClusterOptions, OutputOptions, StackOptions {
  stack: string;
  namespace: string[];
  from: string[];
  check: Check;
  everywhere?: boolean;
  rollbacks: boolean;
  all?: boolean;
}

export async function runImpact(options: ImpactOptions): Promise<void> {
  const json = isJson(options);
  const config = configFromSettings(readStackSettings(options.stack, options.cwd, options));
  const source = options.from.length > 0 ? savedSource(options.from) : clusterSource(clusterTarget(options));
  const progress = new Progress();
  const result = await assessImpact(source, {
    stack: options.stack,
    config,
    namespaces: options.namespace,
    everywhere: options.everywhere ?? false,
    rollbacks: options.rollbacks,
    check: options.check,
    now: new Date(),
    progress: (done, of) => progress.say(`registries asked about ${done} of ${of}`),
  }).finally(() => progress.done());
  const text = json ? JSON.stringify(result, null, 2) : describeImpact(result, options.all ?? false);
  process.stdout.write(`${text}\n`);
  process.exitCode = result.exitCode;
}
