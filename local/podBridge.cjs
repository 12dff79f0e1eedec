// Runs inside a pod's own network and joins ports of its loopback with sockets in a folder, which both sides see:
// <port>.in leads to the pod's port, <port>.out to the machine's. Usage: node podBridge.cjs FOLDER IN,IN OUT,OUT
const net = require("node:net");
const path = require("node:path");

const [folder, inside, outside] = process.argv.slice(2);
const portsOf = (list) => list.split(",").filter(Boolean).map(Number);
const loopback = "127.0.0.1";

const join = (one, other) => {
  one.pipe(other).pipe(one);
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ]) {
    socket.on("error", () => {});
    socket.once("close", () => peer.destroy());
  }
};

for (const port of portsOf(outside)) {
  net
    .createServer({ noDelay: true }, (socket) => join(socket, net.connect(path.join(folder, `${port}.out`))))
    .listen(port, loopback);
}
for (const port of portsOf(inside)) {
  net
    .createServer((socket) => join(socket, net.connect({ port, host: loopback, noDelay: true })))
    .listen(path.join(folder, `${port}.in`));
}
