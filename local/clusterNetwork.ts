import * as fs from "node:fs";
import * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import type { KubeConfig, V1EndpointSliceList, V1ServiceList } from "@kubernetes/client-node";
import { loopback } from "./ports";
import { requestObject } from "./request";

/** Where a pod's port really is: a port of the machine's loopback, undefined where nothing of ours listens. */
export type Locate = (address: string, port: number) => number | undefined;

/**
 * What lies between the API server and pods: kube-proxy and the pods' network. The API server sends it every
 * connection to a Service or a pod (its "cluster" egress), as a managed control plane does through its tunnel.
 */
export interface ClusterNetwork {
  /** Path of the socket for the API server's CONNECT requests; the API server can't use a plain port for it. */
  readonly socket: string;
  /** Given by the node, which knows its pods. */
  locateBy(locate: Locate): void;
  /** From now on the API server's packets to this pod, or to every pod, vanish; nobody is told. */
  cut(address?: string): void;
  /** Packets arrive again; connections from before are broken. */
  heal(): void;
  stop(): Promise<void>;
}

interface Endpoint {
  address: string;
  port: number;
}

export async function startClusterNetwork(client: () => KubeConfig): Promise<ClusterNetwork> {
  const connections = new Map<net.Socket, { address?: string; pod?: net.Socket }>();
  const cuts = new Set<string>();
  const everybody = "*";
  let locate: Locate = () => undefined;
  const isCut = (address = everybody) => cuts.has(everybody) || cuts.has(address);

  const connect = async (from: net.Socket, target: string) => {
    const connection: { address?: string; pod?: net.Socket } = {};
    connections.set(from, connection);
    from.on("error", () => {});
    from.once("close", () => connections.delete(from));
    // Held without an answer, as a lost packet is; heal() ends it.
    if (isCut()) return;
    const [host = "", port] = target.split(":");
    const ready = await endpointsOf(client(), host, Number(port));
    // Replicas that only look ready, since they wait for the machine's one port, are no choice.
    const chosen = pick(ready.map((e) => ({ ...e, machinePort: locate(e.address, e.port) })).filter(isReal));
    if (chosen === undefined) return refuse(from, `dial tcp ${target}: connect: connection refused`);
    connection.address = chosen.address;
    if (isCut(chosen.address)) return;
    const pod = net.connect({ host: loopback, port: chosen.machinePort, noDelay: true });
    connection.pod = pod;
    pod.once("error", () => refuse(from, `dial tcp ${target}: connect: connection refused`));
    pod.once("connect", () => {
      from.write("HTTP/1.1 200 OK\r\n\r\n");
      from.pipe(pod).pipe(from);
    });
    pod.once("close", () => from.destroy());
    from.once("close", () => pod.destroy());
  };

  const server = http.createServer((_, response) => response.writeHead(405).end());
  server.on("connect", (request, socket: net.Socket) => {
    connect(socket, request.url ?? "").catch((error) => refuse(socket, (error as Error).message));
  });
  // Short, as the path of a socket may have 107 bytes.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cluster-"));
  const socketPath = path.join(folder, "network.sock");
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socketPath, resolve));
  server.unref();
  return {
    socket: socketPath,
    locateBy: (by) => {
      locate = by;
    },
    cut: (address = everybody) => {
      cuts.add(address);
      for (const [from, { address: to, pod }] of connections) {
        if (pod === undefined || !isCut(to)) continue;
        // The sockets stay open and silent: whoever waits for an answer goes on waiting.
        from.unpipe(pod).pause();
        pod.unpipe(from).pause();
        pod.removeAllListeners("close");
      }
    },
    heal: () => {
      for (const [from, { address, pod }] of connections) {
        if (!isCut(address)) continue;
        from.destroy();
        pod?.destroy();
      }
      cuts.clear();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        fs.rmSync(folder, { recursive: true, force: true });
        for (const [from, { pod }] of connections) {
          from.destroy();
          pod?.destroy();
        }
      }),
  };
}

/** The ready endpoints behind a Service's address; an address that is no Service's stands for itself. */
async function endpointsOf(client: KubeConfig, host: string, port: number): Promise<Endpoint[]> {
  const services = await requestObject<V1ServiceList>(client, "GET", "/api/v1/services");
  const service = services.items.find((s) => s.spec?.clusterIP === host);
  if (service === undefined) return [{ address: host, port }];
  const portName = service.spec?.ports?.find((p) => p.port === port)?.name ?? "";
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service.metadata?.name}`);
  const slices = await requestObject<V1EndpointSliceList>(
    client,
    "GET",
    `/apis/discovery.k8s.io/v1/namespaces/${service.metadata?.namespace}/endpointslices?labelSelector=${selector}`,
  );
  return slices.items.flatMap((slice) => {
    const target = slice.ports?.find((p) => (p.name ?? "") === portName)?.port;
    const ready = slice.endpoints.filter((e) => e.conditions?.ready !== false);
    return target === undefined ? [] : ready.flatMap((e) => e.addresses.map((address) => ({ address, port: target })));
  });
}

const isReal = <T extends { machinePort: number | undefined }>(e: T): e is T & { machinePort: number } =>
  e.machinePort !== undefined;

const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];

/** The API server shows the text after the code as the reason. */
function refuse(socket: net.Socket, reason: string): void {
  if (!socket.destroyed) socket.end(`HTTP/1.1 502 ${reason.replace(/[\r\n]+/g, " ")}\r\ncontent-length: 0\r\n\r\n`);
}
