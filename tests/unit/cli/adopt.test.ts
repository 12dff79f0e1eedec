import * as assert from "node:assert/strict";
import { commandsFor, importsOf, type Present } from "../../../cli/adopt/run";
import { childrenOf } from "../../../components/resourceNames";
import { compile, postureOf, settings } from "../../support/settings";

const ENFORCE = settings({ mode: "enforce" });
const children = childrenOf(compile(ENFORCE), "guard");
const present = (names: readonly string[], isManaged: boolean, release = true): Present => ({
  release,
  children: children
    .filter(({ manifest }) => names.includes(manifest.metadata.name))
    .map((child) => ({ ...child, isManaged })),
});
const files = { stack: "prod", out: "adopt.json" };

describe("adopt", () => {
  it("lists the component, what is there under the names of its parts, and the release", () => {
    const found = present(["kyverno", "require-signed-images", "kyverno:webhook"], false);
    assert.deepEqual(importsOf(postureOf(ENFORCE), "guard", found), [
      { type: "image-signing-guard:index:ImageSigningGuard", name: "guard", component: true },
      {
        type: "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        name: "guard-kyverno-webhook",
        id: "kyverno:webhook",
        parent: "guard",
      },
      { type: "kubernetes:core/v1:Namespace", name: "guard-namespace", id: "kyverno", parent: "guard" },
      {
        type: "kubernetes:kyverno.io/v1:ClusterPolicy",
        name: "guard-require-signed-images",
        id: "require-signed-images",
        parent: "guard",
      },
      { type: "kubernetes:helm.sh/v3:Release", name: "guard-kyverno", id: "kyverno/kyverno", parent: "guard" },
    ]);
  });

  it("names what lies in a namespace with it, and every part once", () => {
    const trust = children.find(({ resource }) => resource === "guard-trust")!;
    const [, line] = importsOf(postureOf(ENFORCE), "guard", present([trust.manifest.metadata.name], true, false));
    assert.equal(line!.id, `kyverno/${trust.manifest.metadata.name}`);
    const parts = children.map(({ resource, manifest }) => `${manifest.kind} ${resource}`);
    assert.equal(new Set(parts).size, parts.length);
  });

  it("prints labels for what nobody's guard made, and none where a killed up left its own", () => {
    const names = ["kyverno", "require-signed-images"];
    const [label] = ["app.kubernetes.io/managed-by=image-signing-guard"];
    assert.deepEqual(commandsFor(files, present(names, false)), [
      "pulumi import --stack prod --file adopt.json --protect=false --generate-code=false --yes",
      `kubectl label namespaces kyverno ${label}`,
      `kubectl label clusterpolicies require-signed-images ${label}`,
      "pulumi up --stack prod --diff",
    ]);
    assert.equal(commandsFor(files, present(names, true)).length, 2);
  });
});
