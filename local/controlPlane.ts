import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { CoreV1Api } from "@kubernetes/client-node";
import { ensureTool, type ToolName } from "./build";
import { type Certificate, createAuthority, issue, issueClient } from "./certificates";
import { type ClusterNetwork, startClusterNetwork } from "./clusterNetwork";
import { kubeConfig } from "./kubeConfig";
import { type Log, silent } from "./log";
import { freePort, loopback } from "./ports";
import { baseEnv, onInterrupt, type RunningProcess, startProcess } from "./processes";
import { type Registry, startRegistry } from "./registry";
import { request, requestObject } from "./request";
import { waitFor } from "./waitFor";

export interface ControlPlaneOptions {
  /** Where data, keys and logs go; a fresh temporary folder when left out. Only logs stay after stop(). */
  workDir?: string;
  log?: Log;
  /** Features of the API server that are off by default, such as "ImageVolume". */
  features?: readonly string[];
}

export interface ControlPlane {
  readonly workDir: string;
  readonly server: string;
  /** Path of a kubeconfig of a cluster admin (client certificate). */
  readonly kubeconfig: string;
  readonly client: KubeConfig;
  /** PEM of the CA that signed the API server's certificate. */
  readonly ca: string;
  readonly registry: Registry;
  /** Between the API server and pods. */
  readonly network: ClusterNetwork;
  /** Every request to the API server, one JSON object a line (metadata only). */
  readonly auditLog: string;
  /** Acts as somebody else by a client certificate. */
  asUser(name: string, groups?: readonly string[]): Promise<KubeConfig>;
  restartApiServer(): Promise<void>;
  restartEtcd(): Promise<void>;
  /** Runs before the servers stop, last registered first. */
  onStop(cleanup: () => Promise<void>): void;
  stop(): Promise<void>;
}

interface Files {
  caCert: string;
  serverCert: string;
  serverKey: string;
  accountsPrivate: string;
  accountsPublic: string;
  auditPolicy: string;
  auditLog: string;
  managerConfig: string;
  kubeconfig: string;
  egress: string;
}

const serviceRange = "10.96.0.0/16";
/** First address of the range: the API server's own Service. */
const serviceAddress = "10.96.0.1";

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    resources: [{ group: coordination.k8s.io }, { group: "", resources: [events] }]
  - level: None
    verbs: [get, list, watch]
  - level: Metadata
`;

/** Connections to Services and pods go through the cluster's network, since no address of theirs exists here. */
const egressConfig = (socket: string) => `apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
  - name: cluster
    connection:
      proxyProtocol: HTTPConnect
      transport: { uds: { udsName: "${socket}" } }
`;

export function etcdArgs(dataDir: string, port: number, peerPort: number): string[] {
  const client = `http://${loopback}:${port}`;
  const peer = `http://${loopback}:${peerPort}`;
  return [
    `--data-dir=${dataDir}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    // A throw-away cluster need not survive a power cut.
    "--unsafe-no-fsync",
  ];
}

export function apiServerArgs(
  files: Files,
  port: number,
  etcdPort: number,
  features: readonly string[] = [],
): string[] {
  return [
    ...(features.length > 0 ? [`--feature-gates=${features.map((feature) => `${feature}=true`).join(",")}`] : []),
    `--etcd-servers=http://${loopback}:${etcdPort}`,
    `--bind-address=${loopback}`,
    `--advertise-address=${loopback}`,
    `--secure-port=${port}`,
    // The Endpoints of the service "kubernetes" may not hold a loopback address.
    "--endpoint-reconciler-type=none",
    `--service-cluster-ip-range=${serviceRange}`,
    `--tls-cert-file=${files.serverCert}`,
    `--tls-private-key-file=${files.serverKey}`,
    `--client-ca-file=${files.caCert}`,
    "--authorization-mode=Node,RBAC",
    "--anonymous-auth=true",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${files.accountsPublic}`,
    `--service-account-signing-key-file=${files.accountsPrivate}`,
    "--allow-privileged=true",
    `--audit-policy-file=${files.auditPolicy}`,
    `--audit-log-path=${files.auditLog}`,
    `--egress-selector-config-file=${files.egress}`,
    "--shutdown-delay-duration=0s",
  ];
}

export function controllerManagerArgs(files: Files, port: number): string[] {
  return [
    `--kubeconfig=${files.managerConfig}`,
    `--bind-address=${loopback}`,
    `--secure-port=${port}`,
    "--leader-elect=false",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${files.accountsPrivate}`,
    `--root-ca-file=${files.caCert}`,
    // The stand-in node sends no heartbeats, and no kubelet asks for certificates. By the names that every version knows.
    "--controllers=*,-nodelifecycle,-nodeipam,-csrsigning",
    "--kube-api-qps=100",
    "--kube-api-burst=200",
  ];
}

export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const log = options.log ?? silent;
  // One after the other: two builds at once would only fight for the machine.
  const binaries: Partial<Record<ToolName, string>> = {};
  for (const tool of ["etcd", "kube-apiserver", "kube-controller-manager", "crane"] as const) {
    binaries[tool] = await ensureTool(tool, log);
  }
  const workDir = options.workDir ?? fs.mkdtempSync(path.join(os.tmpdir(), "image-signing-guard-"));
  const logs = path.join(workDir, "logs");
  const [port, etcdPort, peerPort, managerPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const server = `https://${loopback}:${port}`;
  const ca = await createAuthority("CN=image-signing-guard-local");
  const network: ClusterNetwork = await startClusterNetwork(() => client);
  const { files, client } = await writeFiles(workDir, server, ca, network.socket);

  const servers = new Map<string, RunningProcess>();
  const cleanups: (() => Promise<void>)[] = [];
  const start = (name: ToolName, args: string[]) => {
    const logFile = path.join(logs, `${name}.log`);
    const child = startProcess({ name, command: binaries[name] as string, args, env: baseEnv(), logFile });
    servers.set(name, child);
    return child;
  };

  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      forget();
      for (const cleanup of cleanups.reverse()) await cleanup().catch((error) => log(`while stopping: ${error}`));
      // Those who talk to a server go before it does.
      for (const name of ["kube-controller-manager", "kube-apiserver", "etcd"]) await servers.get(name)?.stop(2000);
      await network.stop();
      for (const data of [
        "etcd",
        "registry",
        "keys",
        "pods",
        "cosign",
        "helm",
        "pulumi",
        "proxyCa.pem",
        "values.json",
      ]) {
        fs.rmSync(path.join(workDir, data), { recursive: true, force: true });
      }
    })();
    return stopped;
  };
  const forget = onInterrupt(stop);

  const startEtcd = async () => {
    const etcd = start("etcd", etcdArgs(path.join(workDir, "etcd"), etcdPort, peerPort));
    await waitFor("etcd is healthy", 30_000, async () => {
      etcd.assertRunning();
      return (await fetch(`http://${loopback}:${etcdPort}/health`)).ok;
    });
  };
  const startApiServer = async () => {
    const api = start("kube-apiserver", apiServerArgs(files, port, etcdPort, options.features));
    await waitFor("the API server answers", 60_000, () => {
      api.assertRunning();
      return isReady(client);
    });
  };

  try {
    const registry = startRegistry({ crane: binaries.crane as string, workDir, log });
    await startEtcd();
    await startApiServer();
    const manager = start("kube-controller-manager", controllerManagerArgs(files, managerPort));
    await waitFor("the controller manager works", 30_000, async () => {
      manager.assertRunning();
      // Made by it in every namespace; pods cannot be created before.
      await client.makeApiClient(CoreV1Api).readNamespacedServiceAccount({ namespace: "default", name: "default" });
      return true;
    });
    const running = await registry;
    cleanups.unshift(() => running.stop());
    return {
      workDir,
      server,
      kubeconfig: files.kubeconfig,
      client,
      ca: ca.pem,
      registry: running,
      network,
      auditLog: files.auditLog,
      asUser: async (name, groups = []) => {
        const user = await issueClient(ca, name, groups);
        return kubeConfig(server, ca.pem, name, { certPem: user.pem, keyPem: user.privateKeyPem });
      },
      restartApiServer: async () => {
        await servers.get("kube-apiserver")?.stop();
        await startApiServer();
      },
      restartEtcd: async () => {
        // It would wait five seconds for its watchers to leave.
        await servers.get("etcd")?.stop(500);
        await startEtcd();
        await waitFor("the API server is ready again", 60_000, () => isReady(client));
      },
      onStop: (cleanup) => void cleanups.push(cleanup),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the API server calls itself, e.g. "v1.34.4"; IMAGE_SIGNING_GUARD_BIN may hold another than is built here. */
export const serverVersion = async ({ client }: Pick<ControlPlane, "client">): Promise<string> =>
  (await requestObject<{ gitVersion: string }>(client, "GET", "/version")).gitVersion;

/** /readyz: the post-start hooks (RBAC's roles, the system namespaces) are done. */
const isReady = async (client: KubeConfig) => (await request(client, "GET", "/readyz")).status === 200;

async function writeFiles(
  workDir: string,
  server: string,
  ca: Certificate,
  networkSocket: string,
): Promise<{ files: Files; client: KubeConfig }> {
  const keys = path.join(workDir, "keys");
  fs.mkdirSync(keys, { recursive: true, mode: 0o700 });
  const write = (name: string, content: string) => {
    const file = path.join(keys, name);
    fs.writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const [serving, admin, manager] = await Promise.all([
    issue(ca, {
      subject: "CN=kube-apiserver",
      names: [
        { type: "ip", value: loopback },
        { type: "ip", value: serviceAddress },
        ...["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"].map(
          (value) => ({ type: "dns", value }) as const,
        ),
      ],
    }),
    issueClient(ca, "kubernetes-admin", ["system:masters"]),
    issueClient(ca, "system:kube-controller-manager", []),
  ]);
  const accounts = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
  const configOf = (user: string, cert: Certificate) =>
    kubeConfig(server, ca.pem, user, { certPem: cert.pem, keyPem: cert.privateKeyPem });
  const client = configOf("kubernetes-admin", admin);
  return {
    client,
    files: {
      caCert: write("ca.crt", ca.pem),
      serverCert: write("server.crt", serving.pem),
      serverKey: write("server.key", serving.privateKeyPem),
      accountsPrivate: write("accounts.key", accounts.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
      accountsPublic: write("accounts.pub", accounts.publicKey.export({ type: "spki", format: "pem" }).toString()),
      auditPolicy: write("auditPolicy.yaml", auditPolicy),
      managerConfig: write("manager.kubeconfig", configOf("system:kube-controller-manager", manager).exportConfig()),
      kubeconfig: write("admin.kubeconfig", client.exportConfig()),
      auditLog: path.join(workDir, "logs", "audit.jsonl"),
      egress: write("egress.yaml", egressConfig(networkSocket)),
    },
  };
}
