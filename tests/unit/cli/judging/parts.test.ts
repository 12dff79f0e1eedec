import * as assert from "node:assert/strict";
import { checkImage } from "../../../../cli/judging/image";
import { compilePosture, policiesOf } from "../../../../components/compile";
import { withoutPart } from "../../../../components/policies/names";
import { resolvePosture } from "../../../../components/resolve";
import { settings } from "../../../support/settings";

describe("check: a policy in parts", () => {
  it("names the part that has the rule", async () => {
    // Nothing listens there, so no image is looked up.
    const images = Array.from({ length: 300 }, (_, at) => ({
      name: `team-${at}`,
      repositories: [`127.0.0.1:1/team-${at}/*`],
      signers: [{ github: { repository: `example/team-${at}`, workflow: "build.yml", ref: "refs/heads/main" } }],
    }));
    const resolved = resolvePosture(settings({ mode: "enforce", images }));
    const policies = policiesOf(compilePosture(resolved));
    const named = new Set<string>();
    for (const at of [0, 299]) {
      const { judgements } = await checkImage(`127.0.0.1:1/team-${at}/app:1`, ["production"], resolved);
      const { policy, rule } = judgements[0]!;
      const holder = policies.find(({ metadata }) => metadata.name === policy)!;
      const rules = (holder.spec as { rules: { name: string }[] }).rules;
      assert.ok(
        rules.some(({ name }) => name === rule),
        `${policy} has no ${rule}`,
      );
      assert.equal(withoutPart(policy!), "require-signed-images");
      named.add(policy!);
    }
    assert.equal(named.size, 2, [...named].join());
  });
});
