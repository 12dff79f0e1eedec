import * as path from "node:path";
import { Command } from "commander";
import { compilePosture } from "../../components/compile";
import { argsFromSettings } from "../../components/config";
import { loadKubeConfig } from "../../components/kubernetes/cluster";
import { resolvePosture } from "../../components/resolve";
import {
  type ClusterOptions,
  clusterTarget,
  isJson,
  type OutputOptions,
  withClusterOptions,
  withOutputOption,
} from "../options";
import { readStackSettings } from "../settings/stackSettings";
import { Progress } from "../terminal/progress";
import { allChecks } from "./checks";
import { explainCommand } from "./explain/command";
import type { Commands, StackFacts } from "./facts";
import { exitCode, type Finding, SEVERITIES } from "./finding";
import { quote } from "./fixes";
import { gatherFacts, type Question } from "./gather";
import { describeDoctor } from "./text";

export interface DoctorOptions extends ClusterOptions {
  stack?: string;
  cwd: string;
  namespace?: string;
  release?: string;
}

export interface DoctorReport {
  readonly version: 1;
  readonly stack?: string;
  readonly findings: readonly Finding[];
  readonly exitCode: 0 | 1 | 2;
}

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("Look at everything that the guard stands on, and name the command that mends what is broken.")
    .option("-s, --stack <name>", "stack whose Pulumi.<name>.yaml says what should be there")
    .option("-C, --cwd <folder>", "folder of the stack files", ".")
    .option("-n, --namespace <name>", "Kyverno's namespace (default: the stack's, else kyverno)")
    .option("--release <name>", "Kyverno's Helm release (default: the stack's, else kyverno)")
    .option("--all", "also show what is well")
    // explain has options of the same names.
    .enablePositionalOptions();
  withOutputOption(withClusterOptions(command))
    .addHelpText(
      "after",
      [
        "",
        "Reads only. Exit code: 0 nothing is broken, 1 something is, 2 something could not be looked at.",
        "",
        "Examples:",
        "  image-signing-guard doctor --stack prod",
        "  image-signing-guard doctor --stack prod --context prod-eu --output json",
        "  kubectl apply -f pod.yaml 2>&1 | image-signing-guard doctor explain -",
      ].join("\n"),
    )
    .action(async (options: DoctorOptions & OutputOptions & { all?: boolean }) => {
      const json = isJson(options);
      const report = await doctor(options, new Date(), new Progress());
      process.stdout.write(
        `${json ? JSON.stringify(report, null, 2) : describeDoctor(report, options.all ?? false)}\n`,
      );
      process.exitCode = report.exitCode;
    });
  return command.addCommand(explainCommand());
}

export async function doctor(options: DoctorOptions, now: Date, progress = new Progress()): Promise<DoctorReport> {
  const stack = options.stack === undefined ? undefined : stackFacts(options.stack, options.cwd, now);
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
function stackFacts(name: string, folder: string, now: Date): StackFacts {
  const args = argsFromSettings(readStackSettings(name, folder));
  const resolved = resolvePosture({ ...args, trust: { ...args.trust, strict: false } }, { now });
  return { name, folder, resolved, compiled: compilePosture(resolved) };
}

function kubeConfigOf(options: ClusterOptions): Question["config"] {
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
