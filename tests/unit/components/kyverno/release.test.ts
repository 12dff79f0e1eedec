import * as assert from "node:assert/strict";
import { releaseArgs } from "../../../../components/kyverno/release";
import { postureOf, settings } from "../../../support/settings";

const argsFor = (given: Record<string, unknown> = {}) => {
  const { kyverno } = postureOf(settings({ kyverno: given }));
  return releaseArgs(kyverno, { repository: kyverno.chart.repository, values: {} });
};

describe("the Helm release", () => {
  it("is chart 3.0.9 of Kyverno's own repository under a fixed name", () => {
    assert.deepEqual(argsFor(), {
      name: "kyverno",
      namespace: "kyverno",
      createNamespace: false,
      chart: "kyverno",
      version: "3.0.9",
      repositoryOpts: { repo: "https://kyverno.github.io/kyverno/" },
      values: {},
      timeout: 600,
      cleanupOnFail: true,
    });
  });

  it("follows the target's chart version", () => {
    assert.equal(argsFor({ target: "1.19" }).version, "3.9.1");
  });

  it("takes the version from a local chart and names it for a remote one", () => {
    for (const path of ["./charts/kyverno", "../kyverno", "/srv/kyverno", "kyverno-3.0.9.tgz"]) {
      const args = argsFor({ chart: { path } });
      assert.deepEqual([args.chart, args.version, args.repositoryOpts], [path, undefined, undefined]);
    }
    const oci = argsFor({ chart: { path: "oci://registry.example.com/charts/kyverno" } });
    assert.deepEqual([oci.version, oci.repositoryOpts], ["3.0.9", undefined]);
  });

  it("may come from a mirror, in a namespace and under a name of one's own", () => {
    const args = argsFor({
      chart: { repository: "https://charts.example.com" },
      namespace: "policy",
      releaseName: "gate",
    });
    assert.deepEqual(args.repositoryOpts, { repo: "https://charts.example.com" });
    assert.deepEqual([args.name, args.namespace], ["gate", "policy"]);
  });
});
