import { KubeConfig } from "@kubernetes/client-node";
import { kubeConfig } from "../../local/kubeConfig";
import { requestObject } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { admitted, attacks, outcome, refused } from "./cases";
import {
  annotations,
  apps,
  ask,
  type Cluster,
  collection,
  create,
  image,
  jsonPatch,
  patch,
  production,
  read,
  remove,
  strategicPatch,
} from "./cluster";
import { type Body, container, controllers, deployment, pod, podSpec } from "./objects";

const skip = "policies.kyverno.io/skip";
const reason = "policies.kyverno.io/skip-reason";
const until = "policies.kyverno.io/skip-until";
const byWhom = /may not set policies\.kyverno\.io\/skip or change the images/;
const why = /a bypass needs policies\.kyverno\.io\/skip-reason/;
const when = /a bypass needs policies\.kyverno\.io\/skip-until/;
const current = /must lie ahead, at most 4 hours from now/;
const unsignedText = /no matching signatures|no signatures found/;

const hoursAhead = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().replace(/\.\d+/, "");

/** A bypass as the runbook writes it, with changes. */
const bypass = (changes: Record<string, string> = {}) =>
  annotations({
    [skip]: "verify-image-signatures",
    [reason]: "registry of signatures is down, ticket 1234",
    [until]: hoursAhead(2),
    ...changes,
  });

attacks("bypass", (get) => {
  const bad = `${image}:unsigned`;
  let count = 0;
  const name = () => `bypass-${++count}`;
  const asOncall = (changes: Record<string, string>) => create(get().oncall, apps, pod(name(), bad, bypass(changes)));
  const must = async (answer: ReturnType<typeof create>) => {
    const { admitted: passed, message } = await answer;
    if (!passed) throw new Error(message);
  };
  const bypassed = async () => {
    const victim = name();
    await must(create(get().oncall, apps, pod(victim, bad, bypass())));
    return victim;
  };

  admitted("bypass by the group, with reason and time", () => asOncall({}));
  admitted("bypass among several names", () => asOncall({ [skip]: "other , verify-image-signatures" }));
  admitted("bypass with a zone offset", () => asOncall({ [until]: `${hoursAhead(4).slice(0, 19)}+02:00` }));
  refused("bypass by a developer", byWhom, () => create(get().developer, apps, pod(name(), bad, bypass())));
  refused("bypass by a namespace owner", byWhom, () => create(get().owner, apps, pod(name(), bad, bypass())));
  refused("bypass by a cluster admin who is not in the group", byWhom, () =>
    create(get().admin, apps, pod(name(), bad, bypass())),
  );
  refused("bypass by a user with the group's name", byWhom, async () => {
    const user = await get().plane.asUser("platform-oncall", ["owners"]);
    return create(user, apps, pod(name(), bad, bypass()));
  });
  refused("bypass by a group that begins alike", byWhom, async () => {
    const user = await get().plane.asUser("mallory", ["platform-oncall-2", "owners"]);
    return create(user, apps, pod(name(), bad, bypass()));
  });
  for (const [kind, make] of Object.entries(controllers)) {
    refused(`bypass on a ${kind} by a developer`, byWhom, () => create(get().owner, apps, make(name(), bad, bypass())));
    refused(`bypass on a ${kind}'s own metadata counts for nothing`, unsignedText, () =>
      create(get().oncall, apps, make(name(), bad, {}, bypass())),
    );
  }

  // Among ClusterPolicies the signature check speaks first; the guard's own text is seen with a signed image.
  const orTerms = /no matching signatures|no signatures found|skip-until/;
  refused("expired", orTerms, () => asOncall({ [until]: hoursAhead(-1) }));
  refused("expired, with a signed image", current, () =>
    create(get().oncall, apps, pod(name(), `${image}:1.0`, bypass({ [until]: hoursAhead(-1) }))),
  );
  refused("too long", current, () => asOncall({ [until]: hoursAhead(5) }));
  refused("until the year 9999", current, () => asOncall({ [until]: "9999-12-31T23:59:59Z" }));
  refused("no reason", why, () => create(get().oncall, apps, pod(name(), bad, without(reason))));
  refused("blank reason", why, () => asOncall({ [reason]: " ".repeat(40) }));
  refused("reason of tabs and line breaks", why, () => asOncall({ [reason]: "\t\n".repeat(20) }));
  refused("short reason", why, () => asOncall({ [reason]: "urgent" }));
  refused("reason of 2000 characters", why, () => asOncall({ [reason]: "because ".repeat(250) }));
  refused("reason of 300 kB", /Too long|too long/, () => asOncall({ [reason]: "x".repeat(300_000) }));
  refused("reason of 300 kB by a developer", /Too long|too long|may not set/, () =>
    create(get().developer, apps, pod(name(), bad, bypass({ [reason]: "x".repeat(300_000) }))),
  );
  refused("no time", orTerms, () => create(get().oncall, apps, pod(name(), bad, without(until))));
  for (const [title, value] of Object.entries({
    words: "tomorrow",
    nothing: "",
    "a number": "1",
    "a quantity": "10Mi",
    "a duration": "4h",
    "no zone": hoursAhead(2).slice(0, 19),
    "lower-case z": hoursAhead(2).replace("Z", "z"),
    "lower-case t": hoursAhead(2).replace("T", "t"),
    "30 February": "2028-02-30T10:00:00Z",
    "29 February of a common year": "2027-02-29T10:00:00Z",
    "a leap second": `${hoursAhead(2).slice(0, 17)}60Z`,
    "a fraction": hoursAhead(2).replace("Z", ".5Z"),
    "a trailing line break": `${hoursAhead(2)}\n`,
    "two times": `${hoursAhead(2)},${hoursAhead(3)}`,
    "a wildcard": "*",
    "a Kyverno variable": "{{ time_add(time_now_utc(), '1h') }}",
    "a variable of itself": `{{ request.object.metadata.annotations."${until}" }}`,
  })) {
    refused(`until ${title}`, orTerms, () => asOncall({ [until]: value }));
    refused(`until ${title}, with a signed image`, when, () =>
      create(get().oncall, apps, pod(name(), `${image}:1.0`, bypass({ [until]: value }))),
    );
  }

  for (const [title, value] of Object.entries({
    one: "1",
    "a quantity": "10Mi",
    "a wildcard": "*",
    "a wildcard at the end": "verify-*",
    "a question mark": "verify-image-signature?",
    "another policy": "require-signed-images",
    "upper case": "VERIFY-IMAGE-SIGNATURES",
    "empty entries": ",,,",
    "a blank": " ",
    "a line break after the name": "verify-image-signatures\n",
    "a tab before the name": "\tverify-image-signatures",
    "the name inside another": "xverify-image-signaturesx",
    semicolons: "a;verify-image-signatures",
    true: "true",
    quotes: "'verify-image-signatures'",
    "a JSON list": '["verify-image-signatures"]',
    "a Kyverno variable": "{{ 'verify-image-signatures' }}",
    "a back-quote": "`verify-image-signatures`",
  })) {
    refused(`skip with ${title} skips nothing`, unsignedText, () => asOncall({ [skip]: value }));
    refused(`skip with ${title} on a signed image by a developer`, byWhom, () =>
      create(get().developer, apps, pod(name(), `${image}:1.0`, bypass({ [skip]: value }))),
    );
  }
  refused("empty skip annotation", unsignedText, () => asOncall({ [skip]: "" }));
  refused("skip under another spelling of the key", unsignedText, () =>
    create(
      get().oncall,
      apps,
      pod(name(), bad, annotations({ "policies.kyverno.io/Skip": "verify-image-signatures" })),
    ),
  );
  refused("the other policy's name in production", unsignedText, () =>
    create(get().oncall, production, pod(name(), bad, bypass())),
  );
  admitted("the right policy's name in production", () =>
    create(get().oncall, production, pod(name(), bad, bypass({ [skip]: "require-signed-images" }))),
  );

  refused("added to an existing Pod by a developer", byWhom, async () => {
    const victim = name();
    await must(create(get().developer, apps, pod(victim, `${image}:1.0`)));
    return patch(get().developer, apps, "Pod", victim, { metadata: bypass() });
  });
  refused("added to an existing Deployment by a developer, with the image", byWhom, async () => {
    const victim = name();
    await must(create(get().developer, apps, deployment(victim, `${image}:1.0`)));
    const template = { metadata: bypass(), spec: podSpec(bad) };
    return patch(get().developer, apps, "Deployment", victim, { spec: { template } }, strategicPatch);
  });
  refused("added to a Deployment of before enforcement by a developer", byWhom, () =>
    patch(get().developer, apps, "Deployment", "old-deployment", { spec: { template: { metadata: bypass() } } }),
  );
  refused("prolonged by a developer", byWhom, async () =>
    patch(get().developer, apps, "Pod", await bypassed(), { metadata: annotations({ [until]: hoursAhead(3) }) }),
  );
  refused("image of a bypassed Pod changed by a developer", byWhom, async () => {
    const change = [{ op: "replace", path: "/spec/containers/0/image", value: "quay.io/other/app:1" }];
    return patch(get().developer, apps, "Pod", await bypassed(), change, jsonPatch);
  });
  refused("ephemeral container on a bypassed Pod by a developer", byWhom, async () => {
    const body = { spec: { ephemeralContainers: [container(bad, "debug")] } };
    return patch(get().developer, apps, "Pod", `${await bypassed()}/ephemeralcontainers`, body, strategicPatch);
  });
  admitted("ephemeral container on a bypassed Pod by the group", async () => {
    const body = { spec: { ephemeralContainers: [container(bad, "debug")] } };
    return patch(get().oncall, apps, "Pod", `${await bypassed()}/ephemeralcontainers`, body, strategicPatch);
  });
  refused(
    "skip slipped in by the status subresource, then another image",
    /may not set|no matching signatures|no signatures found/,
    async () => {
      const victim = name();
      await must(create(get().developer, apps, pod(victim, `${image}:1.0`)));
      await must(patch(get().owner, apps, "Pod", `${victim}/status`, { metadata: bypass() }));
      return patch(get().developer, apps, "Pod", victim, { spec: { containers: [container(bad)] } }, strategicPatch);
    },
  );
  refused("owner reference to a bypassed ReplicaSet", byWhom, async () => {
    const owner = name();
    await must(create(get().oncall, apps, controllers.ReplicaSet?.(owner, bad, bypass()) as Body));
    const { metadata } = await read<{ metadata: { uid: string } }>(get().oncall, apps, "ReplicaSet", owner);
    const ownerReferences = [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: metadata.uid, controller: true },
    ];
    return create(get().developer, apps, pod(name(), bad, { ...bypass(), ownerReferences, labels: { app: owner } }));
  });
  refused("a service account named like a controller's, of another namespace", byWhom, async () => {
    const account = await accountClient(get(), apps, "replicaset-controller");
    return create(account, apps, pod(name(), bad, bypass()));
  });
  for (const as of [
    "otto",
    "system:serviceaccount:kube-system:replicaset-controller",
    "system:kube-controller-manager",
  ]) {
    refused(`kubectl --as ${as}`, /cannot impersonate/, () =>
      create(impersonating(get().owner, as), apps, pod(name(), bad, bypass())),
    );
  }
  refused("token for a controller's service account", /forbidden|cannot create/, () =>
    ask(get().owner, "POST", "/api/v1/namespaces/kube-system/serviceaccounts/replicaset-controller/token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {},
    }),
  );
  refused("PolicyException of a namespace owner", unsignedText, async () => {
    const { version } = get().node.kyverno;
    const exception = {
      apiVersion: `kyverno.io/${version.startsWith("1.10.") ? "v2alpha1" : "v2"}`,
      kind: "PolicyException",
      metadata: { name: "let-me" },
      spec: {
        match: { any: [{ resources: { kinds: ["Pod"] } }] },
        exceptions: [{ policyName: "verify-image-signatures", ruleNames: ["*"] }],
      },
    };
    const path = collection(apps, "PolicyException").replace("kyverno.io/v2alpha1", exception.apiVersion);
    await must(ask(get().owner, "POST", path, exception));
    return create(get().developer, apps, pod(name(), bad));
  });
  // The StatefulSet's controller reads revisions whatever the case of their fields.
  for (const [title, hide] of Object.entries<(template: Template) => object>({
    "as it is": ({ metadata, spec }) => ({ metadata: { ...metadata, ...bypass() }, spec }),
    "in a field Metadata": (template) => ({ ...template, Metadata: bypass() }),
    "in a field Annotations": ({ metadata, spec }) => {
      const { annotations: Annotations } = bypass() as { annotations: object };
      return { metadata: { ...metadata, Annotations }, spec };
    },
  })) {
    outcome(`StatefulSet from a ControllerRevision with a bypass ${title}`, "refused", async () => {
      const { owner } = get();
      const set = name();
      await must(create(owner, apps, controllers.StatefulSet?.(set, `${image}:1.0`) as Body));
      const revision = await waitFor("the StatefulSet has its revision and Pod", 20_000, async () => {
        const live = await read<{ status: { currentRevision?: string } }>(owner, apps, "StatefulSet", set);
        await read(owner, apps, "Pod", `${set}-0`);
        return live.status.currentRevision;
      });
      const old = await read<Revision>(owner, apps, "ControllerRevision", revision);
      const rollingUpdate = { partition: 1 };
      await must(patch(owner, apps, "StatefulSet", set, { spec: { updateStrategy: { rollingUpdate } } }));
      await must(remove(owner, apps, "ControllerRevision", revision));
      const { labels, ownerReferences } = old.metadata;
      const { template } = old.data.spec;
      const changed = hide({ ...template, spec: { ...template.spec, ...podSpec(bad) } });
      const data = { spec: { template: { $patch: "replace", ...changed } } };
      const answer = await create(owner, apps, {
        ...old,
        metadata: { name: revision, labels, ownerReferences },
        data,
      });
      if (!answer.admitted) {
        if (!/may not write a revision/.test(answer.message)) throw new Error(answer.message);
        return "the revision was refused";
      }
      await remove(owner, apps, "Pod", `${set}-0`);
      await sleep(4000);
      const next = await read<Body>(owner, apps, "Pod", `${set}-0`).catch(() => undefined);
      if (JSON.stringify(next?.spec ?? "").includes("unsigned")) throw new Error("the unsigned Pod runs");
      return "no Pod came of it";
    });
  }

  outcome("the controllers carry out a Deployment of the group", "admitted", async () => {
    const granted = name();
    await must(create(get().oncall, apps, deployment(granted, bad, bypass())));
    return podsOf(granted, 1);
  });
  for (const kind of ["StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"]) {
    outcome(`the controllers carry out a ${kind} of the group`, "admitted", async () => {
      const granted = name();
      await must(create(get().oncall, apps, controllers[kind]?.(granted, bad, bypass()) as Body));
      return podsOf(granted, 1);
    });
  }
  outcome(
    "the controllers carry out a CronJob of the group",
    "admitted",
    async () => {
      const granted = name();
      const body = controllers.CronJob?.(granted, bad, { ...bypass(), labels: { app: granted } }) as Body;
      Object.assign(body.spec as object, { schedule: "* * * * *" });
      await must(create(get().oncall, apps, body));
      const seen = await podsOf(granted, 1, 75_000);
      await remove(get().oncall, apps, "CronJob", granted);
      return seen;
    },
    90_000,
  );
  outcome("no Pod comes of a Deployment whose bypass has ended", "refused", async () => {
    const granted = name();
    const soon = new Date(Date.now() + 8000).toISOString().replace(/\.\d+/, "");
    await must(create(get().oncall, apps, deployment(granted, bad, bypass({ [until]: soon }))));
    await podsOf(granted, 1);
    await sleep(9000);
    await must(patch(get().developer, apps, "Deployment", granted, { spec: { replicas: 3 } }));
    await sleep(4000);
    await podsOf(granted, 1);
    await must(remove(get().developer, apps, "Deployment", granted));
    return "scaling added none, deleting is possible";
  });
  admitted("label on a bypassed Pod by a developer", async () =>
    patch(get().developer, apps, "Pod", await bypassed(), { metadata: { labels: { seen: "yes" } } }),
  );
  admitted("scaling a bypassed Deployment by a developer", async () => {
    const victim = name();
    await must(create(get().oncall, apps, deployment(victim, bad, bypass())));
    return patch(get().developer, apps, "Deployment", victim, { spec: { replicas: 2 } });
  });
  admitted("deleting a bypassed Pod by a developer", async () =>
    remove(get().developer, apps, "Pod", await bypassed()),
  );
  admitted("taking the bypass off a Pod by a developer", async () =>
    patch(get().developer, apps, "Pod", await bypassed(), { metadata: { annotations: { [skip]: null } } }),
  );

  async function podsOf(app: string, wanted: number, timeout = 20_000): Promise<string> {
    const path = `${collection(apps, "Pod")}?labelSelector=app%3D${app}`;
    await waitFor(`${wanted} Pods of ${app}`, timeout, async () => {
      const { object } = await ask(get().admin, "GET", path);
      return (object.items as unknown[]).length === wanted;
    });
    return `${wanted} unsigned Pod`;
  }
});

const without = (key: string) => {
  const { annotations: all } = bypass() as { annotations: Record<string, string> };
  return annotations(Object.fromEntries(Object.entries(all).filter(([name]) => name !== key)));
};

interface Template {
  metadata: object;
  spec: object;
}

interface Revision {
  apiVersion: string;
  kind: string;
  metadata: { labels: object; ownerReferences: object[] };
  data: { spec: { template: Template } };
}

/** Acts as a service account that may edit in its namespace. */
async function accountClient({ admin, plane }: Cluster, namespace: string, name: string): Promise<KubeConfig> {
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  await requestObject(admin, "POST", accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
  await requestObject(admin, "POST", `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: `account-${name}` },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  });
  const { status } = await requestObject<{ status: { token: string } }>(admin, "POST", `${accounts}/${name}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {},
  });
  return kubeConfig(plane.server, plane.ca, name, { token: status.token });
}

/** kubectl --as */
function impersonating(client: KubeConfig, impersonateUser: string): KubeConfig {
  const config = new KubeConfig();
  const users = client.getUsers().map((user) => ({ ...user, impersonateUser }));
  const { clusters, contexts, currentContext } = client;
  config.loadFromOptions({ clusters, users, contexts, currentContext });
  return config;
}
