import * as assert from "node:assert/strict";
import * as path from "node:path";
import { CoreV1Api } from "@kubernetes/client-node";
import { type ControlPlane, startControlPlane } from "../../local/controlPlane";
import {
  applyPolicies,
  installKyverno,
  type KyvernoNode,
  startKyvernoNode,
  uninstallKyverno,
  waitForPolicyWebhooks,
  webhookConfigurations,
} from "../../local/kyverno";
import { isListening } from "../../local/ports";
import { runningPids } from "../../local/processes";
import { type RegistryProxy, startProxy } from "../../local/proxy";
import { signatureTag } from "../../local/registry";
import { ApiError, request, requestObject } from "../../local/request";
import { type Cosign, createCosign } from "../../local/signing";
import { createSigner, createSigstore, githubIssuer, type Sigstore } from "../../local/sigstore";
import { waitFor } from "../../local/waitFor";

const repository = "ikey168/modulo-frontend";
const image = `ghcr.io/${repository}`;
const trustMap = "sigstore-trust";
/** Long enough for a first run that has to build everything. */
const withBuilds = 40 * 60_000;

const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

/** Pinned keys from a ConfigMap, for the controllers that verify images. */
function trustValues(): object {
  const env = [
    { name: "SIGSTORE_ROOT_FILE", value: "/.sigstore/fulcio.pem" },
    { name: "SIGSTORE_REKOR_PUBLIC_KEY", value: "/.sigstore/rekor.pub" },
    { name: "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", value: "/.sigstore/ctfe.pub" },
  ];
  const sigstoreVolume = { emptyDir: null, configMap: { name: trustMap } };
  return {
    admissionController: { sigstoreVolume, container: { extraEnvVars: env } },
    reportsController: { sigstoreVolume, extraEnvVars: env },
  };
}

/** Is the same for 1.10 and 1.19 as long as the keys come from the environment. */
function keylessPolicy(roots: string) {
  return {
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    metadata: { name: "require-signed-images" },
    spec: {
      validationFailureAction: "Enforce",
      failurePolicy: "Fail",
      webhookTimeoutSeconds: 30,
      background: false,
      rules: [
        {
          name: "signed",
          match: { any: [{ resources: { kinds: ["Pod"] } }] },
          verifyImages: [
            {
              imageReferences: ["ghcr.io/ikey168/modulo-*"],
              mutateDigest: true,
              verifyDigest: false,
              required: true,
              attestors: [
                {
                  entries: [
                    {
                      keyless: {
                        roots,
                        issuer: githubIssuer,
                        subject: "https://github.com/Ikey168/Modulo/.github/workflows/docker-build.yml@refs/heads/main",
                        rekor: { url: "https://rekor.sigstore.dev" },
                      },
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  };
}

describe("control plane: real Kyverno beside a real API server", function () {
  this.timeout(60_000);
  let plane: ControlPlane;
  let proxy: RegistryProxy;
  let node: KyvernoNode;
  let sigstore: Sigstore;
  let cosign: Cosign;
  let pids: number[];

  before(async function () {
    this.timeout(withBuilds);
    plane = await startControlPlane({ log });
    proxy = await startProxy({ registry: plane.registry.host, workDir: plane.workDir });
    plane.onStop(() => proxy.stop());
    sigstore = await createSigstore();
    cosign = await createCosign({ sigstore, workDir: plane.workDir, env: proxy.env, log });
    node = await startKyvernoNode(plane, { log, processEnv: proxy.env });
    // Which version the results below hold for.
    console.log(`      Kyverno ${node.kyverno.version}, chart ${node.kyverno.chartVersion} (${node.kyverno.origin})`);
  });

  after(async function () {
    this.timeout(30_000);
    await plane?.stop();
  });

  const createPod = (name: string, reference: string) =>
    requestObject<{ spec: { containers: { image: string }[] } }>(
      plane.client,
      "POST",
      "/api/v1/namespaces/default/pods",
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: { containers: [{ name: "app", image: reference }] },
      },
    );

  it("the API server answers, to other users by their rights", async () => {
    const core = plane.client.makeApiClient(CoreV1Api);
    assert.ok((await core.listNamespace()).items.some((n) => n.metadata?.name === "kube-system"));
    const developer = await plane.asUser("dora", ["developers"]);
    assert.equal((await request(developer, "GET", "/api/v1/namespaces/default/secrets")).status, 403);
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const who = await requestObject<{ status: { userInfo: { username: string; groups: string[] } } }>(
      developer,
      "POST",
      "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      review,
    );
    assert.equal(who.status.userInfo.username, "dora");
    assert.ok(who.status.userInfo.groups.includes("developers"));
  });

  it("restarts of etcd and the API server lose nothing", async () => {
    const core = plane.client.makeApiClient(CoreV1Api);
    await core.createNamespacedConfigMap({
      namespace: "default",
      body: { metadata: { name: "kept" }, data: { a: "1" } },
    });
    await plane.restartEtcd();
    await plane.restartApiServer();
    assert.equal((await core.readNamespacedConfigMap({ namespace: "default", name: "kept" })).data?.a, "1");
  });

  it("the chart becomes available, its processes run and its webhooks answer", async function () {
    this.timeout(240_000);
    const core = plane.client.makeApiClient(CoreV1Api);
    await core.createNamespace({ body: { metadata: { name: "kyverno" } } });
    const { fulcioRoots, rekorPublicKey, ctLogPublicKey } = sigstore;
    const data = { "fulcio.pem": fulcioRoots, "rekor.pub": rekorPublicKey, "ctfe.pub": ctLogPublicKey };
    await core.createNamespacedConfigMap({ namespace: "kyverno", body: { metadata: { name: trustMap }, data } });
    await installKyverno(plane, node.kyverno, trustValues(), {}, log);
    const running = node.processes().map((p) => p.binary);
    assert.deepEqual(running.sort(), ["background-controller", "kyverno", "reports-controller"]);
    pids = runningPids();
    const { webhooks } = await requestObject<{
      webhooks: { clientConfig: { url?: string; service?: { name: string } } }[];
    }>(
      plane.client,
      "GET",
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/kyverno-policy-validating-webhook-cfg",
    );
    assert.ok(webhooks.length > 0);
    for (const { clientConfig } of webhooks) {
      assert.equal(clientConfig.service?.name, "kyverno-svc");
      assert.equal(clientConfig.url, undefined);
    }
  });

  it("a keyless policy admits the signed image and pins its digest, refuses the unsigned one", async function () {
    this.timeout(120_000);
    const signed = await plane.registry.pushImage(repository, "1.0");
    await plane.registry.pushImage(repository, "unsigned");
    const signer = await createSigner(sigstore, { repository: "Ikey168/Modulo" });
    await cosign.sign(`${image}@${signed}`, signer);
    await applyPolicies(plane, [keylessPolicy(sigstore.fulcioRoots)]);

    const pod = await createPod("signed", `${image}:1.0`);
    assert.equal(pod.spec.containers[0]?.image, `${image}:1.0@${signed}`);
    await assert.rejects(createPod("unsigned", `${image}:unsigned`), /no (matching )?signatures/);
  });

  it("no host was reached but ghcr.io through the proxy", () => {
    assert.deepEqual(proxy.refusedHosts, []);
    assert.deepEqual([...new Set(proxy.requests.map((r) => r.host))], ["ghcr.io"]);
  });

  it("images of several platforms, key pairs, attestations and copied signatures can be made", async () => {
    const index = await plane.registry.pushIndex(repository, "multi", ["linux/amd64", "linux/arm64"]);
    const ref = `${image}@${index.digest}`;
    const key = await cosign.createKey("team");
    await cosign.signWithKey(ref, key);
    await cosign.run([
      "verify",
      "--insecure-ignore-tlog=true",
      `--key=${path.join(plane.workDir, "cosign", "team.pub")}`,
      ref,
    ]);
    await cosign.attest(ref, await createSigner(sigstore, { repository: "Ikey168/Modulo" }));
    assert.ok(await plane.registry.digest(repository, signatureTag(index.digest).replace(/sig$/, "att")));

    const other = await plane.registry.pushImage(repository, "copied");
    const good = (await plane.registry.digest(repository, "1.0")) ?? "";
    await plane.registry.copySignature({ repository, digest: good }, { repository, digest: other });
    const signature = await plane.registry.digest(repository, signatureTag(good));
    assert.equal(await plane.registry.digest(repository, signatureTag(other)), signature);
    await plane.registry.retag(repository, "copied", "again");
    assert.equal(await plane.registry.digest(repository, "again"), other);
    await assert.rejects(createPod("copied", `${image}:copied`), /blocked due to the following policies/);
  });

  it("refuses another workflow, a signature outside the certificate's ten minutes, and a registry that fails", async function () {
    this.timeout(120_000);
    const attempt = async (tag: string, prepare: (digest: string) => Promise<void>) => {
      const digest = await plane.registry.pushImage(repository, tag);
      await prepare(`${image}@${digest}`);
      return createPod(tag, `${image}:${tag}`).then(
        () => "admitted",
        (error) => (error instanceof ApiError ? error.message : Promise.reject(error)),
      );
    };
    const fork = await createSigner(sigstore, { repository: "Mallory/Modulo" });
    assert.match(await attempt("fork", (ref) => cosign.sign(ref, fork)), /subject/);
    const notBefore = new Date(Date.now() - 3_600_000);
    const old = await createSigner(sigstore, { repository: "Ikey168/Modulo", notBefore });
    assert.equal(await attempt("old", (ref) => cosign.sign(ref, old)), "admitted");
    // cosign's commands above tried the public TUF mirror; from here on only Kyverno could.
    proxy.refusedHosts.length = 0;
    assert.match(
      await attempt("late", (ref) => cosign.sign(ref, old, { integratedTime: new Date() })),
      /expir|no matching signatures/,
    );
    // 1.10 looks a rejected bundle up online, and in vain; 1.19 does not.
    assert.deepEqual(proxy.refusedHosts, node.kyverno.version.startsWith("1.10.") ? ["rekor.sigstore.dev:443"] : []);
    const good = await createSigner(sigstore, { repository: "Ikey168/Modulo" });
    for (const fault of [
      { kind: "status", status: 500 },
      { kind: "status", status: 401 },
      { kind: "reset" },
    ] as const) {
      const tag = fault.kind === "status" ? `fault-${fault.status}` : fault.kind;
      const message = await attempt(tag, async (ref) => {
        await cosign.sign(ref, good);
        proxy.setFault(repository, fault);
      });
      proxy.clearFaults();
      assert.match(message, /denied the request/, tag);
      assert.equal((await createPod(`${tag}-again`, `${image}:${tag}`)).spec.containers.length, 1);
    }
  });

  it("a killed admission controller comes back by itself", async function () {
    this.timeout(120_000);
    const find = () => node.processes().find((p) => p.binary === "kyverno")?.pid;
    const before = find();
    assert.ok(before);
    process.kill(before, "SIGKILL");
    await waitFor("another process runs", 60_000, () => ![undefined, before].includes(find()));
    await waitForPolicyWebhooks(plane);
  });

  it("uninstalling ends every process; 1.10's chart takes the webhook configurations along, 1.19's leaves them", async function () {
    this.timeout(180_000);
    await uninstallKyverno(plane, {}, log);
    // The guard sees to them itself (tests/engine).
    const left = await webhookConfigurations(plane);
    assert.equal(left.length > 0, node.kyverno.version.startsWith("1.19."), left.join(", "));
    assert.deepEqual(node.processes(), []);
    const pods = await plane.client.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: "kyverno" });
    assert.deepEqual(
      pods.items.map((pod) => pod.metadata?.name),
      [],
    );
  });

  it("after stop no process lives and the ports are closed", async function () {
    this.timeout(30_000);
    await plane.stop();
    assert.deepEqual(runningPids(), []);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), `process ${pid} still lives`);
    for (const port of [Number(new URL(plane.server).port), plane.registry.port, proxy.port]) {
      assert.equal(await isListening(port), false, `port ${port} is still open`);
    }
  });
});
