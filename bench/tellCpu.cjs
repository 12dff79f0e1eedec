// Preloaded into a process that is measured: says at its end what CPU it took, in microseconds.
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  require("node:fs").writeSync(3, String(user + system));
});
