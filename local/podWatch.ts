import { type KubeConfig, type V1Pod, type V1PodList, Watch } from "@kubernetes/client-node";
import type { Log } from "./log";
import { ApiError, requestObject } from "./request";
import { sleep } from "./waitFor";

export interface PodListener {
  /** UIDs of the pods that were seen and not forgotten. */
  known(): Iterable<string>;
  see(pod: V1Pod): void;
  forget(uid: string): void;
}

export interface PodWatch {
  /** Asks for no more; what runs ends soon. */
  stop(): void;
  readonly ended: Promise<void>;
}

/** Tells of every pod of the cluster, by lists and watches, until it is stopped. */
export function watchPods(client: KubeConfig, log: Log, { known, see, forget }: PodListener): PodWatch {
  let stopping = false;
  let abort: AbortController | undefined;

  const follow = async () => {
    while (!stopping) {
      try {
        const list = await requestObject<V1PodList>(client, "GET", "/api/v1/pods");
        const there = new Set(list.items.map((pod) => pod.metadata?.uid ?? ""));
        for (const uid of known()) if (!there.has(uid)) forget(uid);
        for (const pod of list.items) see(pod);
        await watch(list.metadata?.resourceVersion);
      } catch (error) {
        if (!stopping && !(error instanceof ApiError)) log(`node: lost the API server (${(error as Error).message})`);
      }
      if (!stopping) await sleep(300);
    }
  };

  const watch = (resourceVersion: string | undefined) =>
    new Promise<void>((resolve) => {
      const take = (type: string, pod: V1Pod) => {
        if (type === "DELETED") forget(pod.metadata?.uid ?? "");
        else if (type === "ADDED" || type === "MODIFIED") see(pod);
        else if (type === "ERROR") abort?.abort();
      };
      new Watch(client)
        .watch("/api/v1/pods", { resourceVersion, timeoutSeconds: 240 }, take, () => resolve())
        .then(
          (controller) => {
            abort = controller;
            if (stopping) controller.abort();
          },
          () => resolve(),
        );
    });

  return {
    stop: () => {
      stopping = true;
      abort?.abort();
    },
    ended: follow(),
  };
}
