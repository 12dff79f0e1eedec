import { type Resource, resourceText } from "./resources";

/** What was asked of the API server. */
export interface Asked {
  readonly verb: "get" | "list" | "create" | "patch" | "delete";
  readonly resource: Resource;
  readonly namespace?: string;
}

export type ClusterTrouble =
  /** No answer, or none in time. */
  | "unreachable"
  /** 401 */
  | "unauthorized"
  /** 403 of a right that the user lacks, or of an admission webhook. */
  | "forbidden"
  /** 404: no such object, or the cluster does not know the kind. */
  | "absent"
  /** Every other answer that is no success. */
  | "refused"
  /** Not what an API server says. */
  | "strange";

/** Why the cluster did not do what was asked; the message is for people. */
export class ClusterError extends Error {
  constructor(
    readonly why: ClusterTrouble,
    message: string,
    /** The API server's own words, where it said some. */
    readonly said = "",
    readonly status?: number,
    readonly asked?: Asked,
  ) {
    super(message);
  }
}

/** What the API server said, without our wrapping; for errors of webhooks, whose text is the answer. */
export function wordsOf(error: unknown): string {
  return (error instanceof ClusterError && error.said) || (error as Error).message;
}

export function describeAsked({ verb, resource, namespace }: Asked): string {
  return `${verb} ${resourceText(resource)}${namespace === undefined ? "" : ` in the namespace ${namespace}`}`;
}

/** An answer that is no success, as an error. */
export function statusError(server: string, status: number, body: string, asked?: Asked): ClusterError {
  const said = messageOf(body);
  const what = asked ? describeAsked(asked) : "ask";
  const error = (why: ClusterTrouble, message: string) => new ClusterError(why, message, said, status, asked);
  const words = said || "without a word";
  if (status === 401) return error("unauthorized", `${server} does not know who asks (401): log in again`);
  if (status === 403) return error("forbidden", `may not ${what}: ${words}`);
  if (status === 404 && asked?.verb === "list")
    return error("absent", `the cluster has no ${resourceText(asked.resource)} (${asked.resource.version})`);
  return error(status === 404 ? "absent" : "refused", `could not ${what}: the API server answered ${status}: ${words}`);
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string" && message) return message;
  } catch {
    // Not the API server but something before it.
  }
  return body.slice(0, 200).replace(/\s+/g, " ").trim();
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "its name can't be looked up now",
  EHOSTUNREACH: "no route",
  ENETUNREACH: "no route",
  ECONNRESET: "the connection was cut",
  UND_ERR_SOCKET: "the connection was cut",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not of the kubeconfig's authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not of the kubeconfig's authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not of the kubeconfig's authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not of the kubeconfig's authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** No answer at all, in the same words wherever it happens. */
export function unreachable(server: string, error: unknown, limitMs: number): ClusterError {
  const { code, message, name } = error as NodeJS.ErrnoException;
  const reason =
    name === "TimeoutError" || name === "AbortError"
      ? `it did not answer in time (${limitMs / 1000} s)`
      : code
        ? `${WORDS[code] ?? message} (${code})`
        : message;
  return new ClusterError("unreachable", `no answer from the API server ${server}: ${reason}`);
}

/** A right, in the words of kubectl. */
export interface Right {
  readonly user: string;
  readonly verb: string;
  /** RESOURCE.GROUP, as kubectl takes it. */
  readonly resource: string;
  readonly namespace?: string;
}

/** Which right lacks and who lacks it, from the API server's own words. */
export function missingRight(message: string): Right | undefined {
  const [, user, verb, resource, group, namespace] =
    /User "([^"]*)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/.exec(
      message,
    ) ?? [];
  if (!user || !verb || !resource) return undefined;
  return { user, verb, resource: group ? `${resource}.${group}` : resource, ...(namespace ? { namespace } : {}) };
}
