import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { NAMESPACED_POLICIES } from "../../components/backstop/namespacedPolicies";
import type { Manifest } from "../../components/kubernetes/manifest";
import { JUDGES } from "../../components/policies/names";

const ADMISSION = "/apis/admissionregistration.k8s.io/v1";

/** How the fake cluster's Kyverno behaves. */
export interface FakeCluster {
  readonly kubeconfig: string;
  /** Method and path of each request. */
  readonly requests: string[];
  /** What the API server answers when an unsigned pod is offered. */
  podAnswer: { code: number; message: string };
  /** The same for pods of this image; none where absent. */
  signed?: { readonly image: string; readonly answer: { code: number; message: string } };
  webhooksHaveCa: boolean;
  /** Whether somebody else's Kyverno is installed. */
  foreignKyverno: boolean;
  /** Objects of the backstop that it has. */
  backstop: readonly Manifest[];
  /** Whether the API server acts on the backstop that it has. */
  backstopInForce: boolean;
  /** Groups of whoever asks. */
  groups: readonly string[];
  /** ClusterPolicies that it has. */
  policies: readonly Manifest[];
  servesAdmissionPolicies: boolean;
  stop(): Promise<void>;
}

export const REFUSED = {
  code: 400,
  message: `resource Pod was blocked due to the following policies: ${JUDGES.join(": signed-by, ")}`,
};

/** An API server with just what the readiness checks ask for. */
export async function startFakeCluster(namespaces: readonly string[]): Promise<FakeCluster> {
  const requests: string[] = [];
  const server = http.createServer(async (request, response) => {
    const sent = await text(request);
    const { pathname } = new URL(request.url ?? "", "http://x");
    requests.push(`${request.method} ${pathname}`);
    const [code, body] = answer(request.method ?? "", pathname, sent);
    response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const answer = (method: string, path: string, sent: string): [code: number, body: unknown] => {
    if (path.includes("customresourcedefinitions"))
      return cluster.foreignKyverno ? [200, { metadata: { name: "clusterpolicies.kyverno.io" } }] : [404, {}];
    if (path === ADMISSION) {
      const name = cluster.servesAdmissionPolicies ? "validatingadmissionpolicies" : "mutatingwebhookconfigurations";
      return [200, { resources: [{ name }] }];
    }
    if (/image-signing-guard|validatingadmission/.test(path)) {
      const kind = path.split("/").at(-2);
      const found = cluster.backstop.find(
        (one) => path.endsWith(`/${one.metadata.name}`) && `${one.kind.toLowerCase().replace(/y$/, "ie")}s` === kind,
      );
      return found ? [200, found] : [404, { kind: "Status", code: 404, message: "not found" }];
    }
    if (path.includes("webhookconfigurations"))
      return [200, { webhooks: [{ name: "w", clientConfig: cluster.webhooksHaveCa ? { caBundle: "eA==" } : {} }] }];
    if (method === "GET" && path === "/api/v1/namespaces")
      return [200, { items: namespaces.map((name) => ({ metadata: { name } })) }];
    if (method === "GET" && path.endsWith("/clusterpolicies")) return [200, { items: cluster.policies }];
    const policy = method === "GET" ? /clusterpolicies\/(.+)$/.exec(path)?.[1] : undefined;
    if (policy !== undefined) {
      const found = cluster.policies.find(({ metadata }) => metadata.name === policy);
      return found ? [200, found] : [404, {}];
    }
    if (path.endsWith("/selfsubjectreviews"))
      return [201, { status: { userInfo: { username: "ulla", groups: cluster.groups } } }];
    if (path.endsWith("/policies") && cluster.backstopInForce && !cluster.groups.includes("platform"))
      return [403, { kind: "Status", code: 403, message: `ValidatingAdmissionPolicy '${NAMESPACED_POLICIES}' denied` }];
    if (path.endsWith("/pods")) {
      const { signed, podAnswer } = cluster;
      const { code, message } = signed && sent.includes(signed.image) ? signed.answer : podAnswer;
      return [code, { kind: "Status", code, message }];
    }
    return [201, {}];
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const cluster: FakeCluster = {
    requests,
    podAnswer: REFUSED,
    webhooksHaveCa: true,
    foreignKyverno: false,
    backstop: [],
    backstopInForce: true,
    groups: [],
    policies: [],
    servesAdmissionPolicies: true,
    kubeconfig: [
      ...["apiVersion: v1", "kind: Config", "current-context: c"],
      `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}", insecure-skip-tls-verify: true}}]`,
      ...["users: [{name: u, user: {token: s3cret}}]", "contexts: [{name: c, context: {cluster: c, user: u}}]", ""],
    ].join("\n"),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return cluster;
}
