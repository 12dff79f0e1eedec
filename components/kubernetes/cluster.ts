// Until the canary stands on client.ts, which does all of this without the typed client.
import { ApiException, type KubeConfig } from "@kubernetes/client-node";
import { GuardKubeConfig } from "./clientNode";
import { type ClusterTarget, isKubeconfigText, kubeconfigFile } from "./kubeConfig";

export type { ClusterTarget } from "./kubeConfig";

export function loadKubeConfig({ kubeconfig, context, cluster, user, requestTimeoutMs }: ClusterTarget): KubeConfig {
  const config = new GuardKubeConfig();
  if (kubeconfig === undefined) config.loadAsKubectl();
  else if (isKubeconfigText(kubeconfig)) loadText(config, kubeconfig);
  else config.loadFiles([kubeconfigFile(kubeconfig)]);
  if (context !== undefined) {
    assertNamed("context", context, config.getContexts());
    config.setCurrentContext(context);
  }
  if (cluster !== undefined) assertNamed("cluster", cluster, config.getClusters());
  if (user !== undefined) assertNamed("user", user, config.getUsers());
  if (cluster !== undefined || user !== undefined) {
    const current = config.getContextObject(config.getCurrentContext());
    const name = "chosen by flags";
    config.contexts = [
      ...config.contexts,
      { name, cluster: cluster ?? current?.cluster ?? "", user: user ?? current?.user ?? "" },
    ];
    config.setCurrentContext(name);
  }
  if (!config.getCurrentCluster())
    throw new Error(
      `the kubeconfig names no cluster to use; set a context: ${
        config
          .getContexts()
          .map(({ name }) => name)
          .join(", ") || "it has none"
      }`,
    );
  config.requestTimeoutMs = requestTimeoutMs;
  return config;
}

/** The library's own error quotes the text. */
function loadText(config: GuardKubeConfig, text: string): void {
  try {
    config.loadFromString(text);
  } catch {
    throw new Error("what was given is no kubeconfig: it is neither YAML nor JSON of the right form");
  }
}

function assertNamed(what: string, wanted: string, entries: readonly { name: string }[]): void {
  const names = entries.map(({ name }) => name);
  if (!names.includes(wanted))
    throw new Error(`the kubeconfig has no ${what} "${wanted}", only ${names.join(", ") || "none"}`);
}

/** What the API server said, without the client's wrapping. */
export function apiMessage(error: unknown): string {
  if (!(error instanceof ApiException)) {
    const { message, cause, name } = error as Error & { cause?: { code?: string } };
    if (name === "TimeoutError" || name === "AbortError")
      return "the API server did not answer within the request's timeout";
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
