import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { stringify } from "yaml";
import type { Effect, ImpactResult } from "../../cli/impact/result";
import type { Report } from "../../cli/report/result";
import { askCanary } from "../../components/kyverno/canary";
import { SKIP_ANNOTATION } from "../../components/policies/bypassTerms";
import { resolveSettings } from "../../components/resolve";
import { cronJob, deployment, pod } from "../../local/demo/cases";
import { type DemoCluster, ensureNamespaces, startCluster } from "../../local/demo/cluster";
import { type DemoImages, makeImages } from "../../local/demo/images";
import { applyRendered } from "../../local/demo/render";
import { localSettings } from "../../local/demo/settings";
import { isCelForm } from "../../local/policyForm";
import { ApiError, requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { grant, log, patch, switchPolicies, withBuilds } from "./support";

const production = "production";
const root = path.join(__dirname, "..", "..");

const annotated = (until: Date) => ({
  [SKIP_ANNOTATION]: "require-signed-images",
  "policies.kyverno.io/skip-reason": "INC-1234: signing service is down",
  "policies.kyverno.io/skip-until": until.toISOString().replace(/\.\d+Z$/, "Z"),
});

const collections: Record<string, string> = {
  Pod: "/api/v1/namespaces/NS/pods",
  Deployment: "/apis/apps/v1/namespaces/NS/deployments",
  StatefulSet: "/apis/apps/v1/namespaces/NS/statefulsets",
  ReplicaSet: "/apis/apps/v1/namespaces/NS/replicasets",
  ControllerRevision: "/apis/apps/v1/namespaces/NS/controllerrevisions",
  CronJob: "/apis/batch/v1/namespaces/NS/cronjobs",
};
const pathOf = (kind: string, namespace: string) => collections[kind]!.replace("NS", namespace);

interface Template {
  metadata?: { annotations?: Record<string, string> };
  spec: object;
}

describe("impact and report tell what a real cluster then does", function () {
  this.timeout(180_000);
  let cluster: DemoCluster;
  let images: DemoImages;
  let settings: Record<string, unknown>;
  let folder = "";
  let olga: KubeConfig;

  const make = (namespace: string, object: { kind: string; metadata: object }) =>
    requestObject<{ metadata: { name: string } }>(cluster.plane.client, "POST", pathOf(object.kind, namespace), object);
  const withTemplate = (object: object, annotations: Record<string, string>) => {
    const made = structuredClone(object) as { spec: { template: { metadata: object } } };
    made.spec.template.metadata = { ...made.spec.template.metadata, annotations };
    return made as unknown as { kind: string; metadata: object };
  };
  const statefulSet = (name: string, image: string) => ({
    ...deployment(name, image),
    kind: "StatefulSet",
    spec: { ...deployment(name, image).spec, replicas: 0, serviceName: name },
  });

  before(async function () {
    this.timeout(withBuilds);
    cluster = await startCluster({ log });
    const { plane, cosign, sigstore, node } = cluster;
    console.log(`      Kyverno ${node.kyverno.version}, chart ${node.kyverno.chartVersion} (${node.kyverno.origin})`);
    images = await makeImages(plane.registry, cosign, sigstore);
    await ensureNamespaces(plane, [production, "shop", "dev"]);
    settings = { ...localSettings("prod", sigstore, node.kyverno), mode: "audit" };
    await applyRendered(plane, node.kyverno, settings);
    await grant(plane, "platform-oncall", "edit");
    olga = await plane.asUser("olga", ["platform-oncall"]);
    folder = path.join(plane.workDir, "stack");
    fs.mkdirSync(folder, { recursive: true });
    const config = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`image-signing-guard:${key}`, value]),
    );
    fs.writeFileSync(path.join(folder, "Pulumi.test.yaml"), stringify({ config }, { aliasDuplicateObjects: false }));

    const mixed = pod("mixed", images.signed);
    mixed.spec.containers.push({ name: "side", image: images.unsigned });
    for (const object of [
      pod("good", images.signedByDigest),
      pod("bad", images.unsigned),
      pod("stranger", images.otherRepository),
      pod("foreign", images.nginx),
      mixed,
      cronJob("nightly", images.unsigned),
      withTemplate(deployment("hotfix", images.unsigned), annotated(new Date(Date.now() + 2 * 3600_000))),
      withTemplate(deployment("forgotten", images.signed), annotated(new Date(Date.now() - 3600_000))),
      deployment("rolled", images.unsigned),
      statefulSet("kept", images.unsigned),
    ]) {
      await make(production, object);
    }
    await make("shop", pod("foreign", images.nginx));
    await make("dev", pod("bad", images.unsigned));
    await make("kube-system", pod("bad", images.unsigned));
    // A revision is only there when a controller has seen it.
    const owned = async (kind: string, owner: string, least: number) => {
      const { items } = await requestObject<{ items: { metadata: { name: string } }[] }>(
        plane.client,
        "GET",
        pathOf(kind, production),
      );
      return items.filter(({ metadata }) => metadata.name.startsWith(`${owner}-`)).length >= least;
    };
    await waitFor(
      "the first revisions",
      30_000,
      async () => (await owned("ReplicaSet", "rolled", 1)) && owned("ControllerRevision", "kept", 1),
    );
    const signed = {
      spec: { replicas: 0, template: { spec: { containers: [{ name: "app", image: images.signed }] } } },
    };
    await patch(plane.client, `${pathOf("Deployment", production)}/rolled`, signed);
    await patch(plane.client, `${pathOf("StatefulSet", production)}/kept`, signed);
    await waitFor(
      "the second revisions",
      30_000,
      async () => (await owned("ReplicaSet", "rolled", 2)) && owned("ControllerRevision", "kept", 2),
    );
  });

  after(async function () {
    this.timeout(60_000);
    await cluster?.stop();
  });

  /** The command in a process of its own, as a person runs it. */
  function run<T>(
    args: readonly string[],
    kubeconfig = cluster.plane.kubeconfig,
  ): Promise<{ code: number; out: T; err: string }> {
    const { proxy } = cluster;
    const env = {
      PATH: process.env.PATH,
      HTTPS_PROXY: proxy.url,
      NO_PROXY: "127.0.0.1",
      NODE_EXTRA_CA_CERTS: proxy.caFile,
      DOCKER_CONFIG: folder,
      KUBECONFIG: kubeconfig,
    };
    const command = ["-r", "ts-node/register/transpile-only", path.join(root, "cli", "main.ts"), ...args];
    return new Promise((resolve, reject) => {
      execFile(process.execPath, command, { cwd: root, env, maxBuffer: 64e6 }, (error, stdout, stderr) => {
        try {
          resolve({ code: Number(error?.code ?? 0), out: JSON.parse(stdout) as T, err: stderr });
        } catch {
          reject(new Error(`${args[0]} failed (${error?.code}): ${stderr}${stdout}`));
        }
      });
    });
  }
  const impact = (...more: string[]) =>
    run<ImpactResult>(["impact", "--stack=test", `--cwd=${folder}`, "--output=json", ...more]);

  const briefly = ({ findings }: ImpactResult) =>
    findings
      .filter(({ namespace }) => [production, "shop", "dev", "kube-system"].includes(namespace))
      .map((f) => `${f.namespace} ${f.owner.kind}/${f.owner.name} ${nameOf(f.image)} ${f.verdict} ${f.reason}`)
      .sort();
  const nameOf = (image: string) => Object.entries(images).find(([, value]) => value === image)?.[0] ?? image;

  const expected = [
    "dev Pod/bad unsigned reported unsigned",
    "kube-system Pod/bad unsigned admitted notJudged",
    "production CronJob/nightly unsigned refused unsigned",
    "production Deployment/forgotten signed refused bypassEnded",
    "production Deployment/hotfix unsigned bypassed unsigned",
    "production Deployment/rolled signed admitted signed",
    "production Deployment/rolled unsigned refused unsigned",
    "production Pod/bad unsigned refused unsigned",
    "production Pod/foreign nginx refused uncovered",
    "production Pod/good signedByDigest admitted signed",
    "production Pod/mixed signed admitted signed",
    "production Pod/mixed unsigned refused unsigned",
    "production Pod/stranger otherRepository refused wrongSigner",
    "production StatefulSet/kept signed admitted signed",
    "production StatefulSet/kept unsigned refused unsigned",
    "shop Pod/foreign nginx admitted uncovered",
  ];
  let found: ImpactResult;

  it("asks the registries about everything and sees each workload as it is", async () => {
    const { code, out } = await impact("--check=always");
    assert.deepEqual(briefly(out), expected);
    assert.equal(code, 1);
    assert.equal(out.exitCode, 1);
    found = out;
    const rolled = out.findings.find(({ owner, verdict }) => owner.name === "rolled" && verdict === "refused");
    assert.ok(rolled?.uses.some(({ when, kind }) => when === "rollback" && kind === "ReplicaSet"));
  });

  it("says the same from Kyverno's reports alone, once it has scanned", async () => {
    // Of an ImageValidatingPolicy a report says that no signature counted, which may have been the registry's fault.
    const told = isCelForm
      ? expected.map((line) =>
          line
            .replace(/refused (unsigned|wrongSigner)$/, "cannotTell cannotTell")
            .replace(/(bypassed|reported) unsigned$/, "$1 cannotTell"),
        )
      : expected;
    const end = Date.now() + 150_000;
    let out: ImpactResult;
    do {
      await sleep(5000);
      ({ out } = await impact("--check=never"));
    } while (JSON.stringify(briefly(out)) !== JSON.stringify([...told].sort()) && Date.now() < end);
    assert.deepEqual(briefly(out), [...told].sort());
    const reported = out.findings.filter(({ reason }) => ["signed", "unsigned", "wrongSigner"].includes(reason));
    assert.deepEqual([...new Set(reported.map(({ source }) => source))], ["report"]);
  });

  it("reports each image, both of the mixed pod, and both bypasses", async () => {
    const { code, out } = await run<Report>(["report", "--output=json", "--namespace=production", "--namespace=dev"]);
    assert.equal(code, 0);
    const states = out.images
      .map((i) => `${i.namespace} ${i.image.split("/").at(-1)} ${i.state} ${i.violation}`)
      .sort();
    const digest = images.signedByDigest.split("/").at(-1);
    assert.deepEqual(
      states,
      [
        "dev modulo-backend:unsigned notSigned true",
        "production modulo-backend:1.0.0 signed false",
        "production modulo-backend:other-repository notSigned true",
        "production modulo-backend:unsigned notSigned true",
        `production ${digest} signed false`,
        "production nginx:1.27 noSigner true",
      ].sort(),
    );
    const unsigned = out.images.find(({ image, namespace }) => /:unsigned$/.test(image) && namespace === production);
    for (const workload of ["Pod/mixed", "Deployment/rolled", "StatefulSet/kept", "CronJob/nightly"])
      assert.ok(unsigned?.workloads.includes(workload), workload);
    assert.deepEqual(
      out.bypasses.map(({ workload, state }) => `${workload} ${state}`),
      ["Deployment/forgotten ended", "Deployment/hotfix running"],
    );
    assert.deepEqual(out.notRead, []);
  });

  it("says which right lacks", async () => {
    const nobody = path.join(cluster.plane.workDir, "nobody.kubeconfig");
    fs.writeFileSync(nobody, (await cluster.plane.asUser("nobody", ["strangers"])).exportConfig());
    const args = ["impact", "--stack=test", `--cwd=${folder}`, "--output=json"];
    const { code, out } = await run<ImpactResult>(args, nobody);
    assert.equal(code, 2);
    assert.ok(
      out.notRead.some(({ resource, verb, why }) => resource === "pods" && verb === "list" && why === "forbidden"),
    );
    assert.match(out.notes.join("\n"), /--verb=list --resource=deployments\.apps,/);
    await assert.rejects(run(["report", "--output=json"], nobody), /may not list clusterpolicies\.kyverno\.io.*nobody/);
  });

  it("is right: enforcing refuses just that", async () => {
    const enforced = { ...settings, mode: "enforce" };
    await switchPolicies(cluster.plane, enforced);
    const { posture } = resolveSettings(enforced);
    await askCanary({ kubeconfig: cluster.plane.kubeconfig, timeoutSeconds: 60 }, posture);
    const wrong: string[] = [];
    let tried = 0;
    for (const finding of found.findings) {
      const { namespace, verdict, owner, image } = finding;
      if (![production, "shop", "dev"].includes(namespace)) continue;
      const answer = await newPod(finding);
      tried++;
      const admitted = answer === "admitted";
      if (admitted !== (verdict !== "refused"))
        wrong.push(`${namespace} ${owner.name} ${nameOf(image)} ${verdict}: ${answer}`);
    }
    assert.deepEqual(wrong, []);
    assert.equal(tried, 15);
  });

  /** What happens to the pod that this workload would start next, with this image alone. */
  async function newPod({ namespace, owner, image }: Effect): Promise<string> {
    const stored = await requestObject<{ metadata: Template["metadata"]; spec: { template?: Template } }>(
      cluster.plane.client,
      "GET",
      `${pathOf(owner.kind, namespace)}/${owner.name}`,
    );
    const annotations = stored.spec.template?.metadata?.annotations;
    const fresh = pod("fresh", image);
    const body = { ...fresh, metadata: { ...fresh.metadata, ...(annotations ? { annotations } : {}) } };
    return requestObject(olga, "POST", `${pathOf("Pod", namespace)}?dryRun=All`, body).then(
      () => "admitted",
      (error) => (error instanceof ApiError ? error.message : Promise.reject(error)),
    );
  }
});
