import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { type PodSandbox, sandboxFlags, startPodSandbox } from "../../../local/podSandbox";
import { isListening } from "../../../local/ports";
import { baseEnv, type RunningProcess, startProcess } from "../../../local/processes";
import { send } from "../../../local/request";
import { waitFor } from "../../../local/waitFor";

/** Listens on the port that every replica wants; answers with its name and what the machine's server says. */
const program = `
const http = require("node:http");
const [name, machine] = process.argv.slice(1);
http.createServer((_, response) => {
  http.get("http://127.0.0.1:" + machine, (from) => from.on("data", (text) => response.end(name + " hears " + text)));
}).listen(9443);
`;

describe("a pod's own network", () => {
  let machine: http.Server;
  let folder: string;
  const running: (RunningProcess | PodSandbox)[] = [];

  before(async function () {
    const found = await sandboxFlags();
    if ("reason" in found) {
      this.skipReason = `this machine gives a pod no network of its own: ${found.reason}`;
      return this.skip();
    }
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "sandbox-test-"));
    machine = http.createServer((_, response) => response.end("the machine"));
    await new Promise<void>((resolve) => machine.listen(0, "127.0.0.1", resolve));
  });

  after(async () => {
    for (const each of running) await each.stop();
    machine?.close();
    if (folder) fs.rmSync(folder, { recursive: true });
  });

  it("lets two programs listen on one port, seen from nowhere but its way in, and reach the machine", async () => {
    const found = await sandboxFlags();
    assert.ok("flags" in found);
    const { port } = machine.address() as AddressInfo;
    const logFile = path.join(folder, "log");
    const answers: string[] = [];
    for (const name of ["one", "two"]) {
      const sandbox = await startPodSandbox(found.flags, { inside: [9443], outside: [port], logFile });
      const [command = "", ...enter] = sandbox.enter;
      const args = [...enter, process.execPath, "-e", program, name, String(port)];
      running.unshift(startProcess({ name, command, args, env: baseEnv(), logFile }), sandbox);
    }
    for (const sandbox of running.filter((each): each is PodSandbox => "ports" in each)) {
      const url = `http://127.0.0.1:${sandbox.ports.get(9443)}`;
      answers.push(await waitFor("the program answers", 10_000, async () => (await send(url, {})).body));
    }
    assert.deepEqual(answers, ["two hears the machine", "one hears the machine"]);
    for (const { pid } of running.filter((each): each is RunningProcess => "pid" in each))
      assert.notEqual(fs.readlinkSync(`/proc/${pid}/ns/net`), fs.readlinkSync("/proc/self/ns/net"));
    const ways = running.flatMap((each) => ("ports" in each ? [...each.ports.values()] : []));
    for (const each of running) await each.stop();
    running.length = 0;
    for (const way of ways) assert.equal(await isListening(way), false);
  });
});
