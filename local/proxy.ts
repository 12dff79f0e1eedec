import * as fs from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import * as path from "node:path";
import * as tls from "node:tls";
import { createAuthority, issue } from "./certificates";
import { loopback } from "./ports";
import { sleep } from "./waitFor";

/** What goes wrong with a repository's requests. */
export type Fault =
  | { kind: "status"; status: number }
  /** Late, then as usual. */
  | { kind: "delay"; ms: number }
  | { kind: "malformed" }
  | { kind: "reset" };

export interface ProxyOptions {
  /** host:port of the registry that answers for the public names. */
  registry: string;
  workDir: string;
  /** Hosts that are served; every other is refused. */
  hosts?: readonly string[];
}

export interface RegistryRequest {
  host: string;
  method: string;
  path: string;
  repository: string | undefined;
  status: number | "reset";
}

export interface RegistryProxy {
  readonly url: string;
  readonly port: number;
  /** PEM file with our CA only: whoever trusts it trusts nothing outside. */
  readonly caFile: string;
  /** Environment for a program that shall see the public registry names through us. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests that were let through, in order. */
  readonly requests: RegistryRequest[];
  /** Hosts that somebody wanted to reach and was refused. */
  readonly refusedHosts: string[];
  /** From now on until clearFaults; the last one set for a repository counts. "*" is every repository. */
  setFault(repository: string, fault: Fault): void;
  clearFaults(repository?: string): void;
  stop(): Promise<void>;
}

export const publicHosts = [
  "ghcr.io",
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "quay.io",
  "gcr.io",
] as const;

/** What registries call their refusals; some clients show this and not the status. */
const CODES: Record<number, string> = {
  401: "UNAUTHORIZED",
  403: "DENIED",
  404: "NAME_UNKNOWN",
  429: "TOOMANYREQUESTS",
};

/** The repository that a registry API path is about. */
export const repositoryOf = (url: string): string | undefined =>
  url.match(/^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)(?:\/|$)/)?.[1];

/**
 * Lets programs use public image names without any way out: they speak TLS to "ghcr.io" through an HTTPS proxy,
 * and that proxy is this process with a certificate of its own CA.
 */
export async function startProxy(options: ProxyOptions): Promise<RegistryProxy> {
  const hosts: readonly string[] = options.hosts ?? publicHosts;
  const ca = await createAuthority("CN=image-signing-guard-proxy");
  const contexts = new Map<string, tls.SecureContext>();
  for (const host of hosts) {
    const cert = await issue(ca, { subject: `CN=${host}`, names: [{ type: "dns", value: host }] });
    contexts.set(host, tls.createSecureContext({ cert: cert.pem, key: cert.privateKeyPem }));
  }
  const caFile = path.join(options.workDir, "proxyCa.pem");
  fs.mkdirSync(options.workDir, { recursive: true });
  fs.writeFileSync(caFile, ca.pem);

  const faults = new Map<string, Fault>();
  const refusedHosts: string[] = [];
  const requests: RegistryRequest[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    // Clients hang up as they like; that is no error of ours.
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  };
  const refuse = (host: string) => {
    if (!refusedHosts.includes(host)) refusedHosts.push(host);
  };

  const answer = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    const url = request.url ?? "/";
    const repository = repositoryOf(url);
    const record = (status: RegistryRequest["status"]) =>
      requests.push({ host, method: request.method ?? "GET", path: url, repository, status });
    const fault = repository === undefined ? undefined : (faults.get(repository) ?? faults.get("*"));
    if (fault?.kind === "reset") {
      record("reset");
      request.socket.destroy();
      return;
    }
    if (fault?.kind === "delay") await sleep(fault.ms);
    if (fault?.kind === "status") {
      record(fault.status);
      response.writeHead(fault.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ errors: [{ code: CODES[fault.status] ?? "UNKNOWN", message: "fault injected" }] }));
      return;
    }
    if (fault?.kind === "malformed") {
      record(200);
      response.writeHead(200, { "content-type": "application/vnd.oci.image.manifest.v1+json" });
      response.end('{"schemaVersion":2,"layers":[');
      return;
    }
    const [name, port] = options.registry.split(":");
    const forward = http.request(
      { host: name, port, method: request.method, path: url, headers: { ...request.headers, host: options.registry } },
      (from) => {
        record(from.statusCode ?? 0);
        response.writeHead(from.statusCode ?? 502, from.headers);
        from.pipe(response);
      },
    );
    forward.on("error", (error) => {
      record(502);
      if (!response.headersSent) response.writeHead(502);
      response.end(`local registry: ${error.message}`);
    });
    request.pipe(forward);
  };

  const inner = https.createServer({
    SNICallback: (host, done) => {
      const context = contexts.get(host);
      if (context) done(null, context);
      else done(new Error(`no certificate for ${host}`));
    },
  });
  inner.on("request", (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  inner.on("tlsClientError", () => {});

  const outer = http.createServer((request, response) => {
    refuse(hostOf(request.url ?? ""));
    response.writeHead(403);
    response.end("only https to the listed hosts\n");
  });
  outer.on("connection", keep);
  outer.on("connect", (request: http.IncomingMessage, socket: Socket, head: Buffer) => {
    const [host = "", port] = (request.url ?? "").split(":");
    if (!contexts.has(host) || port !== "443") {
      refuse(request.url ?? "");
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    inner.emit("connection", socket);
  });
  await new Promise<void>((resolve, reject) => {
    outer.once("error", reject);
    outer.listen(0, loopback, resolve);
  });
  const { port } = outer.address() as AddressInfo;
  // A test runner shall be able to end although somebody forgot us.
  outer.unref();
  const url = `http://${loopback}:${port}`;
  return {
    url,
    port,
    caFile,
    env: {
      HTTPS_PROXY: url,
      HTTP_PROXY: url,
      NO_PROXY: `${loopback},localhost`,
      SSL_CERT_FILE: caFile,
      SSL_CERT_DIR: options.workDir,
    },
    requests,
    refusedHosts,
    setFault: (repository, fault) => void faults.set(repository, fault),
    clearFaults: (repository) => {
      if (repository === undefined) faults.clear();
      else faults.delete(repository);
    },
    stop: () =>
      new Promise<void>((resolve) => {
        outer.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
