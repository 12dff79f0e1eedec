import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "../controlPlane";
import { type KyvernoNode, type KyvernoNodeOptions, startKyvernoNode } from "../kyverno";
import { type Log, silent } from "../log";
import { isCelForm, rememberServices } from "../policyForm";
import { type RegistryProxy, startProxy } from "../proxy";
import { ApiError, requestObject } from "../request";
import { type Cosign, createCosign } from "../signing";
import { createSigstore, type Sigstore } from "../sigstore";
import { startSigstoreServices } from "../sigstoreServices";
import { waitFor } from "../waitFor";

/** A control plane with everything that signing and verifying needs; Kyverno itself is not installed yet. */
export interface DemoCluster {
  readonly plane: ControlPlane;
  readonly proxy: RegistryProxy;
  readonly sigstore: Sigstore;
  readonly cosign: Cosign;
  readonly node: KyvernoNode;
  stop(): Promise<void>;
}

export async function startCluster(
  options: ControlPlaneOptions &
    Pick<KyvernoNodeOptions, "isolate" | "uninstalls" | "movesTo"> & {
      /** With an update repository, which policies of the newer form ask. */
      readonly updates?: boolean;
    } = {},
): Promise<DemoCluster> {
  const log: Log = options.log ?? silent;
  const plane = await startControlPlane(options);
  try {
    const proxy = await startProxy({ registry: plane.registry.host, workDir: plane.workDir });
    plane.onStop(() => proxy.stop());
    const sigstore = await createSigstore();
    // Named, so that a pod with a network of its own reaches what it names.
    let processEnv = proxy.env;
    if (isCelForm || options.updates) {
      const services = await startSigstoreServices(sigstore);
      plane.onStop(() => services.stop());
      rememberServices(sigstore, services);
      processEnv = { ...processEnv, UPDATE_REPOSITORY: services.url };
    }
    const cosign = await createCosign({
      sigstore,
      workDir: plane.workDir,
      pushTo: plane.registry,
      env: proxy.env,
      log,
    });
    const node = await startKyvernoNode(plane, {
      log,
      processEnv,
      isolate: options.isolate,
      uninstalls: options.uninstalls,
      ...(options.movesTo ? { movesTo: options.movesTo } : {}),
    });
    return { plane, proxy, sigstore, cosign, node, stop: () => plane.stop() };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

/** Creates namespaces that do not exist and waits until pods can be created in them. */
export async function ensureNamespaces(plane: ControlPlane, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await requestObject(plane.client, "POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    }).catch((error) => {
      if (!(error instanceof ApiError && error.status === 409)) throw error;
    });
  }
  for (const name of names) {
    await waitFor(`namespace ${name} has its service account`, 15_000, async () => {
      await requestObject(plane.client, "GET", `/api/v1/namespaces/${name}/serviceaccounts/default`);
      return true;
    });
  }
}
