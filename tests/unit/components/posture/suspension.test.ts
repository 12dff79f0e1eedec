import * as assert from "node:assert/strict";
import { problemsOf } from "../../../support/problems";
import { postureOf, settings, warningsOf } from "../../../support/settings";

const suspended = (policy: string, changes: Record<string, unknown> = {}) =>
  settings({
    mode: "enforce",
    suspend: [{ policy, reason: "outage 7", until: "2026-06-02T00:00:00+02:00" }],
    ...changes,
  });
const namesOf = (raw: unknown) => postureOf(raw).policies.map(({ name }) => name);

describe("a suspension", () => {
  it("takes the policy and its sibling of the other mode out of admission, and nothing else", () => {
    assert.deepEqual(namesOf(suspended("verify-image-signatures")), [
      "audit-unsigned-images",
      "guard-image-verdicts",
      "require-signed-images",
    ]);
  });

  it("of all leaves no policy", () => {
    assert.deepEqual(namesOf(suspended("all")), []);
  });

  it("stands in the posture and in a warning, with its reason and end", () => {
    assert.deepEqual(postureOf(suspended("all")).suspended, [
      { policy: "all", reason: "outage 7", until: "2026-06-02T00:00:00+02:00" },
    ]);
    assert.ok(warningsOf(suspended("all")).some((text) => /all is suspended until .*: outage 7/.test(text)));
  });

  it("is over at its end to the second, whatever its zone", () => {
    const ended = (until: string) => settings({ suspend: [{ policy: "all", reason: "r", until }] });
    assert.equal(problemsOf(() => postureOf(ended("2026-06-01T14:00:00+02:00")))[0]!.key, "suspend[0].until");
    postureOf(ended("2026-06-01T14:00:01+02:00"));
  });

  it("can't take a guard away from the policies that it protects", () => {
    for (const policy of ["guard-image-verdicts", "guard-image-bypass"])
      assert.deepEqual(
        problemsOf(() => postureOf(suspended(policy))).map(({ key }) => key),
        ["suspend[0].policy"],
      );
  });
});
