import * as assert from "node:assert/strict";
import { clusterSource, readAll, rightsFix } from "../../../../cli/cluster/source";
import { collectionPath, type KubeObject } from "../../../../components/kubernetes/resources";
import { type FakeApi, startApiServer } from "../../../support/apiServer";
import { pod, resourceOf } from "../../../support/clusterObjects";

const PODS = resourceOf("Pod");
const POLICIES = resourceOf("ClusterPolicy");

describe("lists of a cluster", () => {
  let api: FakeApi;
  const namespaces = ["a", "b"];
  const pods = Array.from({ length: 23 }, (_, index) => pod(namespaces[index % 2]!, `p${index}`, ["x:1"]));

  beforeEach(async () => {
    api = await startApiServer([[PODS, pods]], { largestPage: 5 });
  });
  afterEach(() => api.stop());

  const read = async (wanted: readonly string[] = [], resource = PODS) => {
    const sizes: number[] = [];
    const names: string[] = [];
    const gaps = await readAll(clusterSource({ kubeconfig: api.kubeconfig }), resource, wanted, (page) => {
      sizes.push(page.length);
      names.push(...page.map(({ metadata }: KubeObject) => metadata!.name!));
    });
    return { sizes, names, gaps };
  };

  it("come in pages, each object once and in order", async () => {
    const { sizes, names } = await read();
    assert.deepEqual(sizes, [5, 5, 5, 5, 3]);
    assert.deepEqual(
      names,
      pods.map(({ metadata }) => metadata!.name),
    );
    assert.ok(api.requests.every((request) => request.includes("limit=250")));
    assert.ok(api.requests[1]!.includes("continue=5"));
  });

  it("are those of the namespaces that were asked for", async () => {
    const { names } = await read(["b"]);
    assert.equal(names.length, 11);
    assert.ok(api.requests.every((request) => request.startsWith("/api/v1/namespaces/b/pods?")));
  });

  it("go on where the server says when the list has become too old", async () => {
    api.trouble.set(collectionPath(PODS), "expiredOnce");
    assert.equal((await read()).names.length, 23);
  });

  it("come when a busy server asks for patience", async () => {
    api.trouble.set(collectionPath(PODS), "busyOnce");
    assert.equal((await read()).names.length, 23);
  });

  it("that may not be read are named with verb and resource", async () => {
    api.trouble.set(collectionPath(PODS), "forbidden");
    const { gaps } = await read();
    assert.deepEqual(
      gaps.map(({ resource, verb, why }) => [resource, verb, why]),
      [["pods", "list", "forbidden"]],
    );
    assert.match(gaps[0]!.message, /^may not list pods: .*User "u" cannot list/);
    assert.equal(rightsFix(gaps), "kubectl create clusterrole image-signing-guard-reader --verb=list --resource=pods");
  });

  it("that the cluster does not know are told apart from those", async () => {
    const { gaps } = await read([], POLICIES);
    assert.equal(gaps[0]!.why, "absent");
    assert.match(gaps[0]!.message, /the cluster has no clusterpolicies\.kyverno\.io \(v1\)/);
    assert.equal(rightsFix(gaps), undefined);
  });

  for (const [trouble, says] of [
    ["half", /not whole JSON/],
    ["broken", /could not list pods: the API server answered 500: etcdserver: request timed out/],
    ["unauthorized", /does not know who asks \(401\): log in again/],
  ] as const) {
    it(`end with one clear error when the answer is ${trouble}`, async () => {
      api.trouble.set(collectionPath(PODS), trouble);
      await assert.rejects(read(), says);
    });
  }

  it("end with one clear error when there is no cluster", async () => {
    const { kubeconfig } = api;
    await api.stop();
    await assert.rejects(
      readAll(clusterSource({ kubeconfig }), PODS, [], () => {}),
      /no answer from the API server http:\/\/127\.0\.0\.1:\d+: nothing listens there \(ECONNREFUSED\)/,
    );
    api = await startApiServer([]);
  });
});
