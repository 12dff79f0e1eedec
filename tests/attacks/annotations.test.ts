import { sleep } from "../../local/waitFor";
import { admitted, attacks, inForm, outcome, refused } from "./cases";
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
  read,
  strategicPatch,
  verdict,
  verdictKey,
} from "./cluster";
import { type Body, container, controllers, pod, podSpec } from "./objects";

const unsignedText = /no matching signatures|no signatures found/;
const keyInPath = "/metadata/annotations/kyverno.io~1verify-images";

attacks("forged verdicts", (get) => {
  const bad = () => `${image}@${get().digests.unsigned}`;
  const good = () => `${image}@${get().digests.signed}`;
  const forged = () => annotations({ [verdictKey]: verdict(bad(), `${image}:unsigned`) });
  const container0 = () => ({ spec: { containers: [container(bad())] } });
  let count = 0;
  const name = () => `forged-${++count}`;
  /** A signed Pod to be attacked. */
  const goodPod = async () => {
    const victim = name();
    const made = await create(get().developer, apps, pod(victim, `${image}:1.0`, annotations({ note: "1" })));
    if (!made.admitted) throw new Error(made.message);
    return victim;
  };
  const change = async (body: object, type: string, client = get().developer) =>
    patch(client, apps, "Pod", await goodPod(), body, type);

  refused("verdict brought along by a Pod", unsignedText, () =>
    create(get().developer, apps, pod(name(), bad(), forged())),
  );
  refused("verdict brought along for a tag", unsignedText, () =>
    create(get().developer, apps, pod(name(), `${image}:unsigned`, forged())),
  );
  for (const [kind, make] of Object.entries(controllers)) {
    refused(`verdict on a ${kind}`, unsignedText, () =>
      create(get().developer, apps, make(name(), bad(), {}, forged())),
    );
    refused(`verdict on the pod template of a ${kind}`, unsignedText, () =>
      create(get().developer, apps, make(name(), bad(), forged(), forged())),
    );
  }
  refused("verdict by server-side apply of a new Pod", unsignedText, () => {
    const body = pod(name(), bad(), forged());
    const query = "?fieldManager=mallory&force=true";
    return patch(get().developer, apps, "Pod", String(body.metadata.name), body, applyPatch, query);
  });
  refused("image and verdict at once by JSON patch", unsignedText, () =>
    change(
      [
        { op: "replace", path: "/spec/containers/0/image", value: bad() },
        { op: "add", path: keyInPath, value: verdict(bad(), good()) },
      ],
      jsonPatch,
    ),
  );
  refused("image and verdict at once by strategic merge patch", unsignedText, () =>
    change({ metadata: forged(), ...container0() }, strategicPatch),
  );
  // Where nothing is judged before the API server has looked at the object, its own words come first.
  const orFixed = /no matching signatures|no signatures found|pod updates may not change fields/;
  refused("image and verdict at once by merge patch", orFixed, () =>
    change({ metadata: forged(), ...container0() }, mergePatch),
  );
  refused("image and verdict at once by server-side apply", unsignedText, async () => {
    const victim = await goodPod();
    const body = pod(victim, bad(), forged());
    return patch(get().developer, apps, "Pod", victim, body, applyPatch, "?fieldManager=mallory&force=true");
  });
  refused("image and verdict at once by PUT", orFixed, async () => {
    const victim = await goodPod();
    const live = await read<Body>(get().developer, apps, "Pod", victim);
    Object.assign(live.metadata, { annotations: { [verdictKey]: verdict(bad()) } });
    delete live.metadata.resourceVersion;
    const spec = live.spec as { containers: { image: string }[] };
    if (spec.containers[0]) spec.containers[0].image = bad();
    return ask(get().developer, "PUT", `${collection(apps, "Pod")}/${victim}`, live);
  });
  refused("verdict first, image in a second request", unsignedText, async () => {
    const victim = await goodPod();
    await patch(get().developer, apps, "Pod", victim, { metadata: forged() });
    return patch(get().developer, apps, "Pod", victim, container0(), strategicPatch);
  });
  refused("verdict by the status subresource, then the image", unsignedText, async () => {
    const victim = await goodPod();
    const first = await patch(get().owner, apps, "Pod", `${victim}/status`, { metadata: forged() });
    if (!first.admitted) throw new Error(first.message);
    return patch(get().developer, apps, "Pod", victim, container0(), strategicPatch);
  });
  refused("verdict with an unsigned ephemeral container", unsignedText, async () => {
    const body = { metadata: forged(), spec: { ephemeralContainers: [container(bad(), "debug")] } };
    return patch(get().developer, apps, "Pod", `${await goodPod()}/ephemeralcontainers`, body, strategicPatch);
  });
  for (const kind of ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob"]) {
    refused(`verdict and image in an update of a ${kind}`, unsignedText, async () => {
      const make = controllers[kind] as NonNullable<(typeof controllers)[string]>;
      const victim = name();
      const before = make(victim, good());
      const made = await create(get().developer, apps, before);
      if (!made.admitted) throw new Error(made.message);
      const { spec } = make(victim, bad());
      return patch(get().developer, apps, kind, victim, { metadata: forged(), spec }, strategicPatch);
    });
  }
  refused("all annotations removed together with a new image", unsignedText, () =>
    change(
      [
        { op: "remove", path: "/metadata/annotations" },
        { op: "replace", path: "/spec/containers/0/image", value: bad() },
      ],
      jsonPatch,
    ),
  );
  refused("verdict removed together with a new image", unsignedText, () =>
    change({ metadata: { annotations: { [verdictKey]: null, other: "1" } }, ...container0() }, strategicPatch),
  );
  for (const value of ["garbage", "[]", "1", "null", '"true"', "", '{"a":"true"}', "{"]) {
    refused(`verdict turned into ${value || "nothing"} together with a new image`, unsignedText, () =>
      change({ metadata: annotations({ [verdictKey]: value }), ...container0() }, strategicPatch),
    );
    const alone = async () => {
      const victim = await goodPod();
      const answer = await patch(get().developer, apps, "Pod", victim, {
        metadata: annotations({ [verdictKey]: value }),
      });
      if (!answer.admitted) throw new Error(answer.message);
      const { metadata } = answer.object as { metadata: { annotations: Record<string, string> } };
      return { victim, stands: metadata.annotations[verdictKey] };
    };
    outcome(
      `verdict turned into ${value || "nothing"} alone changes nothing`,
      "admitted",
      async () => {
        const { stands } = await alone();
        if (stands !== verdict(good())) throw new Error(`it is ${stands}`);
        return "Kyverno's own verdict stands again";
      },
      undefined,
      { line: "1.10", why: "1.19 leaves it as it is, and believes it no more than any other" },
    );
    outcome(
      `verdict turned into ${value || "nothing"} is worth nothing to the next image`,
      "admitted",
      async () => {
        const { victim } = await alone();
        const answer = await patch(get().developer, apps, "Pod", victim, container0(), strategicPatch);
        if (answer.admitted || !inForm(unsignedText).test(answer.message)) throw new Error(answer.message);
        const signed = { spec: { containers: [container(`${image}@${get().digests.next}`)] } };
        const next = await patch(get().developer, apps, "Pod", victim, signed, strategicPatch);
        if (!next.admitted) throw new Error(next.message);
        return "an unsigned image is refused, a signed one is not";
      },
      undefined,
      { line: "1.19", why: "1.10 puts its own verdict back at once" },
    );
  }
  refused("verdict of a number or list is no annotation at all", /cannot unmarshal|invalid|unable/i, () =>
    create(get().developer, apps, pod(name(), bad(), { annotations: { [verdictKey]: { [bad()]: true } } })),
  );
  refused("image listed in a verdict from before enforcement, Pod", unsignedText, () =>
    patch(get().developer, apps, "Pod", "old-mixed", container0(), strategicPatch),
  );
  refused("image listed in a verdict from before enforcement, Deployment", unsignedText, () =>
    patch(get().developer, apps, "Deployment", "old-listed", { spec: { template: container0() } }, strategicPatch),
  );
  for (const victim of ["old-denied", "old-garbage", "old-list"]) {
    refused(
      `new unsigned image in ${victim}`,
      /no matching signatures|no signatures found|annotation cannot be changed/,
      () => {
        return patch(get().developer, apps, "Pod", victim, container0(), strategicPatch);
      },
    );
  }
  for (const victim of ["old-mixed", "old-denied"]) {
    admitted(`label on ${victim}, which has a verdict from before enforcement`, () =>
      patch(get().developer, apps, "Pod", victim, { metadata: { labels: { seen: name() } } }),
    );
  }

  refused(
    "verdict put on by the namespace owner's own Policy",
    /own Policy may not mutate or verify images|runs with Kyverno's own rights|no matching signatures|no signatures found/,
    async () => {
      const policy = {
        apiVersion: "kyverno.io/v1",
        kind: "Policy",
        metadata: { name: "zz-forge" },
        spec: {
          background: false,
          failurePolicy: "Fail",
          rules: [
            {
              name: "forge",
              match: { any: [{ resources: { kinds: ["Pod"] } }] },
              mutate: { patchStrategicMerge: { metadata: forged() } },
            },
          ],
        },
      };
      const made = await create(get().owner, apps, policy);
      if (!made.admitted) return made;
      try {
        await sleep(10_000);
        return await create(get().developer, apps, pod(name(), bad()));
      } finally {
        await ask(get().admin, "DELETE", `${collection(apps, "Policy")}/zz-forge`);
      }
    },
  );
  refused("PodTemplate's image cannot become a Pod", unsignedText, async () => {
    const template = {
      apiVersion: "v1",
      kind: "PodTemplate",
      metadata: { name: name() },
      template: { metadata: forged(), spec: podSpec(bad()) },
    };
    const stored = await create(get().owner, apps, template);
    if (!stored.admitted) throw new Error(stored.message);
    const { metadata, spec } = template.template as { metadata: object; spec: object };
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: name(), ...metadata }, spec };
    return create(get().developer, apps, body as Body);
  });
});
