import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { loopback } from "./ports";
import { baseEnv, startProcess } from "./processes";
import { waitFor } from "./waitFor";

/**
 * A pod's own network: a loopback that no other pod and nobody outside sees, so that any number of programs can
 * listen on the same port. Named ports lead in and out.
 */
export interface PodSandbox {
  /** Put before a command, it runs in the pod's network. */
  readonly enter: readonly string[];
  /** Port of the pod -> port of the machine's loopback that leads there. */
  readonly ports: ReadonlyMap<number, number>;
  stop(): Promise<void>;
}

export interface PodSandboxOptions {
  /** Ports of the pod that the machine shall reach. */
  inside: readonly number[];
  /** Ports of the machine's loopback that the pod shall reach, under the same numbers. */
  outside: readonly number[];
  logFile: string;
}

const bringUp = "ip link set lo up";

/** The flags with which this machine lets us make networks, or why it doesn't. */
export async function sandboxFlags(): Promise<{ flags: readonly string[] } | { reason: string }> {
  // A user other than root needs a user namespace, which not every system allows.
  const flags = process.getuid?.() === 0 ? ["--net"] : ["--user", "--map-root-user", "--net"];
  try {
    await promisify(execFile)("unshare", [...flags, "sh", "-c", bringUp]);
    return { flags };
  } catch (error) {
    return { reason: (error as Error).message.trim().split("\n").slice(-1)[0] ?? "" };
  }
}

export async function startPodSandbox(
  flags: readonly string[],
  { inside, outside, logFile }: PodSandboxOptions,
): Promise<PodSandbox> {
  // Short, as the path of a socket may have 107 bytes.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pod-"));
  const servers: net.Server[] = [];
  const listen = async (server: net.Server, at: net.ListenOptions) => {
    servers.push(server);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(at, resolve));
    server.unref();
  };
  const bridge = startProcess({
    name: "pod network",
    command: "unshare",
    args: [
      ...[...flags, "sh", "-c", `${bringUp} && exec "$@"`, "sh"],
      ...[process.execPath, path.join(__dirname, "podBridge.cjs"), folder, inside.join(","), outside.join(",")],
    ],
    env: baseEnv(),
    logFile,
  });
  const stop = async () => {
    for (const server of servers) server.close();
    await bridge.stop(0);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    const ports = new Map<number, number>();
    for (const port of outside) {
      const server = net.createServer((socket) => join(socket, { port, host: loopback, noDelay: true }));
      await listen(server, { path: path.join(folder, `${port}.out`) });
    }
    for (const port of inside) {
      const server = net.createServer({ noDelay: true }, (socket) =>
        join(socket, { path: path.join(folder, `${port}.in`) }),
      );
      await listen(server, { port: 0, host: loopback });
      ports.set(port, (server.address() as net.AddressInfo).port);
    }
    await waitFor("the pod's network is there", 60_000, () => {
      bridge.assertRunning();
      return inside.every((port) => fs.existsSync(path.join(folder, `${port}.in`)));
    });
    const enter = flags.includes("--user") ? ["--user", "--preserve-credentials", "--net"] : ["--net"];
    return { enter: ["nsenter", `--target=${bridge.pid}`, ...enter], ports, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function join(one: net.Socket, to: net.NetConnectOpts): void {
  const other = net.connect(to);
  one.pipe(other).pipe(one);
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on("error", () => {});
    socket.once("close", () => peer.destroy());
  }
}
