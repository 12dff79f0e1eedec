import * as assert from "node:assert/strict";
import { ClusterClient } from "../../../../components/kubernetes/client";
import { toForget, unfinished } from "../../../../components/kyverno/helmRelease";
import { examine } from "../../../../components/kyverno/preflight";
import type { KyvernoPlan } from "../../../../components/posture/types";
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
  /** Whether the definitions are those of 1.10, and how many objects each holds. */
  old?: number;
}

describe("preflight: what is in the cluster before anything changes", () => {
  let api: FakeApi | undefined;
  afterEach(() => api?.stop());

  async function look(world: World, target = "1.10") {
    api = await startFakeApi(({ pathname }) => {
      if (pathname === `${definitions}/clusterpolicies.kyverno.io` && world.installed)
        return { body: { metadata: { name: "clusterpolicies.kyverno.io", annotations: world.installed } } };
      const old = /\/(\w+)\.kyverno\.io$/.exec(pathname)?.[1];
      if (pathname.startsWith(definitions) && old && old !== "clusterpolicies" && world.old !== undefined) {
        const spec = { group: "kyverno.io", names: { kind: "CleanupPolicy", plural: old }, scope: "Namespaced" };
        return { body: { metadata: { name: `${old}.kyverno.io` }, spec, status: { storedVersions: ["v2alpha1"] } } };
      }
      if (pathname.startsWith("/apis/kyverno.io/v2alpha1/"))
        return {
          body: { items: Array.from({ length: world.old ?? 0 }, (_, at) => ({ metadata: { name: `p${at}` } })) },
        };
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
    const { kyverno } = postureOf(settings({ kyverno: { target } }));
    return examine(ClusterClient.of({ kubeconfig: api.kubeconfig }), kyverno as KyvernoPlan);
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

  it("removes definitions of an older line when they are empty, and stops when they are not", async () => {
    const own: World = { installed: OURS, own: true, revisions: ["deployed"] };
    const names = ["cleanuppolicies.kyverno.io", "clustercleanuppolicies.kyverno.io", "policyexceptions.kyverno.io"];
    assert.deepEqual(await look({ ...own, old: 0 }, "1.13"), { obstacles: [], emptyDefinitions: names });
    await api!.stop();
    const { obstacles, emptyDefinitions } = await look({ ...own, old: 2 }, "1.13");
    assert.deepEqual(emptyDefinitions, []);
    assert.equal(obstacles.length, 3);
    assert.match(
      obstacles[0]!.found,
      /2 CleanupPolicy of a version that Kyverno v1\.13\.4 no longer has \(p0, \.\.\.\)/,
    );
    await api!.stop();
    assert.deepEqual(await look({ ...own, old: 2 }), { obstacles: [], emptyDefinitions: [] }, "1.10 has them itself");
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
