import { serverVersion } from "../local/controlPlane";
import { type DemoCluster, ensureNamespaces, startCluster } from "../local/demo/cluster";
import { expectedSigner } from "../local/demo/images";
import { localSettings } from "../local/demo/settings";
import { createSigner } from "../local/sigstore";

export const namespace = "production";

/** A control plane with signed images in its registry, and the settings that believe them. */
export interface BenchCluster extends DemoCluster {
  /** Distinct signed images, by tag. */
  readonly images: readonly string[];
  readonly unsigned: string;
  /** Where the images are, as a pattern. */
  readonly repositories: string;
  /** Pulumi.prod.yaml, but for the images. */
  readonly settings: Record<string, unknown>;
  readonly versions: { kyverno: string; kubernetes: string };
}

/**
 * The images are named by the registry's own address, and Kyverno runs in the machine's own network: it then reads
 * the registry without the proxies in this process.
 */
export async function startBenchCluster(imageCount: number): Promise<BenchCluster> {
  const cluster = await startCluster({
    log: (line) => /^build/.test(line) && console.log(`  ${line}`),
    isolate: false,
  });
  const { plane, cosign, sigstore, node } = cluster;
  try {
    const signer = await createSigner(sigstore, expectedSigner);
    const folder = `${plane.registry.host}/bench`;
    const images: string[] = [];
    for (let at = 1; at <= imageCount; at++) {
      const digest = await plane.registry.pushImage(`bench/app-${at}`, "1.0.0");
      await cosign.sign(`${folder}/app-${at}@${digest}`, signer);
      images.push(`${folder}/app-${at}:1.0.0`);
    }
    await plane.registry.pushImage("bench/app-1", "unsigned");
    await ensureNamespaces(plane, [namespace]);
    const repositories = `${folder}/*`;
    const prod = localSettings("prod", sigstore, node.kyverno);
    const [entry] = prod.images as object[];
    return {
      ...cluster,
      images,
      unsigned: `${folder}/app-1:unsigned`,
      repositories,
      settings: { ...prod, images: [{ ...entry, name: "bench", repositories: [repositories] }] },
      versions: { kyverno: node.kyverno.version, kubernetes: await serverVersion(plane) },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
