import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { z } from "zod";
import type { ClusterAccess, ExecPlugin } from "./kubeConfig";

/** The login of a kubeconfig did not do its part. */
export class LoginError extends Error {}

/** By what a request says who asks. */
export interface Credentials {
  readonly headers: Record<string, string | string[]>;
  /** PEM */
  readonly cert?: string;
  readonly key?: string;
}

const credentialShape = z.object({
  status: z.object({
    token: z.string().nullish(),
    clientCertificateData: z.string().nullish(),
    clientKeyData: z.string().nullish(),
    expirationTimestamp: z.string().nullish(),
  }),
});
type ExecStatus = z.output<typeof credentialShape>["status"];

/** Who asks, as the kubeconfig says it: certificate, token, password or login program, and in whose place. */
export class Login {
  private granted: ExecStatus | undefined;

  constructor(private readonly access: ClusterAccess) {}

  async credentials(): Promise<Credentials> {
    const { user } = this.access;
    const cert = content(user["client-certificate-data"], user["client-certificate"], "client-certificate");
    const key = content(user["client-key-data"], user["client-key"], "client-key");
    const own = { ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
    const headers = this.impersonation();
    const bearer = (token: string) => ({ ...own, headers: { ...headers, authorization: `Bearer ${token}` } });
    // A file is read each time: what writes it renews it.
    const token = user.tokenFile ? readText(user.tokenFile, "tokenFile").trim() : user.token;
    if (token) return bearer(token);
    if (user.username) {
      const basic = Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64");
      return { ...own, headers: { ...headers, authorization: `Basic ${basic}` } };
    }
    if (user.exec) {
      const status = await this.execStatus(user.exec);
      const plugin = {
        ...(status.clientCertificateData ? { cert: status.clientCertificateData } : {}),
        ...(status.clientKeyData ? { key: status.clientKeyData } : {}),
      };
      return { ...(status.token ? bearer(status.token) : { headers }), ...plugin };
    }
    if (user["auth-provider"]) return bearer(this.providedToken(user["auth-provider"]));
    return { ...own, headers };
  }

  /** After a 401: whether asking for new credentials may help. */
  renew(): boolean {
    const renews = this.granted !== undefined;
    this.granted = undefined;
    return renews;
  }

  private impersonation(): Record<string, string | string[]> {
    const { user } = this.access;
    const headers: Record<string, string | string[]> = {};
    if (user.as) headers["impersonate-user"] = user.as;
    if (user["as-uid"]) headers["impersonate-uid"] = user["as-uid"];
    if (user["as-groups"]?.length) headers["impersonate-group"] = user["as-groups"];
    for (const [name, values] of Object.entries(user["as-user-extra"] ?? {}))
      headers[`impersonate-extra-${encodeURIComponent(name)}`] = values;
    return headers;
  }

  /** kubectl itself renews these tokens and writes them down; two who renew would take each other's away. */
  private providedToken({ name, config }: { name: string; config?: Record<string, unknown> | null }): string {
    const token = config?.["id-token"];
    const [, payload = ""] = typeof token === "string" ? token.split(".") : [];
    const what = `the kubeconfig's user "${this.access.userName}" logs in by the auth-provider ${name}`;
    if (name !== "oidc" || typeof token !== "string")
      throw new LoginError(`${what}, which kubectl no longer has; use its login program (exec) instead`);
    if (expiryOf(payload) * 1000 < Date.now())
      throw new LoginError(`${what}, whose token has expired; kubectl version renews it`);
    return token;
  }

  private async execStatus(plugin: ExecPlugin): Promise<ExecStatus> {
    const until = Date.parse(this.granted?.expirationTimestamp ?? "");
    if (!this.granted || until <= Date.now()) this.granted = await this.runPlugin(plugin);
    return this.granted;
  }

  private async runPlugin(plugin: ExecPlugin): Promise<ExecStatus> {
    const fail = (what: string) =>
      new LoginError(
        `the kubeconfig's user "${this.access.userName}" logs in by the program "${plugin.command}", ${what}`,
      );
    const { code, out, err } = await run(plugin, this.pluginEnv(plugin)).catch((error: NodeJS.ErrnoException) => {
      const hint = plugin.installHint ? `: ${plugin.installHint.trim()}` : "";
      if (error.code === "ENOENT") throw fail(`which is not installed or not on PATH${hint}`);
      throw fail(`which failed: ${error.message}`);
    });
    const said = err.trim().replace(/\s+/g, " ").slice(0, 300);
    if (code !== 0) throw fail(`which failed: ${said || "it said nothing"}`);
    let answer: unknown;
    try {
      answer = JSON.parse(out);
    } catch {
      throw fail("which did not print an ExecCredential as JSON");
    }
    const read = credentialShape.safeParse(answer);
    if (!read.success || !(read.data.status.token || read.data.status.clientCertificateData))
      throw fail("which printed no status with a token or certificate");
    return read.data.status;
  }

  /** kubectl's way of telling the plugin what is asked of it; several refuse to work without. */
  private pluginEnv({ apiVersion, provideClusterInfo, env }: ExecPlugin): NodeJS.ProcessEnv {
    const { cluster } = this.access;
    const ca = cluster["certificate-authority-data"];
    const file = cluster["certificate-authority"];
    const info = {
      server: cluster.server,
      "certificate-authority-data":
        ca ?? (file ? Buffer.from(readText(file, "certificate-authority")).toString("base64") : undefined),
      "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"] ?? undefined,
      "tls-server-name": cluster["tls-server-name"] ?? undefined,
      "proxy-url": cluster["proxy-url"] ?? undefined,
    };
    const spec = { interactive: false, ...(provideClusterInfo ? { cluster: info } : {}) };
    const own = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    const KUBERNETES_EXEC_INFO = JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
    return { ...process.env, ...own, KUBERNETES_EXEC_INFO };
  }
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run({ command, args }: ExecPlugin, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const program = spawn(command, args ?? [], { env, stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    program.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
    });
    program.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      err += chunk;
    });
    program.on("error", reject);
    program.on("close", (code) => resolve({ code, out, err }));
  });
}

/** Inline content counts before a file, as with kubectl. */
export function content(data: string | null | undefined, file: string | null | undefined, what: string) {
  if (data) return Buffer.from(data, "base64").toString("utf8");
  return file ? readText(file, what) : undefined;
}

function readText(file: string, what: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new LoginError(`the kubeconfig's ${what} ${file} can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function expiryOf(payload: string): number {
  try {
    return Number((JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { exp?: unknown }).exp) || 0;
  } catch {
    return 0;
  }
}
