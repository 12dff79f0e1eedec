import { ClusterClient } from "../kubernetes/client";
import type { ClusterTarget } from "../kubernetes/kubeConfig";

const GROUP = "monitoring.coreos.com";
/** A preview should not wait long for a cluster that is out of reach. */
const PATIENCE_MS = 10_000;

/**
 * Whether the cluster has the Prometheus Operator's kinds; undefined when it can't be asked. Only a clear no counts as
 * one: rules must not be deleted because an API server was away for a moment.
 */
export async function hasPrometheusOperator(target: ClusterTarget): Promise<boolean | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([ask(target), late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function ask(target: ClusterTarget): Promise<boolean | undefined> {
  const client = ClusterClient.of({ ...target, requestTimeoutMs: PATIENCE_MS });
  const { groups } = (await client.findPath<{ groups?: readonly { name: string }[] }>("/apis")) ?? {};
  return groups?.some(({ name }) => name === GROUP);
}
