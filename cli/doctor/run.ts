import * as path from "node:path";
import { compilePosture } from "../../components/compile";
import { loadKubeConfig } from "../../components/kubernetes/kubeConfig";
import { resolveConfig } from "../../components/resolve";
import { configFromSettings } from "../../components/settings";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions, type StackOptions } from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { Progress } from "../terminal/progress";
import { allChecks } from "./checks";
import type { Commands, StackFacts } from "./facts";
import { type DoctorReport, exitCode, SEVERITIES } from "./finding";
import { quote } from "./fixes";
import { gatherFacts, type Survey } from "./gather";
import { describeDoctor } from "./text";

export interface DoctorOptions extends ClusterOptions, StackOptions {
  stack?: string;
  namespace?: string;
  release?: string;
}

export interface DoctorCommandOptions extends DoctorOptions, OutputOptions {
  all?: boolean;
}

export async function doctor(options: DoctorOptions, now: Date, progress = new Progress()): Promise<DoctorReport> {
  const stack = options.stack === undefined ? undefined : stackFacts(options.stack, options, now);
  const kyverno = stack?.resolved.posture.kyverno;
  const facts = await gatherFacts({
    config: kubeConfigOf(options),
    namespace: options.namespace ?? kyverno?.namespace ?? "kyverno",
    release: options.release ?? kyverno?.releaseName ?? "kyverno",
    ...(stack ? { stack } : {}),
    commands: commandsOf(options),
    now,
    progress,
  });
  const findings = [...allChecks(facts)].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
  return {
    version: 1,
    ...(options.stack === undefined ? {} : { stack: options.stack }),
    findings,
    exitCode: exitCode(findings),
  };
}

/** Also with a trust bundle that has ended: that is one of the things to find. */
function stackFacts(name: string, options: StackOptions, now: Date): StackFacts {
  const config = configFromSettings(readStackSettings(name, options.cwd, options));
  const resolved = resolveConfig({ ...config, trust: { ...config.trust, strict: false } }, { now });
  return { name, folder: options.cwd, resolved, compiled: compilePosture(resolved) };
}

function kubeConfigOf(options: ClusterOptions): Survey["config"] {
  try {
    return loadKubeConfig(clusterTarget(options));
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** The caller's own flags, so that a command that is pasted reaches the same cluster. */
function commandsOf({ kubeconfig, context, cluster, user, stack, cwd }: DoctorOptions): Commands {
  const flag = (name: string, value: string | undefined) => (value === undefined ? "" : ` --${name}=${quote(value)}`);
  const clusterFlags = `${flag("kubeconfig", kubeconfig)}${flag("context", context)}${flag("cluster", cluster)}${flag("user", user)}`;
  return {
    kubectl: `kubectl${clusterFlags}`,
    helm: `helm${flag("kubeconfig", kubeconfig)}${flag("kube-context", context)}`,
    guard: "npx image-signing-guard",
    clusterFlags,
    stackFlags: `${flag("stack", stack)}${path.resolve(cwd) === process.cwd() ? "" : flag("cwd", cwd)}`.trim(),
  };
}

export async function runDoctor(options: DoctorCommandOptions): Promise<void> {
  const json = isJson(options);
  const report = await doctor(options, new Date(), new Progress());
  process.stdout.write(`${json ? JSON.stringify(report, null, 2) : describeDoctor(report, options.all ?? false)}\n`);
  process.exitCode = report.exitCode;
}
