import type { Command } from "commander";
import type { ClusterTarget } from "../components/kyverno/cluster";

export interface ClusterOptions {
  kubeconfig?: string;
  context?: string;
}

/** The flags by which kubectl finds a cluster. */
export function withClusterOptions(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig to use (default: KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "context in the kubeconfig (default: the current one)");
}

export function clusterTarget({ kubeconfig, context }: ClusterOptions): ClusterTarget {
  return { kubeconfig, context };
}

export interface OutputOptions {
  output: string;
}

/** `--output`, the same for every command that answers something. */
export function withOutputOption(command: Command): Command {
  return command.option("-o, --output <format>", "table or json", "table");
}

export function isJson({ output }: OutputOptions): boolean {
  if (output !== "json" && output !== "table") throw new Error(`--output is "${output}"; allowed: table, json`);
  return output === "json";
}
