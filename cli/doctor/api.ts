import * as http from "node:http";
import * as https from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Asked } from "./facts";
import { quote } from "./fixes";

const PAGE = 500;
const TIMEOUT_MS = 30_000;
const METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

export interface Item {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly creationTimestamp?: string;
    readonly managedFields?: { readonly manager?: string; readonly time?: string; readonly fieldsV1?: object }[];
  };
}

class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Asks the API server for objects and turns what it will not tell into a reason. */
export class ApiReader {
  /** The server's Date header minus our clock, from the first answer. */
  skewSeconds: number | undefined;

  constructor(
    private readonly config: KubeConfig,
    private readonly kubectl: string,
  ) {}

  get server(): string {
    return this.config.getCurrentCluster()?.server ?? "";
  }

  /** Undefined where there is no such object or kind. */
  async find<T>(path: string, metadataOnly = false): Promise<T | undefined> {
    try {
      return (await this.get(path, metadataOnly)) as T;
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return undefined;
      throw error;
    }
  }

  /** All pages of a list; undefined where the cluster does not know the kind. */
  async list<T extends Item>(path: string, { metadataOnly = false } = {}): Promise<T[] | undefined> {
    const items: T[] = [];
    let next = "";
    do {
      const [base, query = ""] = path.split("?");
      const parameters = new URLSearchParams(query);
      parameters.set("limit", String(PAGE));
      if (next) parameters.set("continue", next);
      const page = await this.find<{ items: T[]; metadata?: { continue?: string } }>(
        `${base}?${parameters}`,
        metadataOnly,
      );
      if (!page) return undefined;
      items.push(...page.items);
      next = page.metadata?.continue ?? "";
    } while (next);
    return items;
  }

  /** An answer, or why there is none: the right that lacks and the command that gives it. */
  async ask<T>(question: () => Promise<T>): Promise<Asked<T>> {
    try {
      return { known: await question() };
    } catch (error) {
      return this.reason(error as Error);
    }
  }

  reason(error: Error): { unknown: string; fix?: string } {
    if (!(error instanceof Refused)) return { unknown: networkReason(error, this.server) };
    if (error.status === 401)
      return {
        unknown: `${this.server} does not know this user (401): log in again`,
        fix: `${this.kubectl} auth whoami`,
      };
    const right = error.status === 403 ? missingRight(error.message) : undefined;
    return right ? { unknown: describeRight(right), fix: grant(right, this.kubectl) } : { unknown: error.message };
  }

  private async get(path: string, metadataOnly: boolean): Promise<unknown> {
    const options: https.RequestOptions = {
      method: "GET",
      timeout: TIMEOUT_MS,
      headers: { accept: metadataOnly ? METADATA_ONLY : "application/json" },
    };
    await this.config.applyToHTTPSOptions(options);
    const began = Date.now();
    const { status, date, body } = await send(`${this.server}${path}`, options);
    this.measureClock(date, began);
    if (status >= 200 && status < 300) return parse(body, this.server);
    throw new Refused(status, messageOf(body) ?? `${this.server} answered ${status}`);
  }

  /** The header is cut to whole seconds and was written somewhere between question and answer. */
  private measureClock(date: string | undefined, began: number): void {
    const theirs = Date.parse(date ?? "");
    if (this.skewSeconds !== undefined || Number.isNaN(theirs)) return;
    const [earliest, latest] = [Math.floor(began / 1000) * 1000, Date.now()];
    const skew = theirs < earliest ? theirs - earliest : theirs > latest ? theirs - latest : 0;
    this.skewSeconds = Math.round(skew / 1000);
  }
}

interface Answer {
  readonly status: number;
  readonly date?: string;
  readonly body: string;
}

function send(url: string, options: https.RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const client = url.startsWith("https:") ? https : http;
    const call = client.request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          ...(response.headers.date ? { date: response.headers.date } : {}),
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    call.on("timeout", () => call.destroy(Object.assign(new Error("no answer in time"), { name: "TimeoutError" })));
    call.on("error", reject);
    call.end();
  });
}

function parse(body: string, server: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error(`${server} did not answer with JSON: is it an API server?`);
  }
}

function messageOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { message?: string }).message;
  } catch {
    return undefined;
  }
}

function networkReason(error: NodeJS.ErrnoException, server: string): string {
  if (error.name === "TimeoutError" || error.name === "AbortError") return `${server} did not answer in time`;
  const codes = { ECONNREFUSED: "nothing listens there", ENOTFOUND: "there is no such host", EHOSTUNREACH: "no route" };
  const word = codes[error.code as keyof typeof codes];
  if (word) return `${server} can't be reached: ${word} (${error.code})`;
  return error.code ? `${server} can't be reached: ${error.message} (${error.code})` : error.message;
}

export interface Right {
  readonly user: string;
  readonly verb: string;
  /** RESOURCE.GROUP, as kubectl takes it. */
  readonly resource: string;
  readonly namespace?: string;
}

/** Which right lacks, from the API server's own words. */
export function missingRight(message: string): Right | undefined {
  const [, user, verb, resource, group, namespace] =
    /User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(
      message,
    ) ?? [];
  if (!user || !verb || !resource) return undefined;
  return { user, verb, resource: group ? `${resource}.${group}` : resource, ...(namespace ? { namespace } : {}) };
}

function describeRight({ user, verb, resource, namespace }: Right): string {
  return `${user} lacks the right to ${verb} ${resource} ${namespace ? `in namespace ${namespace}` : "in the whole cluster"}`;
}

/** For somebody who may give rights. */
function grant({ user, verb, resource, namespace }: Right, kubectl: string): string {
  const name = `image-signing-guard-doctor-${verb}-${resource}`.toLowerCase().replace(/[^a-z0-9.-]/g, "-");
  const kind = namespace ? "role" : "clusterrole";
  const place = namespace ? ` -n ${namespace}` : "";
  return [
    `${kubectl} create ${kind} ${name}${place} --verb=${verb} --resource=${resource}`,
    `${kubectl} create ${kind}binding ${name}${place} --${kind}=${name} --user=${quote(user)} # as somebody who may give rights`,
  ].join(" && ");
}
