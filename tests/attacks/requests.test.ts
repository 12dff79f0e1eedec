import { sleep, waitFor } from "../../local/waitFor";
import { admitted, attacks, outcome, refused } from "./cases";
import {
  annotations,
  applyPatch,
  apps,
  ask,
  collection,
  create,
  image,
  jsonPatch,
  mergePatch,
  patch,
  production,
  read,
  remove,
  strategicPatch,
  type Verdict,
  verdict,
  verdictKey,
} from "./cluster";
import { type Body, container, controllers, deployment, imageVolume, pod, podSpec } from "./objects";

const skip = "policies.kyverno.io/skip";
const unsignedText = /no matching signatures|no signatures found/;
const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, "");
const bypass = (changes: Record<string, string> = {}): Record<string, string> => ({
  [skip]: "verify-image-signatures",
  "policies.kyverno.io/skip-reason": "registry of signatures is down, ticket 1234",
  "policies.kyverno.io/skip-until": inSeconds(7200),
  ...changes,
});

attacks("requests", (get) => {
  const bad = `${image}:unsigned`;
  const good = `${image}:1.0`;
  let count = 0;
  const name = () => `request-${++count}`;
  const must = async (answer: Promise<Verdict>): Promise<Verdict> => {
    const made = await answer;
    if (!made.admitted) throw new Error(made.message);
    return made;
  };
  const running = async (reference = good, meta: object = {}, namespace = apps) => {
    const victim = name();
    await must(create(get().oncall, namespace, pod(victim, reference, { ...annotations({ note: "1" }), ...meta })));
    return victim;
  };

  describe("a bypass in the body of a debug container's request", () => {
    const debug = () => ({ ephemeralContainers: [container(bad, name())] });
    const metadata = (changes?: Record<string, string>) => annotations(bypass(changes));
    const on = (who: "developer" | "owner" | "oncall", type: string, body: object) => async () =>
      patch(get()[who], apps, "Pod", `${await running()}/ephemeralcontainers`, body, type);

    for (const who of ["developer", "owner", "oncall"] as const) {
      refused(
        `by strategic merge patch of the ${who}`,
        unsignedText,
        on(who, strategicPatch, { metadata: metadata(), spec: debug() }),
      );
    }
    refused("by merge patch", unsignedText, on("developer", mergePatch, { metadata: metadata(), spec: debug() }));
    refused(
      "by JSON patch",
      unsignedText,
      on("developer", jsonPatch, [
        ...Object.entries(bypass()).map(([key, value]) => ({
          op: "add",
          path: `/metadata/annotations/${key.replace("/", "~1")}`,
          value,
        })),
        { op: "add", path: "/spec/ephemeralContainers", value: debug().ephemeralContainers },
      ]),
    );
    refused("by server-side apply", unsignedText, async () => {
      const victim = await running();
      const body = { apiVersion: "v1", kind: "Pod", metadata: { name: victim, ...metadata() }, spec: debug() };
      const query = "?fieldManager=mallory&force=true";
      return patch(get().developer, apps, "Pod", `${victim}/ephemeralcontainers`, body, applyPatch, query);
    });
    refused("by PUT", unsignedText, async () => {
      const victim = await running();
      const live = await read<Body>(get().developer, apps, "Pod", victim);
      delete live.metadata.resourceVersion;
      Object.assign(live.metadata.annotations as object, bypass());
      Object.assign(live.spec as object, debug());
      return ask(get().developer, "PUT", `${collection(apps, "Pod")}/${victim}/ephemeralcontainers`, live);
    });
    refused("by PUT, with an image that has no signer, in production", /no signer is configured/, async () => {
      const victim = await running(good, {}, production);
      const live = await read<Body>(get().developer, production, "Pod", victim);
      delete live.metadata.resourceVersion;
      Object.assign(live.metadata.annotations as object, bypass({ [skip]: "require-signed-images" }));
      Object.assign(live.spec as object, { ephemeralContainers: [container("quay.io/other/app:1", "debug")] });
      return ask(get().developer, "PUT", `${collection(production, "Pod")}/${victim}/ephemeralcontainers`, live);
    });
  });

  describe("an expression in the request", () => {
    // What it becomes when Kyverno runs it stands in no request.
    const expression = "{{ to_upper('evaluated') }}";
    // Kyverno prints a message as YAML, which doubles the quote.
    const volumes = "image volumes can'+t be verified";
    const says = (text: string) => new RegExp(`^(?!.*EVALUATED).*${text}`);
    const user = (called: string, group: string) => get().plane.asUser(called, [group]);
    const withVolume = (reference: string) => pod(name(), good, {}, imageVolume(reference));

    refused("in the name of who asks for a bypass", says("may not set policies.kyverno.io/skip"), async () =>
      create(await user(expression, "owners"), apps, pod(name(), bad, annotations(bypass()))),
    );
    refused("in the name of who asks for a bypass of a Deployment", says("may not set"), async () =>
      create(await user(expression, "owners"), apps, deployment(name(), bad, annotations(bypass()))),
    );
    refused("in the name of who writes a revision", says("may not write"), async () =>
      create(await user(expression, "owners"), apps, revision(name(), bypass())),
    );
    for (const [title, changes] of Object.entries<Record<string, string>>({
      reason: { "policies.kyverno.io/skip-reason": expression.repeat(20) },
      end: { "policies.kyverno.io/skip-until": expression },
      list: { [skip]: expression },
    })) {
      refused(`in the ${title} of a bypass`, says("a bypass|may not set|must lie"), () =>
        create(get().developer, apps, pod(name(), good, annotations(bypass(changes)))),
      );
      refused(`in the ${title} of a bypass by the group, too long`, says("a bypass|must lie"), () => {
        const terms = { "policies.kyverno.io/skip-until": inSeconds(5 * 3600), ...changes };
        return create(get().oncall, apps, pod(name(), good, annotations(bypass(terms))));
      });
    }
    refused("in the reference of an image volume", says(volumes), () =>
      create(get().developer, apps, withVolume(expression)),
    );
    refused("in the reference of an image volume of a Deployment", says(volumes), () => {
      const body = deployment(name(), good);
      Object.assign((body.spec as { template: { spec: object } }).template.spec, imageVolume(expression));
      return create(get().developer, apps, body);
    });
    refused("of four kilobytes in the reference of an image volume", says(volumes), () =>
      create(get().developer, apps, withVolume(`{{ ${"join('', [".repeat(300)}'x'${"])".repeat(300)} }}`)),
    );
    refused("in an image", says("."), () => create(get().developer, apps, pod(name(), `ghcr.io/${expression}:1`)));
    refused("in a tag", says("."), () => create(get().developer, apps, pod(name(), `${image}:${expression}`)));
    refused("in an annotation of an unsigned Pod", says("(?:no (matching )?signatures|name part must consist)"), () =>
      create(get().developer, apps, pod(name(), bad, annotations({ [expression]: expression, note: expression }))),
    );
    refused("of a reference that is not Kyverno's", says(volumes), () =>
      create(get().developer, apps, withVolume("$(./../deny)")),
    );
    outcome("a message is bounded", "refused", async () => {
      const { message } = await create(get().developer, apps, withVolume("x".repeat(100_000)));
      if (!new RegExp(volumes).test(message)) throw new Error(message.slice(0, 300));
      if (message.length > 5000) throw new Error(`${message.length} characters`);
      return `${message.length} characters`;
    });
  });

  describe("what must go on", () => {
    for (const [who, victim] of [
      ["developer", "old-volume"],
      ["admin", "old-volume-kept"],
    ] as const) {
      admitted(`deleting ${victim}, a Pod with an image volume of before enforcement`, () =>
        remove(get()[who], production, "Pod", victim),
      );
    }
    admitted("taking the finalizer off it", () =>
      patch(get().developer, production, "Pod", "old-volume-kept", { metadata: { finalizers: null } }),
    );
    admitted("deleting a Deployment with an image volume of before enforcement", () =>
      remove(get().developer, production, "Deployment", "old-volumes"),
    );
    outcome("a bypassed Pod with an image volume can be deleted when its bypass has ended", "admitted", async () => {
      const victim = name();
      const terms = annotations(bypass({ "policies.kyverno.io/skip-until": inSeconds(4) }));
      const body = pod(victim, bad, { ...terms, finalizers: ["example.com/kept"] }, imageVolume("quay.io/o/d:1"));
      await must(create(get().oncall, apps, body));
      await sleep(5000);
      await must(remove(get().developer, apps, "Pod", victim));
      await must(patch(get().developer, apps, "Pod", victim, { metadata: { finalizers: null } }));
      return "and its finalizer taken off";
    });
    admitted("a good Deployment, read and put back without annotations", async () => {
      const victim = name();
      await must(create(get().developer, apps, deployment(victim, `${image}@${get().digests.signed}`)));
      const live = await read<Body>(get().developer, apps, "Deployment", victim);
      delete live.metadata.annotations;
      delete live.metadata.resourceVersion;
      return ask(get().developer, "PUT", `${collection(apps, "Deployment")}/${victim}`, live);
    });
    outcome(
      "Kyverno's record stands again after all annotations of a Pod were removed",
      "admitted",
      async () => {
        const victim = await running(`${image}@${get().digests.signed}`);
        const change = [{ op: "remove", path: "/metadata/annotations" }];
        const { object } = await must(patch(get().developer, apps, "Pod", victim, change, jsonPatch));
        const found = (object.metadata as { annotations?: Record<string, string> }).annotations?.[verdictKey];
        if (found !== verdict(`${image}@${get().digests.signed}`)) throw new Error(`it is ${found}`);
        return "with the image's verdict";
      },
      60_000,
      { line: "1.10", why: "1.19 lets its record go, and believes no other" },
    );
    refused("a good Deployment, put back without annotations and with an unsigned image", unsignedText, async () => {
      const victim = name();
      await must(create(get().developer, apps, deployment(victim, good)));
      const live = await read<Body>(get().developer, apps, "Deployment", victim);
      delete live.metadata.annotations;
      delete live.metadata.resourceVersion;
      Object.assign((live.spec as { template: { spec: object } }).template.spec, podSpec(bad));
      return ask(get().developer, "PUT", `${collection(apps, "Deployment")}/${victim}`, live);
    });
    admitted("another group's Deployment, whose template is a text", () =>
      ask(get().admin, "POST", `/apis/rollouts.example.com/v1/namespaces/${apps}/deployments`, {
        apiVersion: "rollouts.example.com/v1",
        kind: "Deployment",
        metadata: { name: name() },
        spec: { template: "canary" },
      }),
    );
  });

  describe("revisions", () => {
    refused("a new one without a bypass in it, by a namespace owner", /may not write/, () =>
      create(get().owner, apps, revision(name(), {})),
    );
    refused("one whose owner is somebody else's kind is let go of by its owner", /may not write/, async () => {
      const foreign = { apiVersion: "kubevirt.io/v1", kind: "VirtualMachine", name: "vm", uid: "0", controller: true };
      const body = revision(name(), {});
      Object.assign(body.metadata, { ownerReferences: [foreign] });
      await must(create(get().owner, apps, body));
      const change = { metadata: { ownerReferences: null } };
      return patch(get().owner, apps, "ControllerRevision", String(body.metadata.name), change);
    });
    admitted("by who may bypass", () => create(get().oncallOwner, apps, revision(name(), {})));
    outcome("a StatefulSet's controller writes its own, which can be annotated and deleted", "admitted", async () => {
      const set = name();
      await must(create(get().owner, apps, controllers.StatefulSet?.(set, good) as Body));
      const current = await waitFor("the StatefulSet has its revision", 20_000, async () => {
        const live = await read<{ status: { currentRevision?: string } }>(get().owner, apps, "StatefulSet", set);
        return live.status.currentRevision;
      });
      const change = { metadata: { annotations: { seen: "yes" }, finalizers: ["example.com/kept"] } };
      await must(patch(get().owner, apps, "ControllerRevision", current, change));
      await must(remove(get().owner, apps, "ControllerRevision", current));
      await must(patch(get().owner, apps, "ControllerRevision", current, { metadata: { finalizers: null } }));
      return "and its finalizer taken off";
    });
    outcome("the current one of a bypassed StatefulSet, rewritten with another image", "refused", async () => {
      const set = name();
      const body = controllers.StatefulSet?.(set, bad, annotations(bypass())) as Body;
      await must(create(get().oncall, apps, body));
      const current = await waitFor("the StatefulSet has its revision and Pod", 20_000, async () => {
        const live = await read<{ status: { currentRevision?: string } }>(get().owner, apps, "StatefulSet", set);
        await read(get().owner, apps, "Pod", `${set}-0`);
        return live.status.currentRevision;
      });
      const old = await read<Body & { metadata: { labels: object; ownerReferences: object[] } }>(
        get().owner,
        apps,
        "ControllerRevision",
        current,
      );
      await must(remove(get().owner, apps, "ControllerRevision", current));
      const { labels, ownerReferences } = old.metadata;
      const answer = await create(get().owner, apps, {
        ...old,
        metadata: { name: current, labels, ownerReferences },
        data: { spec: { template: { spec: podSpec("quay.io/mallory/miner:1") } } },
      });
      if (answer.admitted) throw new Error("the revision was admitted");
      if (!/may not write/.test(answer.message)) throw new Error(answer.message);
      return "the revision was refused";
    });
  });
});

const revision = (name: string, terms: Record<string, string>): Body => ({
  apiVersion: "apps/v1",
  kind: "ControllerRevision",
  metadata: { name },
  revision: 1,
  data: { spec: { template: { metadata: annotations(terms), spec: podSpec(`${image}:unsigned`) } } },
});
