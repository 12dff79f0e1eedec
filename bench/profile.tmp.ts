import { execFile } from "node:child_process";
import { applyRendered, policiesOf } from "../local/demo/render";
import { removePolicy } from "../local/kyverno";
import { request } from "../local/request";
import { sleep } from "../local/waitFor";
import { namespace, startBenchCluster } from "./cluster";
import { percentile } from "./stats";

(async () => {
  const c = await startBenchCluster(3);
  const { plane } = c;
  const one = async (n = 1) => {
    const s = performance.now();
    const r = await request(plane.client, "POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "x" },
      spec: { containers: c.images.slice(0, n).map((image, i) => ({ name: `c${i}`, image })) },
    });
    if (r.status !== 201) console.log(r.status, r.body.slice(0, 300));
    return performance.now() - s;
  };
  const med = async (n: number, k = 10) => {
    const a = [];
    for (let i = 0; i < k; i++) a.push(await one(n));
    return percentile(a, 50).toFixed(0);
  };
  try {
    console.log("none", await med(1), await med(3));
    await applyRendered(plane, c.node.kyverno, c.settings);
    await one();
    console.log("all", await med(1), await med(3));
    const prof = new Promise<void>((res) =>
      execFile("curl", ["-s", "-o", "/tmp/kyverno.pprof", "http://127.0.0.1:6061/debug/pprof/profile?seconds=15"], () =>
        res(),
      ),
    );
    const end = Date.now() + 15000;
    let k = 0;
    while (Date.now() < end) {
      await one(1);
      k++;
    }
    await prof;
    console.log("profiled", k);
    const names = policiesOf(c.settings).map((p) => p.metadata.name);
    console.log(names.join(" "));
    for (const name of [
      "verify-image-signatures",
      "verify-image-signatures-debug",
      "verify-image-signatures-audit",
      "require-signed-images-debug",
      "audit-unsigned-images",
      "guard-image-bypass",
      "guard-image-verdicts",
    ]) {
      if (!names.includes(name)) continue;
      await removePolicy(plane, name);
      await sleep(6000);
      await one();
      console.log("without", name, await med(1), await med(3));
    }
    await removePolicy(plane, "require-signed-images");
    await sleep(8000);
    console.log("none again", await med(1), await med(3));
  } finally {
    await c.stop();
    process.exit(0);
  }
})();
