import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent, request } from "undici";
import { type Asked, ClusterError, statusError, unreachable } from "./errors";
import { type ClusterAccess, type ClusterTarget, loadKubeConfig } from "./kubeConfig";
import { type Credentials, content, Login } from "./login";
import { apiVersion, collectionPath, type KubeObject, type Resource, SELF_REVIEWS } from "./resources";
import { withoutNulls } from "./withoutNulls";

/** Objects a page. Reports are the biggest: some ten rows of half a kilobyte each. */
const PAGE = 250;
const METADATA_PAGE = 500;
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const ATTEMPTS = 4;
const LONGEST_PATIENCE_SECONDS = 10;
/** Far above what a page can be; a server that sends more is not one to believe. */
const LONGEST_ANSWER = 256 * 1024 * 1024;

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Names, labels and times without the rest. */
  readonly metadataOnly?: boolean;
}

/** A user of the cluster. */
export interface UserInfo {
  readonly username?: string;
  readonly groups?: readonly string[];
}

export interface WriteOptions {
  readonly namespace?: string;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
}

interface Sent {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly asked?: Asked;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: object;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

interface List {
  readonly items?: readonly KubeObject[];
  readonly metadata?: { readonly continue?: string };
}

function itemsOf({ items = [] }: List, { plural }: Resource): readonly KubeObject[] {
  if (Array.isArray(items) && items.every((item) => typeof item === "object")) return items;
  throw new ClusterError("strange", `the API server's answer about ${plural} is no list`);
}

/** The one way to a cluster: every request has its own limit, and every failure is a {@link ClusterError}. */
export class ClusterClient {
  /** The server's Date header minus our clock, from the first answer. */
  skewSeconds: number | undefined;

  /** Without login and password, which an address may hold. */
  readonly server: string;
  readonly context: string;
  private readonly base: string;
  private readonly login: Login;
  private connection: { readonly cert?: string; readonly key?: string; readonly dispatcher: Dispatcher } | undefined;

  constructor(private readonly access: ClusterAccess) {
    const url = serverUrl(access.cluster.server);
    this.base = `${url.origin}${url.pathname.replace(/\/$/, "")}`;
    this.server = this.base;
    this.context = access.context;
    this.login = new Login(access);
  }

  static of(target: ClusterTarget): ClusterClient {
    return new ClusterClient(loadKubeConfig(target));
  }

  /** The user of the kubeconfig, which is not always what the API server calls them. */
  get userName(): string {
    return this.access.userName;
  }

  /** Who asks, as the API server sees them. Servers before Kubernetes 1.28 can't say: then a {@link ClusterError}. */
  async whoAmI(): Promise<UserInfo> {
    const review = { apiVersion: apiVersion(SELF_REVIEWS), kind: SELF_REVIEWS.kind };
    const { status } = await this.create<KubeObject & { status?: { userInfo?: UserInfo } }>(SELF_REVIEWS, review);
    return status?.userInfo ?? {};
  }

  /** What is at a path that is no collection's, such as /version; undefined where there is nothing. */
  async findPath<T>(path: string): Promise<T | undefined> {
    return orUndefined(this.json<T>({ method: "GET", path }));
  }

  async get<T extends KubeObject>(resource: Resource, name: string, namespace?: string): Promise<T> {
    return this.json<T>({
      method: "GET",
      path: objectPath(resource, name, namespace),
      asked: { verb: "get", resource, ...(namespace === undefined ? {} : { namespace }) },
    });
  }

  /** Undefined where there is no such object or kind. */
  async find<T extends KubeObject>(resource: Resource, name: string, namespace?: string): Promise<T | undefined> {
    return orUndefined(this.get<T>(resource, name, namespace));
  }

  /** All objects at once; undefined where the cluster does not know the kind. */
  async list<T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<T[] | undefined> {
    return orUndefined(
      (async () => {
        const items: T[] = [];
        for await (const page of this.pages<T>(resource, options)) items.push(...page);
        return items;
      })(),
    );
  }

  /** Page by page, so that nobody has to hold them all; a kind that the cluster does not know throws `absent`. */
  async *pages<T extends KubeObject>(resource: Resource, options: ListOptions = {}): AsyncGenerator<readonly T[]> {
    const served = await this.firstPage(resource, options);
    let { list } = served;
    for (;;) {
      yield itemsOf(list, resource) as readonly T[];
      const next = list.metadata?.continue;
      if (!next) return;
      list = await this.page(served.resource, options, next);
    }
  }

  async create<T extends KubeObject>(resource: Resource, body: object, options: WriteOptions = {}): Promise<T> {
    return this.write<T>("POST", collectionPath(resource, options.namespace), "create", resource, options, body);
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource,
    name: string,
    body: object,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.write<T>("PATCH", objectPath(resource, name, options.namespace), "patch", resource, options, body);
  }

  async delete(resource: Resource, name: string, options: WriteOptions = {}): Promise<void> {
    await this.write("DELETE", objectPath(resource, name, options.namespace), "delete", resource, options);
  }

  private write<T>(
    method: "POST" | "PATCH" | "DELETE",
    path: string,
    verb: Asked["verb"],
    resource: Resource,
    { namespace, dryRun, fieldManager }: WriteOptions,
    body?: object,
  ): Promise<T> {
    const query = new URLSearchParams({
      ...(dryRun ? { dryRun: "All" } : {}),
      ...(fieldManager ? { fieldManager } : {}),
    });
    return this.json<T>({
      method,
      path: query.size > 0 ? `${path}?${query}` : path,
      asked: { verb, resource, ...(namespace === undefined ? {} : { namespace }) },
      contentType: method === "PATCH" ? "application/merge-patch+json" : "application/json",
      ...(body ? { body } : {}),
    });
  }

  /** In the first version of the kind that the cluster serves. */
  private async firstPage(resource: Resource, options: ListOptions): Promise<{ resource: Resource; list: List }> {
    const versions = [resource.version, ...(resource.otherVersions ?? [])];
    for (const [index, version] of versions.entries()) {
      const served = { ...resource, version };
      try {
        return { resource: served, list: await this.page(served, options) };
      } catch (error) {
        if (index === versions.length - 1 || !(error instanceof ClusterError && error.why === "absent")) throw error;
      }
    }
    throw new Error("a resource without a version");
  }

  private async page(resource: Resource, options: ListOptions, next?: string): Promise<List> {
    const { namespace, labelSelector, metadataOnly = false } = options;
    const asked: Asked = { verb: "list", resource, ...(namespace === undefined ? {} : { namespace }) };
    const query = new URLSearchParams({
      limit: String(metadataOnly ? METADATA_PAGE : PAGE),
      ...(labelSelector ? { labelSelector } : {}),
      ...(next ? { continue: next } : {}),
    });
    const sent: Sent = {
      method: "GET",
      path: `${collectionPath(resource, namespace)}?${query}`,
      asked,
      ...(metadataOnly ? { accept: METADATA_ONLY } : {}),
    };
    const answer = await this.insist(sent);
    // The list is older than the server remembers: it says where to go on in the newer one.
    const goOn = answer.status === 410 && next ? this.parse<List | null>(answer, asked)?.metadata?.continue : undefined;
    if (goOn && goOn !== next) return this.page(resource, options, goOn);
    return this.succeeded<List | null>(answer, asked) ?? {};
  }

  private async json<T>(sent: Sent): Promise<T> {
    return this.succeeded<T>(await this.insist(sent), sent.asked);
  }

  private succeeded<T>(answer: Answer, asked?: Asked): T {
    if (answer.status >= 200 && answer.status < 300) return this.parse<T>(answer, asked);
    throw statusError(this.server, answer.status, answer.body, asked);
  }

  private parse<T>({ body }: Answer, asked?: Asked): T {
    try {
      return withoutNulls(JSON.parse(body) as T);
    } catch {
      const what = asked ? ` about ${asked.resource.plural}` : "";
      throw new ClusterError(
        "strange",
        /^\s*[[{]/.test(body)
          ? `the API server's answer${what} is not whole JSON; ask again`
          : `${this.server} did not answer with JSON: is it an API server?`,
      );
    }
  }

  /** A server that is busy says when to come again; a login that has ended may be had anew. */
  private async insist(sent: Sent): Promise<Answer> {
    let renewed = false;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.send(sent);
      if (answer.status === 401 && !renewed && this.login.renew()) {
        renewed = true;
        continue;
      }
      // What a server that is away did with a change is not known, so that only questions are asked again.
      const busy = answer.status === 429 || (answer.status === 503 && sent.method === "GET");
      if (!busy || attempt >= ATTEMPTS) return answer;
      await sleep(Math.min(secondsOf(answer.retryAfter), LONGEST_PATIENCE_SECONDS) * 1000);
    }
  }

  private async send({ method, path, accept, contentType, body }: Sent): Promise<Answer> {
    const credentials = await this.login.credentials();
    const dispatcher = this.dispatcher(credentials);
    const limitMs = this.access.requestTimeoutMs;
    const began = Date.now();
    try {
      const response = await request(`${this.base}${path}`, {
        method,
        dispatcher,
        headers: {
          ...credentials.headers,
          accept: accept ?? "application/json",
          "user-agent": "image-signing-guard",
          ...(contentType && body ? { "content-type": contentType } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        ...(limitMs > 0 ? { signal: AbortSignal.timeout(limitMs) } : {}),
      });
      const text = await limited(response.body, path);
      this.measureClock(response.headers.date, began);
      const retryAfter = response.headers["retry-after"];
      return { status: response.statusCode, retryAfter: [retryAfter].flat()[0], body: text };
    } catch (error) {
      throw error instanceof ClusterError ? error : unreachable(this.server, error, limitMs);
    }
  }

  /** One for as long as the certificate is the same: a connection is made in the name of its certificate. */
  private dispatcher({ cert, key }: Credentials): Dispatcher {
    const known = this.connection;
    if (known && known.cert === cert && known.key === key) return known.dispatcher;
    const dispatcher = connect(this.access, this.base, { ...(cert ? { cert } : {}), ...(key ? { key } : {}) });
    this.connection = { ...(cert ? { cert } : {}), ...(key ? { key } : {}), dispatcher };
    return dispatcher;
  }

  /** The header is cut to whole seconds and was written somewhere between question and answer. */
  private measureClock(date: string | string[] | undefined, began: number): void {
    const theirs = Date.parse([date].flat()[0] ?? "");
    if (this.skewSeconds !== undefined || Number.isNaN(theirs)) return;
    const [earliest, latest] = [Math.floor(began / 1000) * 1000, Date.now()];
    const skew = theirs < earliest ? theirs - earliest : theirs > latest ? theirs - latest : 0;
    this.skewSeconds = Math.round(skew / 1000);
  }
}

function serverUrl(server: string): URL {
  try {
    const url = new URL(server);
    if (url.protocol === "https:" || url.protocol === "http:") return url;
  } catch {
    // Said below.
  }
  throw new Error(`the kubeconfig's server is no http or https address`);
}

function connect({ cluster }: ClusterAccess, server: string, own: { cert?: string; key?: string }): Dispatcher {
  const ca = content(cluster["certificate-authority-data"], cluster["certificate-authority"], "certificate-authority");
  const tls: ConnectionOptions = {
    ...own,
    ...(ca ? { ca } : {}),
    ...(cluster["insecure-skip-tls-verify"] ? { rejectUnauthorized: false } : {}),
    ...(cluster["tls-server-name"] ? { servername: cluster["tls-server-name"] } : {}),
  };
  // The limit of a request is ours.
  const options = { connect: { ...tls, timeout: 0 }, headersTimeout: 0, bodyTimeout: 0 } as Agent.Options;
  const requestTls = tls as NonNullable<ProxyAgent.Options["requestTls"]>;
  const proxy = cluster["proxy-url"];
  if (proxy) return new ProxyAgent({ ...options, uri: proxy, requestTls });
  // As every Go program: what is on this machine is never asked through a proxy of the environment.
  if (isLoopback(new URL(server).hostname)) return new Agent(options);
  return new EnvHttpProxyAgent({ ...options, requestTls });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\./.test(host);
}

function objectPath(resource: Resource, name: string, namespace?: string): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

/** Seconds, or a date. */
function secondsOf(retryAfter: string | undefined): number {
  if (retryAfter === undefined) return 1;
  const seconds = Number(retryAfter);
  if (!Number.isNaN(seconds)) return Math.max(0, seconds);
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? 1 : Math.max(0, (at - Date.now()) / 1000);
}

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ClusterError && error.why === "absent") return undefined;
    throw error;
  }
}

async function limited(body: AsyncIterable<Buffer>, path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) {
      const [place] = path.split("?");
      throw new ClusterError("strange", `one page of ${place} is larger than ${LONGEST_ANSWER / 2 ** 20} MiB`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
