import * as http from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeApi {
  readonly url: string;
  readonly kubeconfig: string;
  readonly requests: { method: string; url: string; authorization?: string; accept?: string }[];
  stop(): Promise<void>;
}

export type Answerer = (
  url: URL,
  request: http.IncomingMessage,
) => { code?: number; body?: unknown; date?: Date; delayMs?: number };

/** An API server over HTTP that answers what it is told to. */
export async function startFakeApi(answer: Answerer): Promise<FakeApi> {
  const requests: FakeApi["requests"] = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    const { authorization, accept } = request.headers;
    requests.push({
      method: request.method ?? "",
      url: request.url ?? "",
      ...(authorization ? { authorization } : {}),
      ...(accept ? { accept } : {}),
    });
    const { code = 200, body = {}, date, delayMs = 0 } = answer(url, request);
    setTimeout(() => {
      if (date) {
        response.sendDate = false;
        response.setHeader("date", date.toUTCString());
      }
      response.writeHead(code, { "content-type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    requests,
    kubeconfig: kubeconfigText(url, "{token: s3cret}"),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A kubeconfig with one cluster and a user written in YAML. */
export function kubeconfigText(url: string, user: string, name = "c"): string {
  return [
    ...["apiVersion: v1", "kind: Config", `current-context: ${name}`],
    `clusters: [{name: ${name}, cluster: {server: "${url}", insecure-skip-tls-verify: true}}]`,
    `users: [{name: ${name}-user, user: ${user}}]`,
    `contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}-user}}]`,
    "",
  ].join("\n");
}

export const status = (code: number, message: string) => ({ code, body: { kind: "Status", code, message } });
