import { CERTIFICATE_CODES, describePeerCertificate } from "./peerCertificate";

/** Why a registry could not be read; none of these says that an image is unsigned. */
export type RegistryTrouble =
  | "unreachable"
  | "timeout"
  | "certificate"
  | "unauthorized"
  | "forbidden"
  | "notFound"
  | "rateLimited"
  | "serverError"
  | "malformed"
  | "tooLarge";

export class RegistryError extends Error {
  constructor(
    readonly trouble: RegistryTrouble,
    message: string,
  ) {
    super(message);
  }
}

/** Undefined where the registry could not be read: for what would only be good to know. */
export async function quietly<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** How long a registry may take for one answer. */
export const TIMEOUT_MS = 15_000;

const STATUS_TROUBLE: Record<number, RegistryTrouble> = {
  401: "unauthorized",
  403: "forbidden",
  404: "notFound",
  429: "rateLimited",
};

/** What an answer that is no success means. */
export function statusError(status: number, where: string, body: Buffer): RegistryError {
  const trouble = STATUS_TROUBLE[status] ?? "serverError";
  let said = "";
  try {
    const { errors } = JSON.parse(body.toString("utf8")) as { errors?: { code?: string; message?: string }[] };
    said = errors?.[0] ? `: ${errors[0].code ?? ""} ${errors[0].message ?? ""}`.trimEnd() : "";
  } catch {
    // The status alone says enough.
  }
  return new RegistryError(trouble, `${where} answered ${status}${said.slice(0, 200)}`);
}

/** What it means that there was no answer. */
export async function networkError(error: unknown, where: string, timeoutMs = TIMEOUT_MS): Promise<RegistryError> {
  const causes: { code?: string; name?: string; message?: string }[] = [];
  for (let cause = error as (Error & { cause?: unknown }) | undefined; cause; cause = cause.cause as never) {
    causes.push(cause);
    if (causes.length > 5) break;
  }
  const late = causes.some(({ code, name }) => name === "TimeoutError" || /TIMEOUT|ETIMEDOUT/.test(code ?? ""));
  if (late) return new RegistryError("timeout", `${where} did not answer within ${timeoutMs / 1000} s`);
  const wrong = causes.map(({ code }) => CERTIFICATE_CODES[code ?? ""]).find(Boolean);
  if (wrong) {
    const shown = await describePeerCertificate(where.split("/")[0]!);
    const help = "add its authority by NODE_EXTRA_CA_CERTS, or mend the certificate";
    return new RegistryError("certificate", `the certificate of ${where} ${wrong}${shown && ` (${shown})`}; ${help}`);
  }
  const last = causes[causes.length - 1];
  return new RegistryError("unreachable", `${where} can't be reached: ${last?.code ?? last?.message ?? "no reason"}`);
}
