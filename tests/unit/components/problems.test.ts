import * as assert from "node:assert/strict";
import { describeProblems, describeValue, GuardInputError } from "../../../components/problems";
import { newKeyPair } from "../../support/pems";
import { problemsOf } from "../../support/problems";
import { postureOf, settings, signerSettings } from "../../support/settings";

const { privateKey } = newKeyPair();
const SECRET = privateKey.split("\n")[1]!.slice(0, 20);

describe("problems", () => {
  it("are all told at once, each with what was found, what is allowed and what to do", () => {
    const text = describeProblems([
      { key: "a", found: "1", allowed: "2", fix: "3" },
      { key: "b", found: "4", allowed: "5", fix: "6" },
    ]);
    assert.equal(
      text,
      [
        "The guard's configuration has 2 problems:",
        "  a\n    found:   1\n    allowed: 2\n    fix:     3",
        "  b\n    found:   4\n    allowed: 5\n    fix:     6",
      ].join("\n"),
    );
    assert.match(
      describeProblems([{ key: "a", found: "1", allowed: "2", fix: "3" }]),
      /^The guard's configuration has a problem:/,
    );
  });

  it("of different places come in one error", () => {
    const raw = { mode: "strict", images: [], tags: 1, failure: { audit: "No" } };
    assert.deepEqual(
      problemsOf(() => postureOf(raw))
        .map(({ key }) => key)
        .sort(),
      ["failure.audit", "images", "mode", "tags"],
    );
  });

  it("never show a private key, wherever it stands", () => {
    const places: unknown[] = [
      signerSettings({ key: { publicKey: privateKey } }),
      signerSettings({ key: { publicKey: [privateKey] } }),
      signerSettings({ key: { publicKey: { pem: privateKey } } }),
      signerSettings({ key: privateKey }),
      signerSettings({ certificate: { chain: privateKey } }),
      settings({ trust: { rekor: { url: "https://rekor.example.com", publicKey: privateKey } } }),
      settings({ trust: { root: "custom", fulcioCertificates: privateKey, acceptNoTransparencyLog: true } }),
      settings({ trust: privateKey }),
      settings({ mode: privateKey }),
      settings({ kyverno: { values: privateKey } }),
    ];
    for (const raw of places) {
      const text = describeProblems(problemsOf(() => postureOf(raw)));
      assert.ok(!text.includes(SECRET), text);
    }
  });

  it("never show what stands at readiness.kubeconfig", () => {
    for (const kubeconfig of [[{ token: "s3cret" }], ["s3cret"], 5318008]) {
      const text = describeProblems(problemsOf(() => postureOf(settings({ readiness: { kubeconfig } }))));
      assert.ok(!/s3cret|5318008/.test(text), text);
    }
  });

  it("shorten long values", () => {
    assert.ok(describeValue("x".repeat(5000)).length < 200);
    assert.match(describeValue("x".repeat(5000)), /5002 characters/);
  });

  it("name values so that nothing and an empty value can be told apart", () => {
    assert.equal(describeValue(undefined), "nothing");
    assert.equal(describeValue(null), "null (an empty value)");
    assert.equal(describeValue(""), '""');
    assert.equal(describeValue([1]), "a list of 1 entry");
    assert.equal(describeValue({ a: 1 }), "a block with the keys a");
  });

  it("are an error whose message is the list", () => {
    const error = new GuardInputError([{ key: "a", found: "1", allowed: "2", fix: "3" }]);
    assert.equal(error.message, describeProblems(error.problems));
    assert.equal(error.name, "GuardInputError");
  });
});
