import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { collectionPath, type KubeObject, type Resource } from "../../components/kubernetes/resources";

/** What the fake answers instead of a list. */
export type Trouble = "forbidden" | "absent" | "half" | "busyOnce" | "expiredOnce" | "unauthorized" | "broken";

export interface FakeApi {
  readonly kubeconfig: string;
  /** Path and query of each request. */
  readonly requests: string[];
  /** By collection path of all namespaces. */
  readonly trouble: Map<string, Trouble>;
  stop(): Promise<void>;
}

/** An API server that lists objects in pages, as a real one does: it gives as many as it likes, at most `limit`. */
export async function startApiServer(
  collections: readonly (readonly [Resource, readonly KubeObject[]])[],
  { largestPage = Number.POSITIVE_INFINITY, largestLimit = 500 } = {},
): Promise<FakeApi> {
  const byPath = new Map(collections.map(([resource, items]) => [collectionPath(resource), items]));
  const trouble = new Map<string, Trouble>();
  const requests: string[] = [];
  const server = http.createServer((request, response) => {
    request.resume();
    const url = new URL(request.url ?? "", "http://x");
    requests.push(`${url.pathname}${url.search}`);
    const reply = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(typeof body === "string" ? body : JSON.stringify(body));
    const status = (code: number, message: string, more: object = {}) =>
      reply(code, { kind: "Status", apiVersion: "v1", status: "Failure", message, code, ...more });
    if (/^\/apis\/[^/]+\/[^/]+$/.test(url.pathname)) {
      const served = [...byPath.keys()].filter((path) => path.startsWith(`${url.pathname}/`));
      if (served.length === 0) return reply(404, "404 page not found\n");
      return reply(200, {
        kind: "APIResourceList",
        resources: served.map((path) => ({ name: path.split("/").at(-1) })),
      });
    }
    const namespace = /\/namespaces\/([^/]+)\//.exec(url.pathname)?.[1];
    const path = url.pathname.replace(/\/namespaces\/[^/]+/, "");
    const limit = Math.min(Number(url.searchParams.get("limit") ?? "0"), largestPage);
    if (!limit || limit > largestLimit) return status(400, "lists must be asked for in pages");
    const from = Number(url.searchParams.get("continue") ?? "0");
    switch (trouble.get(path)) {
      case "forbidden":
        return status(403, `${path.split("/").at(-1)} is forbidden: User "u" cannot list resource`);
      case "absent":
        return reply(404, "404 page not found\n");
      case "unauthorized":
        return status(401, "Unauthorized");
      case "broken":
        return status(500, "etcdserver: request timed out");
      case "half":
        return reply(200, '{"kind":"List","items":[{"metadata":{"na');
      case "busyOnce":
        trouble.delete(path);
        return reply(429, { message: "too many requests" }, { "retry-after": "0" });
      case "expiredOnce":
        if (from === 0) break;
        trouble.delete(path);
        return status(410, "The provided continue parameter is too old", { metadata: { continue: `0${from}` } });
    }
    const all = byPath.get(path);
    if (!all) return reply(404, "404 page not found\n");
    const items = namespace ? all.filter(({ metadata }) => metadata?.namespace === namespace) : all;
    const next = from + limit < items.length ? { continue: String(from + limit), remainingItemCount: 1 } : {};
    // As a real one, without kind and apiVersion on the items.
    const page = items.slice(from, from + limit).map(({ kind, apiVersion, ...item }) => item);
    return reply(200, { kind: "List", apiVersion: "v1", metadata: { resourceVersion: "1", ...next }, items: page });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    trouble,
    kubeconfig: [
      ...["apiVersion: v1", "kind: Config", "current-context: fake"],
      `clusters: [{name: c, cluster: {server: "http://127.0.0.1:${port}", insecure-skip-tls-verify: true}}]`,
      ...["users: [{name: u, user: {token: s3cret}}]", "contexts: [{name: fake, context: {cluster: c, user: u}}]", ""],
    ].join("\n"),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
