import * as http from "node:http";
import * as https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { type ClusterTarget, loadKubeConfig } from "../../components/kubernetes/cluster";
import { collectionPath, type KubeObject, type Resource, resourceText } from "../../components/kubernetes/resources";
import { type ObjectSource, Unreadable } from "./source";

/** Objects a request. Reports are the biggest: some ten rows of half a kilobyte each. */
const PAGE = 250;
const TIMEOUT_MS = 60_000;
const ATTEMPTS = 4;
/** Far above what a page can be; a server that sends more is not one to believe. */
const LONGEST_ANSWER = 256 * 1024 * 1024;

interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number;
  readonly body: string;
}

interface List {
  readonly items?: readonly KubeObject[];
  readonly metadata?: { readonly continue?: string };
}

/**
 * Lists of a cluster, without the typed client: that one makes an object of its own of every field, and keeps back
 * fields that it does not know.
 */
export function clusterSource(target: ClusterTarget): ObjectSource {
  const config = loadKubeConfig(target);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error("the kubeconfig names no cluster; give --kubeconfig or --context");
  return {
    name: config.getCurrentContext(),
    pages: (resource, namespace) => pages(config, cluster.server, resource, namespace),
  };
}

async function* pages(
  config: KubeConfig,
  server: string,
  resource: Resource,
  namespace: string | undefined,
): AsyncGenerator<readonly KubeObject[]> {
  const options: https.RequestOptions = { timeout: TIMEOUT_MS, headers: { accept: "application/json" } };
  await config.applyToHTTPSOptions(options);
  let next: string | undefined;
  do {
    const url = new URL(`${server.replace(/\/$/, "")}${collectionPath(resource, namespace)}`);
    url.searchParams.set("limit", String(PAGE));
    if (next) url.searchParams.set("continue", next);
    const answer = await insist(url, options);
    // The list is older than the server remembers: it says where to go on in the newer one.
    const goOn = answer.status === 410 && next ? parse<List>(answer, resource).metadata?.continue : undefined;
    if (goOn && goOn !== next) {
      next = goOn;
      continue;
    }
    if (answer.status !== 200) throw failure(answer, resource, namespace);
    const list = parse<List>(answer, resource);
    yield list.items ?? [];
    next = list.metadata?.continue || undefined;
  } while (next);
}

/** A server that is busy says when to come again. */
async function insist(url: URL, options: https.RequestOptions): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await get(url, options);
    if (attempt === ATTEMPTS || (answer.status !== 429 && answer.status !== 503)) return answer;
    await new Promise((resolve) => setTimeout(resolve, Math.min(answer.retryAfterSeconds, 10) * 1000));
  }
}

function get(url: URL, options: https.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(new Error(`no answer from the API server ${url.origin}: ${error.code ?? error.message}`));
    const call = (url.protocol === "https:" ? https : http).get(url, options, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > LONGEST_ANSWER) call.destroy(new Error(`one page of ${url.pathname} is larger than 256 MiB`));
        else chunks.push(chunk);
      });
      response.on("error", fail);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfterSeconds: Number(response.headers["retry-after"] ?? 1) || 0,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    call.on("timeout", () => call.destroy(new Error(`nothing within ${TIMEOUT_MS / 1000} s`)));
    call.on("error", fail);
  });
}

function parse<T>({ body }: Answer, resource: Resource): T {
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new Error(`the API server's answer about ${resourceText(resource)} is not whole JSON; ask again`);
  }
}

function failure(answer: Answer, resource: Resource, namespace: string | undefined): Error {
  const where = namespace === undefined ? "" : ` in the namespace ${namespace}`;
  const right = `list ${resourceText(resource)}${where}`;
  const said = messageOf(answer.body);
  if (answer.status === 403) return new Unreadable(resource, "forbidden", `may not ${right}: ${said}`);
  if (answer.status === 401) return new Error(`the API server does not know who asks (401): log in again; ${said}`);
  if (answer.status === 404) {
    const missing = `the cluster has no ${resourceText(resource)} (${resource.version})`;
    return new Unreadable(resource, "absent", missing);
  }
  return new Error(`could not ${right}: the API server answered ${answer.status}: ${said}`);
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: string };
    if (message) return message;
  } catch {
    // Not the API server but something before it.
  }
  return body.slice(0, 200).replace(/\s+/g, " ").trim() || "without a word";
}
