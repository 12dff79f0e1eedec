import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { postureByName, withLists } from "../../../../components/posture/byName";
import { checkPosture } from "../../../../components/posture/comparison/read";
import { compareStrength } from "../../../../components/posture/strength/strength";
import { argsFromSettings } from "../../../../components/settings";
import { fullSettings } from "../../../support/fullSettings";
import { MODULO, postureOf, settings, stackSettings } from "../../../support/settings";
import { posture } from "./strength/arbitraryPosture";

/** Places at which two values differ. */
function differences(a: unknown, b: unknown, at = ""): string[] {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b) ? [] : [at];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    differences((a as never)[key], (b as never)[key], `${at}/${key}`),
  );
}

/** As the engine gives it back: as JSON, with its keys sorted. */
const kept = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe("the posture by name", () => {
  it("reads back as it was, whatever it holds", async () => {
    fc.assert(fc.property(posture, (one) => assert.deepEqual(kept(withLists(postureByName(one))), kept(one))));
    for (const raw of [settings(), argsFromSettings(stackSettings("prod")), await fullSettings()]) {
      const one = postureOf(raw);
      const read = checkPosture(kept(postureByName(one)));
      assert.ok("posture" in read, JSON.stringify(read));
      assert.deepEqual(read.posture, kept(one));
    }
  });

  it("has no list of objects left: of those the engine would compare by index", async () => {
    const lists = (value: unknown, at: string): string[] => {
      if (Array.isArray(value)) return value.some((item) => typeof item === "object") ? [at] : [];
      if (typeof value !== "object" || value === null) return [];
      return Object.entries(value).flatMap(([key, child]) => lists(child, `${at}/${key}`));
    };
    const found = lists(kept(postureByName(postureOf(await fullSettings()))), "");
    // What an attestation must say is the user's own, and has no names.
    assert.deepEqual(
      found.filter((at) => !at.endsWith("/conditions")),
      [],
    );
  });

  it("differs in one place when an entry comes first, goes or changes", () => {
    const first = { ...MODULO, name: "first", repositories: ["ghcr.io/acme/first"] };
    const of = (images: object[]) => postureByName(postureOf(settings({ images })));
    assert.deepEqual(differences(of([MODULO]), of([first, MODULO])), ["/images/first"]);
    assert.deepEqual(differences(of([first, MODULO]), of([MODULO])), ["/images/first"]);
    const renamed = { ...MODULO, repositories: ["ghcr.io/ikey168/other-*"] };
    assert.deepEqual(differences(of([first, MODULO]), of([first, renamed])), ["/images/modulo/repositories/0"]);
  });

  it("keeps items that are called alike", () => {
    const one = postureOf(settings());
    const [scope] = one.policies[0]!.scopes;
    const twice = {
      ...one,
      suspended: ["a", "b"].map((reason) => ({ policy: "all", reason, until: "2099-01-01T00:00:00Z" })),
    };
    assert.ok(scope);
    assert.deepEqual(Object.keys(postureByName(twice).suspended as object), ["all", "all (2)"]);
    assert.equal(compareStrength(withLists(postureByName(twice)) as typeof twice, twice), "same");
  });

  it("is read as well where a state still has lists", () => {
    const one = postureOf(settings());
    assert.deepEqual(checkPosture(kept(one)), { posture: kept(one) });
  });

  for (const [what, value] of [
    ["nothing", undefined],
    ["a text", "posture"],
    ["a list", []],
    ["an item that is none", { images: { a: 1 } }],
  ] as const)
    it(`is refused where it is ${what}`, () => {
      assert.ok("lacks" in checkPosture(value));
    });
});
