import { strict as assert } from "node:assert";
import { ImageSigningGuard } from "../../../components";
import { readReleases, type StateResource } from "../../package/release";
import { type Registered, runStack } from "../../support/mockStack";

/** What forces a replacement when it changes, besides the URN. */
interface Identity {
  readonly type: string;
  readonly parent: string;
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
}

const last = (urn = "") => urn.split("::").pop() ?? "";

function identityOf(type: string, parent: string, inputs: Record<string, unknown> = {}): Identity {
  if (type.includes("helm.sh")) return { type, parent, name: inputs.name, namespace: inputs.namespace };
  const { name, namespace } = (inputs.metadata ?? {}) as { name?: string; namespace?: string };
  return { type, parent, apiVersion: inputs.apiVersion, kind: inputs.kind, name, namespace };
}

const recorded = ({ urn, type, parent, inputs }: StateResource): [string, Identity] => [
  last(urn),
  identityOf(type, type.startsWith("image-signing-guard:") ? "" : last(parent), inputs),
];
const made = ({ name, type, parent, inputs }: Registered): [string, Identity] => [
  name,
  identityOf(type, type.startsWith("image-signing-guard:") ? "" : parent, inputs),
];

describe("resources of published versions", () => {
  it("are on record", () => {
    assert.ok(readReleases().length > 0);
  });

  for (const { version, args, deployment } of readReleases()) {
    it(`v${version}: keep their URNs and names, so that an upgrade replaces nothing`, async () => {
      const { resources } = await runStack(() => new ImageSigningGuard("guard", args));
      const now = new Map(resources.map(made));
      const before = deployment.resources.filter(({ type }) => !type.startsWith("pulumi:")).map(recorded);
      assert.ok(before.length > 10);
      for (const [name, identity] of before) assert.deepEqual(now.get(name), identity, `${name} of v${version}`);
    });
  }
});
