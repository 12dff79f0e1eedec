import * as assert from "node:assert/strict";
import { isLockedOut, lockOutState, removeWebhooks } from "../../../cli/recover/run";
import { type FakeApi, startFakeApi } from "../../support/fakeApi";

describe("recover", () => {
  let api: FakeApi;
  let ready = 0;
  let served = true;
  before(async () => {
    api = await startFakeApi(({ pathname, search }, { method }) => {
      if (method === "DELETE") return { body: { kind: "Status", status: "Success" } };
      if (pathname.endsWith("/deployments"))
        return {
          body: {
            items: [
              {
                metadata: { name: "kyverno-admission-controller" },
                spec: { replicas: 1 },
                status: { readyReplicas: ready },
              },
            ],
          },
        };
      if (pathname.endsWith("policybindings") || pathname.endsWith("policies"))
        return served ? { body: { items: [{ metadata: { name: "b" } }] } } : { code: 404, body: {} };
      if (pathname.includes("mutating") && decodeURIComponent(search).includes("webhook.kyverno.io") === false)
        return { body: { items: [] } };
      if (pathname.includes("mutating"))
        return { body: { items: [{ metadata: { name: "m" }, webhooks: [{ failurePolicy: "Ignore" }, {}] }] } };
      return { body: { items: [{ metadata: { name: "v" }, webhooks: null }] } };
    });
  });
  after(() => api.stop());
  const target = () => ({ kubeconfig: api.kubeconfig });

  it("sees whether Kyverno blocks the cluster", async () => {
    const state = await lockOutState(target(), "kyverno");
    assert.deepEqual(state, {
      deployments: [{ name: "kyverno-admission-controller", ready: 0, wanted: 1 }],
      webhooks: [
        { kind: "mutating", name: "m", webhooks: 2, failing: 1 },
        { kind: "validating", name: "v", webhooks: 0, failing: 0 },
      ],
    });
    assert.equal(isLockedOut(state), true);
    ready = 1;
    assert.equal(isLockedOut(await lockOutState(target(), "kyverno")), false);
  });

  it("removes Kyverno's own webhooks, the backstop first, and no other", async () => {
    api.requests.length = 0;
    assert.deepEqual(await removeWebhooks(target()), ["backstop/b", "mutating/m", "validating/v"]);
    const lists = api.requests.filter(({ method }) => method === "GET");
    assert.ok(lists.every(({ url }) => url.includes("labelSelector=")));
    const deleted = () =>
      api.requests.filter(({ method }) => method === "DELETE").map(({ url }) => url.split("/").slice(-2).join("/"));
    assert.deepEqual(deleted(), [
      "validatingadmissionpolicybindings/b",
      "validatingadmissionpolicies/b",
      "mutatingwebhookconfigurations/m",
      "validatingwebhookconfigurations/v",
    ]);
    served = false;
    assert.deepEqual(await removeWebhooks(target()), ["mutating/m", "validating/v"]);
  });

  it("says of a cluster that is away what every command says", async () => {
    const away = { kubeconfig: api.kubeconfig.replace(/:\d+"/, ':1"') };
    await assert.rejects(
      lockOutState(away, "kyverno"),
      /^Error: no answer from the API server .*nothing listens there/,
    );
  });
});
