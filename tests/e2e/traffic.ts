import type { KubeConfig } from "@kubernetes/client-node";
import { pod } from "../../local/demo/cases";
import type { DemoImages } from "../../local/demo/images";
import { ApiError, request, requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { create, patch, type Stored } from "./support";

/** What somebody got in who creates pods without pause. */
export interface Tally {
  /** Offers of something unsigned, and how many of them are stored in the end. */
  readonly offered: number;
  readonly unsigned: readonly string[];
  readonly signed: number;
  /** Seconds of the longest time in which no signed pod got in. */
  readonly longestGap: number;
  /** Seconds from repaired() until the next signed pod got in. */
  readonly again: number;
}

export interface Traffic {
  /** What was broken works again, from now on. */
  repaired(): void;
  /** Waits until signed pods are admitted again, then stops, counts what is stored and removes it. */
  stop(): Promise<Tally>;
}

const everyMs = 250;
/** Unanswered offers of each kind; more would only slow down what is measured. */
const mostPending = 6;
const kind = "offered";
const namespaces = ["production", "shop"] as const;

/**
 * Offers an unsigned and a signed pod, and now and then an unsigned debug container, up to four times a second, while
 * those before may still wait for their answer. They are really created, behind a gate so that no node cares for them; what
 * counts is what the API server stores, not what it answered.
 */
export async function startTraffic(client: KubeConfig, images: DemoImages): Promise<Traffic> {
  const labelled = (name: string, image: string, what: "signed" | "unsigned", annotations = {}) => {
    const { spec, ...rest } = pod(name, image);
    const metadata = { name, labels: { [kind]: what }, annotations };
    return { ...rest, metadata, spec: { ...spec, schedulingGates: [{ name: "offered" }] } };
  };
  const offer = async (attempt: Promise<unknown>): Promise<boolean> => {
    try {
      await attempt;
      return true;
    } catch (error) {
      if (error instanceof ApiError || /socket|ECONN|in time/.test((error as Error).message)) return false;
      throw error;
    }
  };
  // A verdict that the request brings along, in the words of each line.
  const forged = [true, "pass"].map((verdict) => ({
    "kyverno.io/verify-images": JSON.stringify({ [images.unsignedByDigest]: verdict }),
  }));
  const unsigned: readonly (readonly [namespace: string, image: string, annotations?: Record<string, string>])[] = [
    ["production", images.unsigned],
    ["shop", images.unsigned],
    ["production", images.nginx],
    ["production", images.unsignedByDigest],
    ...forged.map((annotations) => ["production", images.unsignedByDigest, annotations] as const),
  ];

  const admittedAt: number[] = [performance.now()];
  const pending = { signed: new Set<Promise<void>>(), unsigned: new Set<Promise<void>>() };
  const run = (what: keyof typeof pending, attempt: () => Promise<unknown>, then = () => {}) => {
    if (pending[what].size >= mostPending) return;
    if (what === "unsigned") offered++;
    const work = offer(attempt()).then((admitted) => {
      if (admitted) then();
    });
    pending[what].add(work);
    void work.finally(() => pending[what].delete(work));
  };
  let offered = 0;
  let repairedAt: number | undefined;
  let stopped = false;

  const debugged = "debugged";
  await waitFor("the pod to debug is admitted", 60_000, () =>
    create(client, "production", labelled(debugged, images.signed, "signed")),
  );
  const debug = (name: string) =>
    patch(client, `/api/v1/namespaces/production/pods/${debugged}/ephemeralcontainers`, {
      spec: { ephemeralContainers: [{ name, image: images.unsigned }] },
    });

  const tick = (at: number) => {
    const [namespace, image, annotations] = unsigned[at % unsigned.length]!;
    run("unsigned", () => create(client, namespace, labelled(`unsigned-${at}`, image, "unsigned", annotations)));
    if (at % 8 === 0) run("unsigned", () => debug(`debug-${at}`));
    run(
      "signed",
      () => create(client, "production", labelled(`signed-${at}`, images.signed, "signed")),
      () => void admittedAt.push(performance.now()),
    );
  };
  const ticking = (async () => {
    for (let at = 0; !stopped; at++) {
      tick(at);
      await sleep(everyMs);
    }
  })();

  const againSince = (since: number) => admittedAt.find((at) => at > since);
  return {
    repaired: () => {
      repairedAt = performance.now();
    },
    stop: async () => {
      const since = repairedAt ?? performance.now();
      await waitFor("a signed pod is admitted again", 180_000, () => againSince(since) !== undefined);
      stopped = true;
      await ticking;
      await Promise.all([...pending.signed, ...pending.unsigned]);
      const gaps = admittedAt.slice(1).map((at, index) => at - admittedAt[index]!);
      const tally = {
        offered,
        unsigned: await storedUnsigned(client, debugged),
        signed: admittedAt.length - 1,
        longestGap: Math.max(...gaps) / 1000,
        again: ((againSince(since) ?? Number.NaN) - since) / 1000,
      };
      await clear(client);
      return tally;
    },
  };
}

const podsOf = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;

async function storedUnsigned(client: KubeConfig, debugged: string): Promise<string[]> {
  const names: string[] = [];
  for (const namespace of namespaces) {
    const selector = encodeURIComponent(`${kind}=unsigned`);
    const { items } = await requestObject<{ items: Stored[] }>(
      client,
      "GET",
      `${podsOf(namespace)}?labelSelector=${selector}`,
    );
    names.push(...items.map(({ metadata }) => `${namespace}/${metadata.name}`));
  }
  const { spec } = await requestObject<Stored>(client, "GET", `${podsOf("production")}/${debugged}`);
  return [...names, ...(spec.ephemeralContainers ?? []).map(({ name }) => `production/${debugged} ${name}`)];
}

async function clear(client: KubeConfig): Promise<void> {
  for (const namespace of namespaces) {
    const { status, body } = await request(client, "DELETE", `${podsOf(namespace)}?labelSelector=${kind}`, {
      gracePeriodSeconds: 0,
    });
    if (status >= 300) throw new Error(`removing offered pods: ${body}`);
  }
}
