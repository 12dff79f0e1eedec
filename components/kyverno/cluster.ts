import * as fs from "node:fs";
import { ApiException, KubeConfig } from "@kubernetes/client-node";

/** Which cluster to talk to; what is left out is taken as kubectl takes it. */
export interface ClusterTarget {
  /** Kubeconfig content or path. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function loadKubeConfig({ kubeconfig, context }: ClusterTarget): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else if (fs.existsSync(kubeconfig)) config.loadFromFile(kubeconfig);
  else if (kubeconfig.includes("\n")) config.loadFromString(kubeconfig);
  else throw new Error(`there is no kubeconfig ${kubeconfig}`);
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw new Error(`the kubeconfig has no context "${context}", only ${names.join(", ") || "none"}`);
    config.setCurrentContext(context);
  }
  return config;
}

/** What the API server said, without the client's wrapping. */
export function apiMessage(error: unknown): string {
  if (!(error instanceof ApiException)) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    return cause?.code ? `${message} (${cause.code})` : message;
  }
  const body = parseBody(error.body);
  return body?.message ?? `the API server answered ${error.code}`;
}

export function isForbidden(error: unknown): boolean {
  return error instanceof ApiException && error.code === 403;
}

function parseBody(body: unknown): { message?: string } | undefined {
  if (typeof body !== "string") return body as { message?: string };
  try {
    return JSON.parse(body);
  } catch {
    return { message: body };
  }
}
