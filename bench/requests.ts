import type * as http from "node:http";
import * as https from "node:https";
import type { ControlPlane } from "../local/controlPlane";
import { namespace } from "./cluster";

/** What is created: a bare pod, or a workload whose template Kyverno judges. */
export const kinds = {
  Pod: {
    path: "/api/v1",
    plural: "pods",
    object: (name: string, spec: object) => ({ ...named("v1", "Pod", name), spec }),
  },
  Deployment: {
    path: "/apis/apps/v1",
    plural: "deployments",
    object: (name: string, spec: object) => {
      const labels = { app: name };
      const template = { metadata: { labels }, spec };
      return { ...named("apps/v1", "Deployment", name), spec: { selector: { matchLabels: labels }, template } };
    },
  },
} as const;
export type Kind = keyof typeof kinds;

const named = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { name } });

export interface Client {
  /** Offers an object by dry run; the status of the answer. */
  offer(kind: Kind, images: readonly string[]): Promise<number>;
  close(): void;
}

let offered = 0;

/** As kubectl and controllers do it: connections are kept, so that no handshake is measured. */
export function keepAliveClient({ client }: ControlPlane): Client {
  const { server = "", caData = "" } = client.getCurrentCluster() ?? {};
  const { certData = "", keyData = "" } = client.getCurrentUser() ?? {};
  const bytes = (text: string) => Buffer.from(text, "base64");
  const agent = new https.Agent({ keepAlive: true, ca: bytes(caData), cert: bytes(certData), key: bytes(keyData) });
  return {
    offer: async (kind, images) => {
      const { path, plural, object } = kinds[kind];
      const spec = { containers: images.map((image, at) => ({ name: `c${at}`, image })) };
      const url = `${server}${path}/namespaces/${namespace}/${plural}?dryRun=All`;
      const { status, body } = await post(agent, url, object(`bench-${++offered}`, spec));
      if (status !== 201) console.log(`  refused (${status}): ${body.slice(0, 300)}`);
      return status;
    },
    close: () => agent.destroy(),
  };
}

function post(agent: https.Agent, url: string, object: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(object);
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const call = https.request(url, { method: "POST", agent, headers }, (answer: http.IncomingMessage) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.on("error", reject);
    call.end(body);
  });
}
