import type { ControlPlane } from "../../local/controlPlane";
import { pod } from "../../local/demo/cases";
import { request } from "../../local/request";
import { waitFor } from "../../local/waitFor";

export const clusterPolicies = "/apis/kyverno.io/v1/clusterpolicies";

/** Somebody else's policy: a ConfigMap in production needs a team. It must work before, beside and after the guard. */
export const theirPolicy = (name: string) => ({
  apiVersion: "kyverno.io/v1",
  kind: "ClusterPolicy",
  metadata: { name },
  spec: {
    validationFailureAction: "Enforce",
    background: false,
    rules: [
      {
        name: "team",
        match: { any: [{ resources: { kinds: ["ConfigMap"], namespaces: ["production"] } }] },
        validate: { message: "needs a team", pattern: { metadata: { labels: { team: "?*" } } } },
      },
    ],
  },
});

/** Stores policies as soon as Kyverno takes them, and waits until they refuse. */
export async function haveTheirPolicies(plane: ControlPlane, names: readonly string[]): Promise<void> {
  for (const name of names)
    await waitFor(`${name} is stored`, 120_000, async () => {
      const { status } = await request(plane.client, "POST", clusterPolicies, theirPolicy(name));
      return status === 201 || status === 409;
    });
  await waitFor("their policy refuses", 60_000, () => theirsRefuses(plane));
}

export async function theirsRefuses({ client }: ControlPlane): Promise<boolean> {
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "without-a-team" } };
  return (await request(client, "POST", "/api/v1/namespaces/production/configmaps?dryRun=All", body)).status !== 201;
}

/** What the API server answers when a pod with an image is offered to production. */
export async function offerPod({ client }: ControlPlane, image: string): Promise<number> {
  return (await request(client, "POST", "/api/v1/namespaces/production/pods?dryRun=All", pod("app", image))).status;
}
