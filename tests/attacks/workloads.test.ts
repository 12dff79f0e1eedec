import { sleep, waitFor } from "../../local/waitFor";
import { admitted, attacks, outcome, refused } from "./cases";
import {
  annotations,
  apps,
  ask,
  collection,
  create,
  image,
  jsonPatch,
  patch,
  production,
  read,
  remove,
  strategicPatch,
  verdict,
  verdictKey,
} from "./cluster";
import { type Body, container, controllers, deployment, pod, podSpec } from "./objects";

const unsignedText = /no matching signatures|no signatures found/;
const restart = () => ({
  spec: { template: { metadata: annotations({ "kubectl.kubernetes.io/restartedAt": new Date().toISOString() }) } },
});

attacks("workloads", (get) => {
  const bad = `${image}:unsigned`;
  const good = `${image}:1.0`;
  let count = 0;
  const name = () => `work-${++count}`;
  const run = (body: Body, namespace = apps) => create(get().developer, namespace, body);
  const must = async (answer: ReturnType<typeof create>) => {
    const { admitted: passed, message } = await answer;
    if (!passed) throw new Error(message);
  };
  const make = (kind: string) => controllers[kind] as NonNullable<(typeof controllers)[string]>;
  const debug = (victim: string, reference: string) =>
    patch(
      get().developer,
      apps,
      "Pod",
      `${victim}/ephemeralcontainers`,
      { spec: { ephemeralContainers: [container(reference, name())] } },
      strategicPatch,
    );
  const running = async (reference = good) => {
    const victim = name();
    await must(run(pod(victim, reference)));
    return victim;
  };

  for (const kind of Object.keys(controllers)) {
    refused(`unsigned in a ${kind}`, unsignedText, () => run(make(kind)(name(), bad)));
    refused(`unsigned in a ${kind}, in production`, unsignedText, () => run(make(kind)(name(), bad), production));
    admitted(`signed in a ${kind}`, () => run(make(kind)(name(), good)));
    admitted(`signed by digest in a ${kind}, in production`, () =>
      run(make(kind)(name(), `${image}@${get().digests.signed}`), production),
    );
  }
  refused("unsigned init container", unsignedText, () =>
    run(pod(name(), good, {}, { initContainers: [container(bad, "init")] })),
  );
  refused("unsigned sidecar", unsignedText, () =>
    run(pod(name(), good, {}, { initContainers: [{ ...container(bad, "side"), restartPolicy: "Always" }] })),
  );
  refused("unsigned init container in a CronJob", unsignedText, () => {
    const body = make("CronJob")(name(), good) as unknown as {
      spec: { jobTemplate: { spec: { template: { spec: object } } } };
    };
    Object.assign(body.spec.jobTemplate.spec.template.spec, { initContainers: [container(bad, "init")] });
    return run(body as unknown as Body);
  });
  admitted("signed init container", () => run(pod(name(), good, {}, { initContainers: [container(good, "init")] })));
  refused("unsigned ephemeral container", unsignedText, async () => debug(await running(), bad));
  refused("unsigned ephemeral container on an old Pod", unsignedText, () => debug("old-unsigned", bad));
  refused(
    "unsigned ephemeral container in a new Pod",
    /may not be set|no matching signatures|no signatures found|must not be|cannot be set on create/i,
    () => run(pod(name(), good, {}, { ephemeralContainers: [container(bad, "debug")] })),
  );
  admitted("signed ephemeral container by tag", async () => debug(await running(), `${image}:2.0`));
  admitted("signed ephemeral container by digest", async () =>
    debug(await running(), `${image}@${get().digests.next}`),
  );
  admitted("signed ephemeral container on an old Pod", () => debug("old-unsigned", good));
  admitted("label on a Pod with an ephemeral container", async () => {
    const victim = await running();
    await must(debug(victim, good));
    return patch(get().developer, apps, "Pod", victim, { metadata: { labels: { seen: "yes" } } });
  });

  const many = (odd: string) =>
    pod(
      name(),
      good,
      {},
      {
        containers: Array.from({ length: 30 }, (_, at) => container(at === 17 ? odd : good, `app-${at}`)),
      },
    );
  refused("30 containers, one unsigned", unsignedText, () => run(many(bad)));
  admitted("30 signed containers", () => run(many(`${image}:2.0`)));
  const two = (first: string, second: string) =>
    pod(name(), good, {}, { containers: [container(first, "one"), container(second, "two")] });
  refused("signed, then unsigned", unsignedText, () => run(two(good, bad)));
  refused("unsigned, then signed", unsignedText, () => run(two(bad, good)));
  refused("image without a signer, then unsigned", unsignedText, () => run(two("quay.io/other/app:1", bad)));
  admitted("the same signed image twice", () => run(two(good, good)));
  refused("unsigned with a generated name", unsignedText, () =>
    run({ ...pod("", bad), metadata: { generateName: "work-" } }),
  );
  refused("unsigned with labels of Kyverno", unsignedText, () =>
    run(
      pod(name(), bad, {
        labels: { "app.kubernetes.io/managed-by": "kyverno", "app.kubernetes.io/part-of": "kyverno" },
      }),
    ),
  );
  refused("dry run", unsignedText, () => create(get().developer, apps, pod(name(), bad), "?dryRun=All"));
  refused(
    "two containers of one name, the second unsigned",
    /no matching signatures|no signatures found|Duplicate value/,
    () => run(pod(name(), good, {}, { containers: [container(good), container(bad)] })),
  );
  outcome("unsigned image as a volume", "refused", async () => {
    const volumes = [{ name: "bad", image: { reference: bad, pullPolicy: "Always" } }];
    const answer = await run(pod(name(), good, {}, { volumes }));
    if (!answer.admitted) return answer.message.slice(0, 60);
    // Without its feature gate the API server drops such a volume.
    if (JSON.stringify(answer.object).includes(bad)) throw new Error("the volume was stored");
    return "the API server left the volume out";
  });

  for (const subresource of ["resize", "status"]) {
    outcome(`image replaced through pods/${subresource}`, "refused", async () => {
      const change = { spec: { containers: [container(bad)] } };
      const answer = await patch(get().admin, apps, "Pod", `${await running()}/${subresource}`, change, strategicPatch);
      if (!answer.admitted) return answer.message.slice(0, 60);
      if (JSON.stringify(answer.object.spec).includes(bad)) throw new Error("the image was replaced");
      return "the API server left the image as it was";
    });
  }
  refused("unsigned ephemeral container by PUT, with a forged verdict", unsignedText, async () => {
    const victim = await running();
    const live = await read<Body>(get().developer, apps, "Pod", victim);
    const reference = `${image}@${get().digests.unsigned}`;
    delete live.metadata.resourceVersion;
    Object.assign(live.metadata, annotations({ [verdictKey]: verdict(reference) }));
    Object.assign(live.spec as object, { ephemeralContainers: [container(reference, "debug")] });
    return ask(get().developer, "PUT", `${collection(apps, "Pod")}/${victim}/ephemeralcontainers`, live);
  });
  refused("good Pod's image replaced by an unsigned one", unsignedText, async () =>
    patch(get().developer, apps, "Pod", await running(), { spec: { containers: [container(bad)] } }, strategicPatch),
  );
  admitted("good Pod's image replaced by a signed one", async () =>
    patch(
      get().developer,
      apps,
      "Pod",
      await running(),
      { spec: { containers: [container(`${image}:2.0`)] } },
      strategicPatch,
    ),
  );
  refused("good Deployment's image replaced by an unsigned one", unsignedText, async () => {
    const victim = name();
    await must(run(deployment(victim, good)));
    return patch(
      get().developer,
      apps,
      "Deployment",
      victim,
      { spec: { template: { spec: podSpec(bad) } } },
      strategicPatch,
    );
  });
  refused("old Deployment's image replaced by another unsigned one", unsignedText, () => {
    const template = { spec: podSpec(`${image}@${get().digests.unsigned}`) };
    return patch(get().developer, apps, "Deployment", "old-deployment", { spec: { template } }, strategicPatch);
  });
  refused("unsigned container added to an old Deployment", unsignedText, () => {
    const add = [{ op: "add", path: "/spec/template/spec/containers/-", value: container(`${image}:moved`, "more") }];
    return patch(get().developer, apps, "Deployment", "old-deployment", add, jsonPatch);
  });
  refused("unsigned image put into the place of a signed one by order", unsignedText, () =>
    patch(
      get().developer,
      apps,
      "Deployment",
      "old-deployment",
      [{ op: "add", path: "/spec/template/spec/containers/0", value: container(`${image}:moved`, "first") }],
      jsonPatch,
    ),
  );
  admitted("old Deployment mended with a signed image", () =>
    patch(
      get().developer,
      apps,
      "Deployment",
      "old-listed",
      { spec: { template: { spec: podSpec(good) } } },
      strategicPatch,
    ),
  );
  refused("recreation of a deleted old Pod", unsignedText, async () => {
    const live = await read<Body>(get().developer, apps, "Pod", "old-good");
    await must(remove(get().developer, apps, "Pod", "old-good"));
    const { name: same, labels } = live.metadata as { name: string; labels?: object };
    return run(pod(same, bad, { labels }));
  });

  for (const [title, meta] of Object.entries({
    "mirror Pod": annotations({
      "kubernetes.io/config.mirror": "1",
      "kubernetes.io/config.source": "file",
    }),
    Pod: {},
  })) {
    refused(`unsigned ${title} by a node`, /no matching signatures|no signatures found|forbidden/, async () => {
      const node = await get().plane.asUser("system:node:local", ["system:nodes"]);
      return create(node, apps, pod(name(), bad, meta, { nodeName: "local" }));
    });
  }
  refused(
    "unsigned Pod by a user who calls himself a node",
    /no matching signatures|no signatures found|forbidden/,
    async () => {
      const node = await get().plane.asUser("system:node:mallory", ["owners"]);
      return create(node, apps, pod(name(), bad, {}, { nodeName: "local" }));
    },
  );

  for (const victim of ["old-unsigned", "old-mixed", "old-denied"]) {
    admitted(`label on ${victim}`, () =>
      patch(get().developer, apps, "Pod", victim, { metadata: { labels: { seen: name() } } }),
    );
  }
  admitted("label on an old Pod with an image that has no signer, in production", () =>
    patch(get().developer, production, "Pod", "old-uncovered", { metadata: { labels: { seen: "yes" } } }),
  );
  admitted("rollout restart of a good Deployment", async () => {
    const victim = name();
    await must(run(deployment(victim, good)));
    return patch(get().developer, apps, "Deployment", victim, restart(), strategicPatch);
  });
  admitted("rollout restart of an old Deployment", () =>
    patch(get().developer, apps, "Deployment", "old-deployment", restart(), strategicPatch),
  );
  admitted("scaling an old Deployment", () =>
    patch(get().developer, apps, "Deployment", "old-deployment/scale", { spec: { replicas: 2 } }),
  );
  admitted("scaling a good StatefulSet", async () => {
    const victim = name();
    await must(run(make("StatefulSet")(victim, good)));
    return patch(get().developer, apps, "StatefulSet", `${victim}/scale`, { spec: { replicas: 2 } });
  });
  outcome("no unsigned Pod comes of scaling an old Deployment", "refused", async () => {
    await sleep(3000);
    const { object } = await ask(get().admin, "GET", `${collection(apps, "Pod")}?labelSelector=app%3Dold-deployment`);
    const pods = (object.items as unknown[]).length;
    if (pods > 1) throw new Error(`${pods} Pods`);
    return "the old Pod stays alone";
  });
  admitted("deleting an old Pod", () => remove(get().developer, apps, "Pod", "old-to-delete"));
  admitted("taking a finalizer off an old Pod that is being deleted", async () => {
    await must(remove(get().developer, apps, "Pod", "old-finalizer"));
    return patch(get().developer, apps, "Pod", "old-finalizer", { metadata: { finalizers: null } });
  });
  admitted("evicting a good Pod", async () => {
    const victim = await running();
    return ask(get().oncall, "POST", `${collection(apps, "Pod")}/${victim}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: victim, namespace: apps },
    });
  });
  admitted("deleting an old Deployment", () => remove(get().developer, apps, "Deployment", "old-deployment"));
  outcome("a signed Job runs to its end", "admitted", async () => {
    const job = name();
    await must(run(make("Job")(job, good)));
    await waitFor(`Job ${job} has succeeded`, 30_000, async () => {
      const { status } = await read<{ status: { succeeded?: number } }>(get().developer, apps, "Job", job);
      return status.succeeded === 1;
    });
    await must(remove(get().developer, apps, "Job", job));
    return "its Pod's finalizer was taken off";
  });
  outcome("a signed Deployment's Pods run, pinned to the digest", "admitted", async () => {
    const app = name();
    await must(run(deployment(app, good)));
    const path = `${collection(apps, "Pod")}?labelSelector=app%3D${app}`;
    return waitFor("a Pod of it", 20_000, async () => {
      const { object } = await ask(get().admin, "GET", path);
      const [first] = object.items as { spec: { containers: { image: string }[] } }[];
      const found = first?.spec.containers[0]?.image;
      if (found === undefined) return undefined;
      if (found !== `${good}@${get().digests.signed}`) throw new Error(found);
      return "tag and digest";
    });
  });
});
