import { type Command, InvalidArgumentError, Option } from "commander";
import type { ClusterTarget } from "../components/kubernetes/kubeConfig";

export interface ClusterOptions {
  kubeconfig?: string;
  context?: string;
  cluster?: string;
  user?: string;
  requestTimeout?: number;
}

export interface StackOptions {
  cwd: string;
  askPulumi?: boolean;
}

/** Where a stack's settings are read, besides its name. */
export function withStackOptions(command: Command): Command {
  return command
    .option("-C, --cwd <folder>", "folder of the project or of the stack files", ".")
    .option("--ask-pulumi", "read the stack's config through pulumi, which opens environments and decrypts");
}

/** The flags by which kubectl finds a cluster. */
export function withClusterOptions(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig to use (default: KUBECONFIG, which may list several, or ~/.kube/config)")
    .option("--context <name>", "context in the kubeconfig (default: the current one)")
    .option("--cluster <name>", "cluster in the kubeconfig, in place of the context's")
    .option("--user <name>", "user in the kubeconfig, in place of the context's")
    .option(
      "--request-timeout <duration>",
      "how long one request may take, such as 5s or 1m; 0: no limit",
      milliseconds,
    );
}

export function clusterTarget({ kubeconfig, context, cluster, user, requestTimeout }: ClusterOptions): ClusterTarget {
  return {
    kubeconfig,
    context,
    cluster,
    user,
    ...(requestTimeout === undefined ? {} : { requestTimeoutMs: requestTimeout }),
  };
}

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as kubectl takes it; a bare number is seconds. */
export function milliseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|$)/g)];
  const whole = parts.map(([part]) => part).join("");
  if (whole !== text || text === "") throw new InvalidArgumentError(`"${text}" is no duration; allowed: 5s, 1m30s, 0`);
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit || "s"] ?? 0), 0);
}

/** A namespace's name, as Kubernetes has them. */
export function namespaceName(text: string): string {
  if (text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return text;
  const lower = text.toLowerCase();
  const hint = lower !== text && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(lower) ? ` (Did you mean ${lower}?)` : "";
  throw new InvalidArgumentError(`"${text}" is no namespace; allowed: lower-case letters, digits and -${hint}`);
}

/** The same for a flag that may be given several times. */
export function namespaceNames(text: string, earlier: readonly string[]): string[] {
  return [...earlier, namespaceName(text)];
}

export interface OutputOptions {
  output: string;
}

/** `--output`, the same for every command that answers something. */
export function withOutputOption(command: Command, formats: readonly string[] = ["table", "json"]): Command {
  return command.addOption(
    new Option("-o, --output <format>", "form of the answer").choices(formats).default(formats[0]),
  );
}

export function isJson({ output }: OutputOptions): boolean {
  return output === "json";
}
