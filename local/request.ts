import * as http from "node:http";
import * as https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";

export interface Answer {
  status: number;
  body: string;
}

/** A plain request to the API server, for what the typed client has no words for. */
export async function request(
  client: KubeConfig,
  method: string,
  path: string,
  body?: unknown,
  contentType = "application/json",
): Promise<Answer> {
  const options: https.RequestOptions = { method, headers: { "content-type": contentType }, timeout: 60_000 };
  await client.applyToHTTPSOptions(options);
  return send(
    `${client.getCurrentCluster()?.server}${path}`,
    options,
    body === undefined ? undefined : JSON.stringify(body),
  );
}

/** Node's fetch cannot be given a CA; this can. */
export function send(url: string, options: https.RequestOptions, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const client = url.startsWith("https:") ? https : http;
    // Node sends a DELETE's body without any length, and servers then do not see it.
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const headers = { ...(options.headers as http.OutgoingHttpHeaders), ...length };
    const call = client.request(url, { ...options, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.on("timeout", () => call.destroy(new Error(`no answer from ${url} in time`)));
    call.on("error", reject);
    call.end(body);
  });
}

/** The object that the API server answered with; its message as the error otherwise. */
export async function requestObject<T>(...args: Parameters<typeof request>): Promise<T> {
  const { status, body } = await request(...args);
  if (status >= 200 && status < 300) return JSON.parse(body) as T;
  throw new ApiError(status, messageOf(body) ?? `${args[1]} ${args[2]} answered ${status}`);
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

function messageOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { message?: string }).message;
  } catch {
    return body === "" ? undefined : body.slice(0, 500);
  }
}
