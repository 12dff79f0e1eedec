import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import type { CheckReport, Judgement } from "../../cli/judging/imageReport";
import { compilePosture, policiesOf } from "../../components/compile";
import type { Manifest } from "../../components/kubernetes/manifest";
import { resolvePosture } from "../../components/resolve";
import { type ControlPlane, startControlPlane } from "../../local/controlPlane";
import { applyPolicies, installKyverno, type KyvernoNode, removePolicy, startKyvernoNode } from "../../local/kyverno";
import { createNotation, type Notation } from "../../local/notation";
import { type RegistryProxy, startProxy } from "../../local/proxy";
import { ApiError, request, requestObject } from "../../local/request";
import { type Cosign, createCosign } from "../../local/signing";
import { createSigstore, type Sigstore } from "../../local/sigstore";
import { type SigstoreServices, startSigstoreServices } from "../../local/sigstoreServices";
import { sleep, waitFor } from "../../local/waitFor";
import { type Pusher, pusher } from "./push";

/** A cluster, a registry that answers for ghcr.io, and somebody who signs. */
export interface World {
  plane: ControlPlane;
  proxy: RegistryProxy;
  node: KyvernoNode;
  sigstore: Sigstore;
  services: SigstoreServices;
  cosign: Cosign;
  notation: Notation;
  push: Pusher;
  /** Installs what a stack's configuration compiles to, instead of the one before. */
  use(settings: Record<string, unknown>): Promise<void>;
  check(images: readonly string[], namespaces: readonly string[]): Promise<CheckReport>;
  /** "admitted", or the refusal's text. */
  admit(image: string, namespace: string): Promise<string>;
}

export const log = process.env.E2E_LOG ? (line: string) => console.log(`      ${line}`) : () => {};

export const production = "production";
export const apps = "apps";
export const development = "dev";

export async function startWorld(): Promise<World> {
  const plane = await startControlPlane({ log });
  const proxy = await startProxy({ registry: plane.registry.host, workDir: plane.workDir });
  plane.onStop(() => proxy.stop());
  const sigstore = await createSigstore();
  const services = await startSigstoreServices(sigstore);
  plane.onStop(() => services.stop());
  const cosign = await createCosign({ sigstore, workDir: plane.workDir, env: proxy.env, log });
  // Named, so that a pod with a network of its own reaches it.
  const processEnv = { ...proxy.env, UPDATE_REPOSITORY: services.url };
  const node = await startKyvernoNode(plane, { log, processEnv });
  console.log(`      Kyverno ${node.kyverno.version}, chart ${node.kyverno.chartVersion} (${node.kyverno.origin})`);
  for (const name of [production, apps, development]) await createNamespace(plane, name);
  const folder = path.join(plane.workDir, "stack");
  fs.mkdirSync(folder, { recursive: true });
  let policies: Manifest[] = [];
  let pods = 0;
  const admit: World["admit"] = async (image, namespace) => {
    const body = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `try-${++pods}` },
      spec: { containers: [{ name: "app", image }] },
    };
    return requestObject(plane.client, "POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body).then(
      () => "admitted",
      (error) => (error instanceof ApiError ? error.message : Promise.reject(error)),
    );
  };
  return {
    plane,
    proxy,
    node,
    sigstore,
    services,
    cosign,
    notation: createNotation({ workDir: plane.workDir, registry: plane.registry.host, log }),
    push: pusher(plane.registry.host),
    admit,
    use: async (settings) => {
      const target = node.kyverno.version.startsWith("1.10.") ? "1.10" : "1.19";
      const whole = { ...settings, kyverno: { target, ...(settings.kyverno as object | undefined) } };
      writeStack(folder, whole);
      const compiled = compilePosture(resolvePosture(whole));
      await post(plane, "/api/v1/namespaces", compiled.namespace);
      if (compiled.trust) await post(plane, "/api/v1/namespaces/kyverno/configmaps", compiled.trust);
      for (const { kind, metadata } of policies) await removePolicy(plane, metadata.name, kind);
      await installKyverno(plane, node.kyverno, compiled.chartValues, {}, log);
      await applyPolicies(plane, policiesOf(compiled));
      policies = policiesOf(compiled);
      await waitFor("the policies are felt", 60_000, async () => {
        const answers = [await admit("ghcr.io/nobody/none:1", production), await admit(felt(settings), apps)];
        return answers.every((answer) => answer !== "admitted");
      });
      // The webhook's rules and Kyverno's policy cache are not written at once.
      await sleep(2000);
    },
    check: (images, namespaces) => runCheck(folder, images, namespaces, proxy),
  };
}

/** An image that the first entry covers and that does not exist. */
function felt(settings: Record<string, unknown>): string {
  const [entry] = settings.images as { repositories: string[] }[];
  return `${entry!.repositories[0]!.replace("*", "x")}@sha256:${"0".repeat(64)}`;
}

function writeStack(folder: string, settings: Record<string, unknown>): void {
  const config = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`image-signing-guard:${name}`, value]),
  );
  fs.writeFileSync(path.join(folder, "Pulumi.test.yaml"), stringify({ config }, { aliasDuplicateObjects: false }));
}

/** The command itself, in a process of its own: Node reads NODE_EXTRA_CA_CERTS only when it starts. */
function runCheck(
  folder: string,
  images: readonly string[],
  namespaces: readonly string[],
  proxy: RegistryProxy,
): Promise<CheckReport> {
  const root = path.join(__dirname, "..", "..");
  const args = ["-r", "ts-node/register/transpile-only", path.join(root, "cli", "main.ts"), "check", ...images];
  args.push("--stack=test", `--cwd=${folder}`, "--output=json", ...namespaces.map((name) => `--namespace=${name}`));
  const env = {
    PATH: process.env.PATH,
    HTTPS_PROXY: proxy.url,
    NODE_EXTRA_CA_CERTS: proxy.caFile,
    // Nobody's logins.
    DOCKER_CONFIG: folder,
  };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: root, env, maxBuffer: 64e6 }, (error, stdout, stderr) => {
      try {
        const report = JSON.parse(stdout) as CheckReport;
        if ((error?.code ?? 0) !== report.exitCode) reject(new Error(`exit code ${error?.code}: ${stderr}`));
        else resolve(report);
      } catch {
        reject(new Error(`check failed (${error?.code}): ${stderr}${stdout}`));
      }
    });
  });
}

export function judgementOf(report: CheckReport, image: string, namespace: string): Judgement {
  const found = report.images
    .find((one) => one.image === image)
    ?.judgements.find((judgement) => judgement.namespace === namespace);
  if (!found) throw new Error(`no judgement of ${image} in ${namespace}`);
  return found;
}

async function post(plane: ControlPlane, url: string, body: unknown): Promise<void> {
  const { status, body: text } = await request(plane.client, "POST", url, body);
  if (status >= 300 && status !== 409) throw new Error(`${url} answered ${status}: ${text}`);
}

async function createNamespace(plane: ControlPlane, name: string): Promise<void> {
  await post(plane, "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await waitFor(`namespace ${name} has its service account`, 20_000, async () => {
    const { status } = await request(plane.client, "GET", `/api/v1/namespaces/${name}/serviceaccounts/default`);
    return status === 200;
  });
}
