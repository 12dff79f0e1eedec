import { ClusterClient } from "../../components/kubernetes/client";
import { mendRelease, revisionsOf } from "../../components/kyverno/helmRelease";
import { type ClusterOptions, clusterTarget, isJson, type OutputOptions } from "../options";

export interface MendOptions extends ClusterOptions, OutputOptions {
  namespace: string;
  release: string;
}

/** Lets Helm forget an operation that was broken off. Objects in the cluster stay as they are. */
export async function runMend(options: MendOptions): Promise<void> {
  const { namespace, release } = options;
  const client = ClusterClient.of(clusterTarget(options));
  const revisions = await revisionsOf(client, namespace, release);
  const forgotten = await mendRelease(client, namespace, release);
  if (isJson(options)) {
    process.stdout.write(`${JSON.stringify({ version: 1, namespace, release, revisions, forgotten }, null, 2)}\n`);
    return;
  }
  const lines =
    forgotten.length > 0
      ? [
          ...forgotten.map(({ revision, status }) => `forgot revision ${revision} (${status}) of ${release}`),
          "Go on with: pulumi up (it takes over the objects that are there)",
        ]
      : [
          revisions.length > 0
            ? `the release ${release} is ${revisions.at(-1)!.status}: nothing was broken off`
            : `there is no release ${release} in ${namespace}: name it with --release and --namespace`,
        ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
