import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { KubeConfig, type RequestContext } from "@kubernetes/client-node";

/** The login program of a kubeconfig did not do its part. */
export class LoginPluginError extends Error {}

interface ExecPlugin {
  command?: string;
  args?: string[];
  env?: { name: string; value: string }[];
  apiVersion?: string;
  installHint?: string;
  provideClusterInfo?: boolean;
}

/** What the client's own class lacks to behave as kubectl does. */
export class GuardKubeConfig extends KubeConfig {
  requestTimeoutMs: number | undefined;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await this.withLogin(() => super.applySecurityAuthentication(context));
    if (this.requestTimeoutMs !== undefined) context.setSignal(AbortSignal.timeout(this.requestTimeoutMs));
  }

  override async applyToHTTPSOptions(options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0]): Promise<void> {
    await this.withLogin(() => super.applyToHTTPSOptions(options));
    if (this.requestTimeoutMs !== undefined) options.signal = AbortSignal.timeout(this.requestTimeoutMs);
  }

  /** Every file of the list that exists; of two entries with one name the first counts, as with kubectl. */
  loadFiles(files: readonly string[]): void {
    const present = files.filter((file) => fs.existsSync(file));
    if (present.length === 0) throw new Error(`there is no kubeconfig ${files.join(", ")}`);
    for (const file of present) {
      const next = readFile(file);
      this.clusters = joined(this.clusters, next.clusters);
      this.users = joined(this.users, next.users);
      this.contexts = joined(this.contexts, next.contexts);
      this.currentContext ||= next.currentContext;
    }
  }

  /** As kubectl: KUBECONFIG, else ~/.kube/config, else the service account of the pod that this runs in. */
  loadAsKubectl(): void {
    const listed = (process.env.KUBECONFIG ?? "").split(path.delimiter).filter((file) => file !== "");
    const home = path.join(process.env.HOME || os.homedir(), ".kube", "config");
    if (listed.length > 0) this.loadFiles(listed);
    else if (fs.existsSync(home)) this.loadFiles([home]);
    else if (fs.existsSync("/var/run/secrets/kubernetes.io/serviceaccount/token")) this.loadFromCluster();
    else throw new Error(`there is no kubeconfig: KUBECONFIG is not set and ${home} does not exist`);
  }

  private async withLogin(log: () => Promise<void>): Promise<void> {
    const user = this.getCurrentUser();
    const plugin = user?.exec as ExecPlugin | undefined;
    if (!plugin) return log();
    this.tellPlugin(plugin);
    try {
      await log();
    } catch (error) {
      throw new LoginPluginError(describeFailure(user!.name, plugin, error as NodeJS.ErrnoException));
    }
  }

  /** kubectl's way of telling the plugin what is asked of it; several refuse to work without. */
  private tellPlugin(plugin: ExecPlugin): void {
    const cluster = this.getCurrentCluster();
    const spec = {
      interactive: false,
      ...(plugin.provideClusterInfo && cluster
        ? { cluster: { server: cluster.server, "certificate-authority-data": cluster.caData } }
        : {}),
    };
    const name = "KUBERNETES_EXEC_INFO";
    const value = JSON.stringify({ apiVersion: plugin.apiVersion, kind: "ExecCredential", spec });
    plugin.env = [...(plugin.env ?? []).filter((one) => one.name !== name), { name, value }];
  }
}

function readFile(file: string): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromFile(file);
  } catch {
    throw new Error(`${file} is no kubeconfig`);
  }
  for (const { exec } of config.users) {
    const command = (exec as ExecPlugin | undefined)?.command;
    // A name alone is looked for on PATH; a path is seen from the file.
    if (command?.includes("/") && !path.isAbsolute(command)) exec.command = path.join(path.dirname(file), command);
  }
  return config;
}

function joined<T extends { name: string }>(first: readonly T[] | undefined, more: readonly T[] | undefined): T[] {
  const known = new Set((first ?? []).map(({ name }) => name));
  return [...(first ?? []), ...(more ?? []).filter(({ name }) => !known.has(name))];
}

function describeFailure(user: string, plugin: ExecPlugin, error: NodeJS.ErrnoException): string {
  const what = `the kubeconfig's user "${user}" logs in by the program "${plugin.command ?? ""}"`;
  if (error.code === "ENOENT")
    return `${what}, which is not installed or not on PATH${plugin.installHint ? `: ${plugin.installHint.trim()}` : ""}`;
  if (error instanceof SyntaxError) return `${what}, which did not print an ExecCredential as JSON`;
  if (error instanceof TypeError) return `${what}, which printed no status with a token or certificate`;
  const said = error.message.trim().replace(/\s+/g, " ").slice(0, 300);
  return `${what}, which failed: ${said || "it said nothing"}`;
}
