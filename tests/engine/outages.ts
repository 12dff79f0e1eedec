import type { DemoCluster } from "../../local/demo/cluster";
import { webhookConfigurations } from "../../local/kyverno";
import { request, requestObject } from "../../local/request";
import { waitFor } from "../../local/waitFor";

const deployments = "/apis/apps/v1/namespaces/kyverno/deployments";
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface KyvernoOutage {
  readonly what: string;
  /** The only line that it is about. */
  readonly line?: string;
  readonly by: (cluster: DemoCluster) => Promise<void>;
}

/** Ways in which Kyverno can be away, and the line that it is about where not all. To try another one, add a line. */
export const outages: Readonly<Record<"hung" | "crashing" | "absent" | "undefined", KyvernoOutage>> = {
  hung: {
    what: "Kyverno hangs and answers nobody",
    by: async ({ node }: DemoCluster) => {
      for (const { binary, pid } of node.processes()) if (binary === "kyverno") process.kill(pid, "SIGSTOP");
    },
  },
  crashing: {
    what: "Kyverno crashes at every start",
    by: async ({ plane, node }: DemoCluster) => {
      const container = { name: "kyverno", args: ["--no-such-flag"] };
      const spec = {
        strategy: { type: "Recreate", rollingUpdate: null },
        template: { spec: { containers: [container] } },
      };
      await requestObject(
        plane.client,
        "PATCH",
        `${deployments}/kyverno-admission-controller`,
        { spec },
        "application/strategic-merge-patch+json",
      );
      const first = node.processes().map(({ pid }) => pid);
      await waitFor("the old Kyverno is gone", 60_000, async () =>
        node.processes().every(({ binary, pid }) => binary !== "kyverno" || !first.includes(pid)),
      );
    },
  },
  absent: {
    what: "Kyverno's Deployments are gone",
    by: async ({ plane, node }: DemoCluster) => {
      await requestObject(plane.client, "DELETE", deployments);
      await waitFor("Kyverno is gone", 60_000, async () => node.processes().length === 0);
    },
  },
  undefined: {
    what: "the definitions of Kyverno's policies are gone",
    by: async ({ plane }: DemoCluster) => {
      await request(plane.client, "DELETE", `${definitions}/clusterpolicies.kyverno.io`);
      await waitFor("the definition is gone", 60_000, async () => {
        const { status } = await request(plane.client, "GET", `${definitions}/clusterpolicies.kyverno.io`);
        return status === 404;
      });
    },
  },
};
export type Outage = keyof typeof outages;

export const breakKyverno = (cluster: DemoCluster, outage: Outage): Promise<void> => outages[outage].by(cluster);

interface LivePolicy {
  readonly spec: {
    validationFailureAction: string;
    readonly rules: readonly { readonly verifyImages?: { mutateDigest: boolean }[] }[];
  };
}

/** Switches a judge to audit behind the state's back. */
export async function weakenJudge({ plane: { client } }: DemoCluster): Promise<void> {
  const path = "/apis/kyverno.io/v1/clusterpolicies/require-signed-images";
  const live = await requestObject<LivePolicy>(client, "GET", path);
  live.spec.validationFailureAction = "Audit";
  // Kyverno refuses to store an auditing policy that changes images.
  for (const { verifyImages = [] } of live.spec.rules) for (const one of verifyImages) one.mutateDigest = false;
  await requestObject(client, "PUT", path, live);
}

/** Everything of Kyverno's or the guard's that is in the cluster, by name; empty after a good destroy. */
export async function whatIsLeft({ plane }: DemoCluster): Promise<string[]> {
  const list = async (path: string, of: (name: string) => boolean) => {
    const { items } = await requestObject<{ items: { metadata: { name: string } }[] }>(plane.client, "GET", path);
    return items.map(({ metadata }) => metadata.name).filter(of);
  };
  const isKyverno = (name: string) => /kyverno|image-signing-guard/.test(name);
  return [
    ...(await webhookConfigurations(plane)).filter(isKyverno),
    ...(await list("/api/v1/namespaces", (name) => name === "kyverno")),
    ...(await list(definitions, (name) => name.endsWith("kyverno.io"))),
    ...(await list("/apis/rbac.authorization.k8s.io/v1/clusterroles", isKyverno)),
    ...(await list("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", isKyverno)),
    ...(await list("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", isKyverno)),
  ];
}
