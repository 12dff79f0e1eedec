import * as assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { type ClusterNetwork, startClusterNetwork } from "../../../local/clusterNetwork";
import { sleep } from "../../../local/waitFor";
import { type FakeApi, startFakeApi } from "../../support/fakeApi";

const serviceAddress = "10.96.3.4";
const [ready, terminating] = ["10.244.0.1", "10.244.0.2"];
const service = {
  metadata: { namespace: "kyverno", name: "kyverno-svc" },
  spec: { clusterIP: serviceAddress, ports: [{ name: "https", port: 443 }] },
};
const slice = {
  ports: [
    { name: "metrics", port: 8000 },
    { name: "https", port: 9443 },
  ],
  endpoints: [
    { addresses: [ready], conditions: { ready: true } },
    { addresses: [terminating], conditions: { ready: false } },
  ],
};

describe("the network between the API server and pods", () => {
  let api: FakeApi;
  let network: ClusterNetwork;
  let pod: net.Server;
  let podPort: number;

  before(async () => {
    api = await startFakeApi(({ pathname }) => ({ body: { items: [pathname.endsWith("slices") ? slice : service] } }));
    const client = new KubeConfig();
    client.loadFromString(api.kubeconfig);
    pod = net.createServer((socket) => socket.on("error", () => {}).pipe(socket));
    await new Promise<void>((resolve) => pod.listen(0, "127.0.0.1", resolve));
    podPort = (pod.address() as net.AddressInfo).port;
    network = await startClusterNetwork(() => client);
    network.locateBy((address, port) => (address === ready && port === 9443 ? podPort : undefined));
  });

  after(async () => {
    await network.stop();
    await api.stop();
    pod.close();
  });

  const connect = (target: string) =>
    new Promise<{ status: number; reason: string; socket: net.Socket }>((resolve, reject) => {
      http
        .request({ socketPath: network.socket, method: "CONNECT", path: target })
        .once("connect", ({ statusCode = 0, statusMessage = "" }, socket) =>
          resolve({ status: statusCode, reason: statusMessage, socket }),
        )
        .once("error", reject)
        .end();
    });
  const echo = (socket: net.Socket, text: string) =>
    new Promise<string>((resolve) => {
      socket.once("data", (data) => resolve(data.toString()));
      socket.write(text);
    });
  const orSilence = <T>(answer: Promise<T>) => Promise.race([answer, sleep(200).then(() => "silence" as const)]);

  it("leads a Service's address to a ready endpoint, a pod's address to the pod", async () => {
    for (const target of [`${serviceAddress}:443`, `${ready}:9443`]) {
      const { status, socket } = await connect(target);
      assert.equal(status, 200, target);
      assert.equal(await echo(socket, "hello"), "hello");
      socket.destroy();
    }
  });

  it("refuses what nobody listens to, in the words of a refused connection", async () => {
    for (const target of [`${serviceAddress}:80`, `${terminating}:9443`, `${ready}:1`]) {
      const { status, reason, socket } = await connect(target);
      assert.equal(status, 502, target);
      assert.match(reason, /connect: connection refused$/);
      socket.destroy();
    }
  });

  for (const cut of [undefined, ready]) {
    it(`lets packets vanish without a word while ${cut ?? "everything"} is cut, and breaks what is old when healed`, async () => {
      const { socket } = await connect(`${serviceAddress}:443`);
      const ended = new Promise((resolve) => socket.once("close", resolve));
      network.cut(cut);
      assert.equal(await orSilence(echo(socket, "anybody?")), "silence");
      const late = connect(`${serviceAddress}:443`).then(
        () => "answered",
        () => "broken",
      );
      assert.equal(await orSilence(late), "silence");
      network.heal();
      assert.equal(await late, "broken");
      await ended;
      const again = await connect(`${serviceAddress}:443`);
      assert.equal(await echo(again.socket, "hello"), "hello");
      again.socket.destroy();
    });
  }
});
