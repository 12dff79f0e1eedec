import * as fs from "node:fs";
import * as path from "node:path";
import { stringify } from "yaml";
import { CONFIG_NAMESPACE } from "../../components/settings";
import type { DemoCluster } from "./cluster";
import type { DemoImages } from "./images";
import { localSettings, type StackName } from "./settings";

/**
 * What a stack of one's own needs to use the demo's cluster, as files: a ready stack file with the local trust anchors
 * and chart. Returns what to type.
 */
export function handOver({ plane, sigstore, node }: DemoCluster, images: DemoImages, stack: StackName): string[] {
  const settings = localSettings(stack, sigstore, node.kyverno);
  const config = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`${CONFIG_NAMESPACE}:${name}`, value]),
  );
  const file = path.join(plane.workDir, "Pulumi.own.yaml");
  fs.writeFileSync(file, stringify({ config }));
  return [
    `export KUBECONFIG=${plane.kubeconfig}`,
    "",
    "A stack of your own on this cluster: its settings, with the trust anchors and the chart of this machine, are in",
    file,
    "Copy it beside your Pulumi.yaml, change what you like, and run pulumi up --stack own.",
    "",
    "Images to try:",
    ...Object.entries(images).map(([name, image]) => `  ${name.padEnd(20)}${image}`),
  ];
}
