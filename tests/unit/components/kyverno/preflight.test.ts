import * as assert from "node:assert/strict";
import { ClusterClient } from "../../../../components/kubernetes/client";
import { toForget, unfinished } from "../../../../components/kyverno/helmRelease";
import { examine } from "../../../../components/kyverno/preflight";
import { type FakeApi, startFakeApi, status } from "../../../support/fakeApi";
import { postureOf, settings } from "../../../support/settings";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const OURS = { "meta.helm.sh/release-name": "kyverno", "meta.helm.sh/release-namespace": "kyverno" };
const ELSEWHERE = { "meta.helm.sh/release-name": "policies", "meta.helm.sh/release-namespace": "security" };

/** What is in a cluster, as far as the preflight looks. */
interface World {
  /** Annotations of Kyverno's definition; no Kyverno where absent. */
  installed?: Record<string, string>;
  /** Whether the namespace is the guard's. */
  own?: boolean;
  /** Status of each revision, oldest first. */
  revisions?: string[];
  /** How many objects each definition holds whose versions differ between the lines. */
  held?: number;
  /** Whether the Prometheus Operator's kinds are there. */
  operator?: boolean;
  /** In which version they are stored: v2alpha1 with 1.10, v2 with later lines. */
  stored?: string;
}

describe("preflight: what is in the cluster before anything changes", () => {
  let api: FakeApi | undefined;
  afterEach(() => api?.stop());

  async function look(world: World, target = "1.10", more: Record<string, unknown> = {}) {
    api = await startFakeApi(({ pathname }) => {
      if (pathname === `${definitions}/clusterpolicies.kyverno.io` && world.installed)
        return { body: { metadata: { name: "clusterpolicies.kyverno.io", annotations: world.installed } } };
      if (pathname === `${definitions}/servicemonitors.monitoring.coreos.com` && world.operator)
        return { body: { metadata: { name: "servicemonitors.monitoring.coreos.com" } } };
      const { stored = "v2alpha1", held } = world;
      const plural = /\/(\w+)\.kyverno\.io$/.exec(pathname)?.[1];
      if (pathname.startsWith(definitions) && plural && plural !== "clusterpolicies" && held !== undefined) {
        const spec = { group: "kyverno.io", names: { kind: "CleanupPolicy", plural }, scope: "Namespaced" };
        const storedVersions = [plural === "updaterequests" && stored === "v2alpha1" ? "v1beta1" : stored];
        return { body: { metadata: { name: `${plural}.kyverno.io` }, spec, status: { storedVersions } } };
      }
      if (pathname.startsWith(`/apis/kyverno.io/${stored}/`))
        return { body: { items: Array.from({ length: held ?? 0 }, (_, at) => ({ metadata: { name: `p${at}` } })) } };
      if (pathname === "/api/v1/namespaces/kyverno")
        return {
          body: { metadata: { labels: world.own ? { "app.kubernetes.io/managed-by": "image-signing-guard" } : {} } },
        };
      if (pathname === "/api/v1/namespaces/kyverno/secrets")
        return {
          body: {
            items: (world.revisions ?? []).map((status, at) => ({
              metadata: {
                name: `sh.helm.release.v1.kyverno.v${at + 1}`,
                labels: { version: String(at + 1), status, modifiedAt: "1764150000" },
              },
            })),
          },
        };
      return status(404, "not found");
    });
    const posture = postureOf(settings({ kyverno: { target }, ...more }));
    return examine(ClusterClient.of({ kubeconfig: api.kubeconfig }), posture);
  }

  const cases: readonly (readonly [what: string, world: World, found: RegExp | undefined])[] = [
    ["an empty cluster", {}, undefined],
    ["the guard's own release", { installed: OURS, own: true, revisions: ["superseded", "deployed"] }, undefined],
    [
      "a failed upgrade, which Helm goes on from",
      { installed: OURS, own: true, revisions: ["deployed", "failed"] },
      undefined,
    ],
    [
      "another release",
      { installed: ELSEWHERE },
      /by Helm release policies in namespace security, and not by this guard/,
    ],
    [
      "a release of our name that somebody else made",
      { installed: OURS, own: false },
      /by Helm release kyverno in namespace kyverno/,
    ],
    ["a Kyverno without Helm", { installed: {} }, /by something else than Helm/],
    [
      "a first installation that was broken off",
      { installed: OURS, own: true, revisions: ["pending-install"] },
      /pending-install since 2025-11-26T/,
    ],
    [
      "one that was broken off before any definition",
      { own: true, revisions: ["pending-install"] },
      /an earlier run was broken off/,
    ],
    [
      "an upgrade that was broken off",
      { installed: OURS, own: true, revisions: ["deployed", "pending-upgrade"] },
      /pending-upgrade/,
    ],
    ["a removal that was broken off", { installed: OURS, own: true, revisions: ["uninstalling"] }, /uninstalling/],
  ];
  for (const [what, world, found] of cases)
    it(`${found ? "stops at" : "lets pass"} ${what}`, async () => {
      const { obstacles } = await look(world);
      if (!found) assert.deepEqual(obstacles, []);
      else {
        assert.equal(obstacles.length, 1);
        assert.match(obstacles[0]!.found, found);
        assert.ok(obstacles[0]!.fix.length > 20);
      }
    });

  it("stops at ServiceMonitors that the cluster has no kind for, where the chart makes them all the same", async () => {
    const monitored = { monitoring: { prometheusOperator: true } };
    const found = async (world: World, target: string, more = monitored) => {
      const { obstacles } = await look(world, target, more);
      await api!.stop();
      return obstacles.map(({ found: text, fix }) => `${text}; ${fix}`).join();
    };
    assert.match(await found({}, "1.19"), /no ServiceMonitors.*monitoring\.scrape: annotations/);
    assert.equal(await found({ operator: true }, "1.19"), "");
    assert.equal(await found({}, "1.10"), "");
  });

  const own: World = { installed: OURS, own: true, revisions: ["deployed"] };
  const three = ["cleanuppolicies.kyverno.io", "clustercleanuppolicies.kyverno.io", "policyexceptions.kyverno.io"];
  const moves: readonly (readonly [to: string, stored: string, outdated: readonly string[]])[] = [
    ["1.10", "v2alpha1", []],
    ["1.19", "v2alpha1", three],
    ["1.19", "v2", []],
    ["1.10", "v2", [...three, "updaterequests.kyverno.io"]],
  ];
  for (const [to, stored, outdated] of moves)
    it(`with ${stored} stored, ${to} needs ${outdated.length} definitions anew, and stops when they hold objects`, async () => {
      assert.deepEqual(await look({ ...own, held: 0, stored }, to), { obstacles: [], emptyDefinitions: outdated });
      await api!.stop();
      const { obstacles, emptyDefinitions } = await look({ ...own, held: 2, stored }, to);
      assert.deepEqual(emptyDefinitions, []);
      assert.equal(obstacles.length, outdated.length);
      for (const { found } of obstacles)
        assert.match(found, /2 CleanupPolicy of a version that Kyverno v1\.1\d\.\d does not have \(p0, \.\.\.\)/);
    });
});

describe("a broken-off operation of Helm", () => {
  const revisions = (...states: string[]) =>
    states.map((status, at) => ({ revision: at + 1, status, secret: `s${at + 1}` }));
  const cases: readonly (readonly [states: string[], forgotten: string[]])[] = [
    [[], []],
    [["deployed"], []],
    [["superseded", "deployed"], []],
    [["failed"], []],
    [["pending-install"], ["s1"]],
    [
      ["failed", "pending-install"],
      ["s1", "s2"],
    ],
    [["superseded", "deployed", "pending-upgrade"], ["s3"]],
    [["deployed", "failed", "pending-rollback"], ["s3"]],
    [
      ["superseded", "uninstalling"],
      ["s1", "s2"],
    ],
  ];
  for (const [states, forgotten] of cases)
    it(`${states.join(", ") || "no revision"}: forgets ${forgotten.join(" and ") || "nothing"}`, () => {
      const all = revisions(...states);
      assert.deepEqual(
        toForget(all).map(({ secret }) => secret),
        forgotten,
      );
      assert.equal(unfinished(all) !== undefined, forgotten.length > 0);
    });
});
