import { request } from "../../local/request";
import { sleep, waitFor } from "../../local/waitFor";
import { admissionControllers } from "../e2e/support";
import { admitted, attacks, outcome, refused } from "./cases";
import { annotations, apps, ask, collection, create, image, jsonPatch, patch, verdict, verdictKey } from "./cluster";
import { type Body, deployment, pod } from "./objects";

const unsignedText = /no matching signatures|no signatures found/;

attacks("namespaces and the guard itself", (get) => {
  const bad = `${image}:unsigned`;
  let count = 0;
  const name = () => `space-${++count}`;
  const namespace = (called: string, labels: object = {}) =>
    ask(get().admin, "POST", "/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: called, labels },
    });
  const account = (called: string) =>
    waitFor(`the service account of ${called}`, 20_000, async () => {
      const path = `/api/v1/namespaces/${called}/serviceaccounts/default`;
      return (await request(get().admin, "GET", path)).status === 200;
    });

  refused("Deployment in a namespace that was created a moment ago", unsignedText, async () => {
    const fresh = name();
    await namespace(fresh);
    return create(get().admin, fresh, deployment("now", bad));
  });
  for (const called of ["prod-new", "kube-system-2", "kyverno-2", "mydev", "default2", "kube-public2"]) {
    refused(`Pod in a new namespace ${called}`, unsignedText, async () => {
      await namespace(called);
      await account(called);
      return create(get().admin, called, pod("now", bad));
    });
  }
  refused("Pod in the namespace default", unsignedText, () => create(get().admin, "default", pod("now", bad)));
  for (const label of [
    { "kubernetes.io/metadata.name": "kube-system" },
    { "kubernetes.io/metadata.name": "kyverno" },
    { "pod-security.kubernetes.io/enforce": "privileged", "policies.kyverno.io/skip": "all" },
  ]) {
    const [[key, value]] = Object.entries(label) as [[string, string]];
    refused(`Pod in a namespace created with label ${key}=${value}`, unsignedText, async () => {
      const flipped = name();
      await namespace(flipped, label);
      await account(flipped);
      return create(get().admin, flipped, pod("now", bad));
    });
    refused(`Pod in a namespace whose label was flipped to ${key}=${value}`, unsignedText, async () => {
      const flipped = name();
      await namespace(flipped);
      await account(flipped);
      await ask(
        get().admin,
        "PATCH",
        `/api/v1/namespaces/${flipped}`,
        { metadata: { labels: label } },
        "application/merge-patch+json",
      );
      return create(get().admin, flipped, pod("now", bad));
    });
  }
  refused("label kubernetes.io/metadata.name removed", unsignedText, async () => {
    const bare = name();
    await namespace(bare);
    await account(bare);
    const removal = [{ op: "remove", path: "/metadata/labels" }];
    await ask(get().admin, "PATCH", `/api/v1/namespaces/${bare}`, removal, jsonPatch);
    return create(get().admin, bare, pod("now", bad));
  });
  refused("skip annotations on the namespace", unsignedText, async () => {
    const noted = name();
    await namespace(noted);
    await account(noted);
    const note = { metadata: annotations({ "policies.kyverno.io/skip": "verify-image-signatures" }) };
    await ask(get().admin, "PATCH", `/api/v1/namespaces/${noted}`, note, "application/merge-patch+json");
    return create(get().admin, noted, pod("now", bad));
  });
  refused("another namespace in the body than in the address", /does not match/, () =>
    create(get().developer, apps, pod(name(), bad, { namespace: "kube-system" })),
  );
  refused("Pod in kube-system by a namespace owner", /forbidden/, () =>
    create(get().owner, "kube-system", pod(name(), bad)),
  );
  refused("Pod in Kyverno's namespace by a namespace owner", /forbidden/, () =>
    create(get().owner, "kyverno", pod(name(), bad)),
  );

  const policy = (called: string, rule: object, failurePolicy = "Fail", version = "v1"): Body => ({
    apiVersion: `kyverno.io/${version}`,
    kind: "Policy",
    metadata: { name: called },
    spec: {
      background: false,
      failurePolicy,
      validationFailureAction: "Enforce",
      rules: [{ name: "rule", match: { any: [{ resources: { kinds: ["Pod"] } }] }, ...rule }],
    },
  });
  const forging = () => ({
    mutate: {
      patchStrategicMerge: {
        metadata: annotations({ [verdictKey]: verdict(`${image}@${get().digests.unsigned}`) }),
      },
    },
  });
  const harmless = { validate: { message: "no", pattern: { spec: { containers: [{ name: "?*" }] } } } };
  // Nobody else may write one at all: policies.test.ts.
  const policyText = /own Policy may not mutate or verify images/;
  const forgeable = { line: "1.10", why: "1.19 believes no verdict that an object brings along" } as const;
  for (const failurePolicy of ["Fail", "Ignore"]) {
    refused(
      `a namespace's own Policy that mutates, failurePolicy ${failurePolicy}`,
      policyText,
      () => create(get().author, apps, policy(name(), forging(), failurePolicy)),
      forgeable,
    );
    refused(
      `a namespace's own Policy that verifies images, failurePolicy ${failurePolicy}`,
      policyText,
      async () => {
        const { publicKey } = await get().cosign.createKey(name());
        const attestors = [{ entries: [{ keys: { publicKeys: publicKey } }] }];
        const verifyImages = [{ imageReferences: ["*"], attestors }];
        return create(get().author, apps, policy(name(), { verifyImages }, failurePolicy));
      },
      forgeable,
    );
  }
  refused(
    "a namespace's own Policy of v2beta1 that mutates",
    policyText,
    () =>
      ask(
        get().author,
        "POST",
        collection(apps, "Policy").replace("/v1/", "/v2beta1/"),
        policy(name(), forging(), "Fail", "v2beta1"),
      ),
    forgeable,
  );
  refused(
    "a namespace's own Policy that mutates per element",
    policyText,
    () => {
      const { patchStrategicMerge } = forging().mutate;
      const foreach = [{ list: "request.object.spec.containers", patchStrategicMerge }];
      return create(get().author, apps, policy(name(), { mutate: { foreach } }));
    },
    forgeable,
  );
  refused(
    "a harmless Policy that is changed into one that mutates",
    policyText,
    async () => {
      const called = name();
      const made = await create(get().author, apps, policy(called, harmless));
      if (!made.admitted) throw new Error(made.message);
      return patch(
        get().author,
        apps,
        "Policy",
        called,
        [
          {
            op: "add",
            path: "/spec/rules/1",
            value: { ...(policy(called, forging()).spec as { rules: object[] }).rules[0], name: "more" },
          },
        ],
        jsonPatch,
      );
    },
    forgeable,
  );
  admitted("a namespace's own Policy that only validates", () => create(get().author, apps, policy(name(), harmless)));
  outcome("unsigned after all these tries", "refused", async () => {
    await sleep(5000);
    const answer = await create(get().developer, apps, pod(name(), `${image}@${get().digests.unsigned}`));
    if (answer.admitted) throw new Error("the unsigned Pod was admitted");
    return "still refused";
  });

  for (const [title, method, path, body] of [
    ["deleting a policy", "DELETE", "/apis/kyverno.io/v1/clusterpolicies/verify-image-signatures", undefined],
    ["deleting a guard", "DELETE", "/apis/kyverno.io/v1/clusterpolicies/guard-image-verdicts", undefined],
    [
      "creating a ClusterPolicy",
      "POST",
      "/apis/kyverno.io/v1/clusterpolicies",
      { apiVersion: "kyverno.io/v1", kind: "ClusterPolicy", metadata: { name: "mine" }, spec: { rules: [] } },
    ],
    [
      "deleting the webhooks",
      "DELETE",
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/kyverno-resource-mutating-webhook-cfg",
      undefined,
    ],
    [
      "changing Kyverno's configuration",
      "PATCH",
      "/api/v1/namespaces/kyverno/configmaps/kyverno",
      { data: { resourceFilters: "[*/*,*,*]" } },
    ],
    ["changing the trust anchors", "DELETE", "/api/v1/namespaces/kyverno/configmaps", undefined],
    [
      "stopping Kyverno",
      "PATCH",
      "/apis/apps/v1/namespaces/kyverno/deployments/kyverno-admission-controller",
      { spec: { replicas: 0 } },
    ],
  ] as const) {
    refused(`${title} by a namespace owner`, /forbidden/, () =>
      ask(get().owner, method, path, body, "application/merge-patch+json"),
    );
  }

  outcome(
    "unsigned, forged, bypassed and disguised Pods while Kyverno is killed and comes back",
    "refused",
    async () => {
      const pids = () => admissionControllers(get().node).map(({ pid }) => pid);
      const before = pids();
      if (before.length === 0) throw new Error("Kyverno does not run");
      const reference = `${image}@${get().digests.unsigned}`;
      const bodies = () => [
        pod(name(), reference),
        pod(name(), reference, annotations({ [verdictKey]: verdict(reference) })),
        pod(name(), "quay.io/other/app:1", annotations({ "policies.kyverno.io/skip": "x" })),
        pod(name(), `ghcr.io:443/ikey168/modulo-frontend:unsigned`),
      ];
      // All replicas: one that is left would answer for the others.
      for (const pid of before) process.kill(pid, "SIGKILL");
      const end = Date.now() + 20_000;
      let [down, judged] = [0, 0];
      while (Date.now() < end) {
        for (const body of bodies()) {
          const { admitted: passed, message } = await create(get().developer, apps, body, "?dryRun=All");
          if (passed) throw new Error(`admitted: ${JSON.stringify(body)}`);
          if (/following policies|denied the request: Policy /.test(message)) judged++;
          else down++;
        }
      }
      if (judged === 0 || down === 0 || pids().some((pid) => before.includes(pid)))
        throw new Error(`${down} unanswered, ${judged} judged`);
      return `${down} refused without an answer, ${judged} by policies`;
    },
    60_000,
  );

  admitted("LIMIT: a namespace named dev-* is audited, whoever may create one", async () => {
    await namespace("dev-mallory");
    await account("dev-mallory");
    return create(get().admin, "dev-mallory", pod("now", bad));
  });
});
