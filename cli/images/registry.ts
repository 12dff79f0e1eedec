import { createHash } from "node:crypto";
import { EnvHttpProxyAgent, fetch, type Response } from "undici";
import { challengesOf } from "./challenge";
import { type Credentials, CredentialsError, registryCredentials } from "./credentials";
import { type Descriptor, type Manifest, parseJson, parseManifest } from "./manifest";
import { networkError, RegistryError, statusError, TIMEOUT_MS } from "./registryError";

const MEGABYTE = 1024 * 1024;
/** Manifests and signatures are small; a larger answer is not what was asked for. */
const LIMIT = MEGABYTE;
const LONGEST_WAIT_MS = 15_000;

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** What a request for content has besides its place. */
interface ReadRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the content may take its time as long as it keeps coming. */
  readonly streams?: boolean;
}

/** Reads manifests and small blobs of one registry. Honours HTTPS_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS. */
export class RegistryClient {
  private readonly dispatcher = new EnvHttpProxyAgent();
  private readonly authorizations = new Map<string, string>();
  private scheme: "https" | "http" | undefined;
  private readonly timeoutMs: number;

  /** `timeoutMs` is for an answer, and for each silence in a stream. */
  constructor(
    private readonly host: string,
    { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
  ) {
    this.timeoutMs = timeoutMs;
  }

  async manifest(repository: string, reference: string): Promise<Manifest> {
    const body = await this.get(repository, `manifests/${reference}`, ACCEPT, LIMIT);
    const digest = digestOf(body);
    if (reference.startsWith("sha256:") && digest !== reference) {
      throw new RegistryError("malformed", `the manifest that ${this.host} sent for ${reference} is ${digest}`);
    }
    return { digest, ...parseManifest(body, `${this.host}/${repository} ${reference}`) };
  }

  /** Undefined where the registry says that there is none. */
  async findManifest(repository: string, reference: string): Promise<Manifest | undefined> {
    return orUndefined(this.manifest(repository, reference));
  }

  async blob(repository: string, { digest }: Descriptor, limit = LIMIT): Promise<Buffer> {
    const body = await this.get(repository, `blobs/${digest}`, "*/*", limit);
    if (digestOf(body) !== digest) {
      throw new RegistryError("malformed", `the content that ${this.host} sent for ${digest} is ${digestOf(body)}`);
    }
    return body;
  }

  /**
   * Content of any size, as it comes, from a byte on; `from` says where it begins, as not every registry goes on in the
   * middle. Not checked: whoever has read all of it must compare the digest.
   */
  async blobStream(
    repository: string,
    digest: string,
    offset = 0,
  ): Promise<{ readonly body: AsyncIterable<Uint8Array>; readonly from: number }> {
    const range: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await this.answer(repository, `blobs/${digest}`, "*/*", { headers: range, streams: true });
    const where = `${this.host}/${repository}`;
    if (response.status === 416) {
      await response.body?.cancel();
      return { body: (async function* () {})(), from: offset };
    }
    if (!response.ok)
      throw statusError(response.status, where, await readLimited(response, LIMIT, where, this.timeoutMs));
    return { body: unlessSilent(response, this.timeoutMs, where), from: response.status === 206 ? offset : 0 };
  }

  /**
   * What refers to a digest, by the registry's own list and by the tag that stands in for it. Registries without the list
   * answer in many ways (404, 406, 429, a page with 200), and some that have it keep what was pushed before in the tag.
   */
  async referrers(repository: string, digest: string): Promise<Descriptor[]> {
    const listed = await this.referrersList(repository, digest);
    const tagged = (await this.findManifest(repository, digest.replace(":", "-")))?.manifests ?? [];
    return [...listed, ...tagged.filter((one) => !listed.some((other) => other.digest === one.digest))];
  }

  private async referrersList(repository: string, digest: string): Promise<Descriptor[]> {
    try {
      const body = await this.get(repository, `referrers/${digest}`, ACCEPT, LIMIT);
      return parseManifest(body, `${this.host}/${repository} referrers`).manifests;
    } catch (error) {
      if (error instanceof RegistryError) return [];
      throw error;
    }
  }

  /** Throws what keeps this machine from reading: a repository, or the registry as such. */
  async access(repository?: string): Promise<void> {
    if (repository !== undefined) await this.get(repository, "tags/list?n=1", "application/json", LIMIT);
    else await this.ping();
  }

  /** A registry that asks for a login is there; which repositories it lets read can't be told without naming one. */
  private async ping(): Promise<void> {
    const response = await this.send("/v2/", "application/json", "");
    const body = await readLimited(response, LIMIT, `${this.host}/v2/`, this.timeoutMs);
    if (!response.ok && response.status !== 401) throw statusError(response.status, this.host, body);
  }

  close(): Promise<void> {
    return this.dispatcher.close();
  }

  private async get(repository: string, path: string, accept: string, limit: number): Promise<Buffer> {
    const response = await this.answer(repository, path, accept);
    const body = await readLimited(response, limit, `${this.host}/v2/${repository}/${path}`, this.timeoutMs);
    if (response.ok) return body;
    throw statusError(response.status, `${this.host}/${repository}`, body);
  }

  /** With a login where one is asked for, and once more where the registry is busy. */
  private async answer(repository: string, path: string, accept: string, request: ReadRequest = {}): Promise<Response> {
    const url = `/v2/${repository}/${path}`;
    const ask = () => this.send(url, accept, repository, request);
    let response = await ask();
    if (response.status === 401 && isFrom(response, this.host)) {
      const asked = response.headers.get("www-authenticate");
      await response.body?.cancel();
      if (await this.authorize(repository, asked)) response = await ask();
    }
    if (response.status === 429) {
      await response.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, retryAfter(response)));
      response = await ask();
    }
    return response;
  }

  private async send(
    url: string,
    accept: string,
    repository: string,
    { headers: more, streams }: ReadRequest = {},
  ): Promise<Response> {
    const authorization = this.authorizations.get(repository);
    const headers = {
      ...more,
      accept,
      "user-agent": "image-signing-guard",
      ...(authorization ? { authorization } : {}),
    };
    if (this.scheme) return this.fetch(`${this.scheme}://${this.host}${url}`, headers, {}, streams);
    try {
      const response = await this.fetch(`https://${this.host}${url}`, headers, {}, streams);
      this.scheme = "https";
      return response;
    } catch (error) {
      // As Kyverno does: plain HTTP only where nobody else can listen.
      if (!isPrivateHost(this.host)) throw error;
      const isCertificate = error instanceof RegistryError && error.trouble === "certificate";
      const response = await this.fetch(`http://${this.host}${url}`, headers, {}, streams).catch((plain: unknown) => {
        throw isCertificate ? error : plain;
      });
      this.scheme = "http";
      return response;
    }
  }

  /** Of what streams only the answer's head has a limit of time, not its body. */
  private async fetch(
    url: string,
    headers: Record<string, string>,
    init: object = {},
    streams = false,
  ): Promise<Response> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException("no answer", "TimeoutError")), this.timeoutMs);
    // The process need not wait for the limit of an answer that has come.
    timer.unref();
    try {
      const response = await fetch(url, { headers, dispatcher: this.dispatcher, signal: late.signal, ...init });
      if (streams) clearTimeout(timer);
      return response;
    } catch (error) {
      throw await networkError(error, new URL(url).host, this.timeoutMs);
    }
  }

  /** Answers a challenge; false when there is nothing to answer it with. */
  private async authorize(repository: string, header: string | null): Promise<boolean> {
    const challenges = challengesOf(header);
    let login: Credentials | undefined;
    try {
      login = registryCredentials(this.host, repository);
    } catch (error) {
      if (error instanceof CredentialsError) throw new RegistryError("unauthorized", error.message);
      throw error;
    }
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    const isBasic = challenges.some(({ scheme }) => scheme === "basic");
    if (isBasic && login?.username && !bearer?.parameters.realm) {
      this.authorizations.set(repository, basic(login));
      return true;
    }
    if (!bearer) return false;
    const token = await this.token(
      bearer.parameters,
      bearer.parameters.scope ?? `repository:${repository}:pull`,
      login,
    );
    this.authorizations.set(repository, `Bearer ${token}`);
    return true;
  }

  /** The login goes to the realm that the registry itself names, and no further. */
  private async token(
    { realm, service }: Readonly<Record<string, string>>,
    scope: string,
    login: Credentials | undefined,
  ): Promise<string> {
    if (!realm || !URL.canParse(realm)) {
      throw new RegistryError("malformed", `${this.host} asks for a token but does not say where to get it`);
    }
    const { protocol, host } = new URL(realm);
    if (login && protocol !== "https:" && this.scheme !== "http") {
      throw new RegistryError("malformed", `${this.host} wants the login sent to ${host} in clear, which is not done`);
    }
    const fields = new URLSearchParams({ scope, ...(service ? { service } : {}) });
    let response: Response;
    if (login?.identityToken) {
      const form = new URLSearchParams(fields);
      form.set("grant_type", "refresh_token");
      form.set("client_id", "image-signing-guard");
      form.set("refresh_token", login.identityToken);
      response = await this.fetch(realm, {}, { method: "POST", body: form, redirect: "error" });
    } else {
      const url = new URL(realm);
      for (const [name, value] of fields) url.searchParams.set(name, value);
      // To another host a redirect goes without the header.
      response = await this.fetch(url.href, login ? { authorization: basic(login) } : {});
    }
    const body = await readLimited(response, LIMIT, realm, this.timeoutMs);
    if (!response.ok) throw statusError(response.status, `${this.host} (login)`, body);
    const answer = parseJson(body, realm) as { token?: string; access_token?: string };
    const token = answer.token ?? answer.access_token;
    if (!token) throw new RegistryError("malformed", `${realm} answered without a token`);
    return token;
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof RegistryError && error.trouble === "notFound") return undefined;
    throw error;
  }
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function digestOf(body: Buffer): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

/** Whether a redirect has not led to another server. */
function isFrom(response: Response, host: string): boolean {
  return new URL(response.url).host === new URL(`${new URL(response.url).protocol}//${host}`).host;
}

async function readLimited(response: Response, limit: number, where: string, timeoutMs: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > limit) throw new RegistryError("tooLarge", `the answer of ${where} is larger than ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof RegistryError ? error : await networkError(error, where, timeoutMs);
  }
  return Buffer.concat(chunks);
}

/** A body as long as it keeps coming. */
async function* unlessSilent(response: Response, silenceMs: number, where: string): AsyncIterable<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new DOMException("silence", "TimeoutError")), silenceMs);
      });
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value as Uint8Array;
    }
  } catch (error) {
    throw await networkError(error, where, silenceMs);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? 1);
  return Math.min(Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 1000, LONGEST_WAIT_MS);
}

function isPrivateHost(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return (
    /^(localhost|127\.[\d.]+|10\.[\d.]+|192\.168\.[\d.]+|172\.(1[6-9]|2\d|3[01])\.[\d.]+|\[::1\])$/.test(name) ||
    /\.local$/.test(name)
  );
}
