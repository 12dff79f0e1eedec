import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { gist, rowReason, rowsOf, sayingOf } from "../../../../cli/cluster/rows";
import { pod, type RowInput, rows, scanReport } from "../../../support/clusterObjects";

const image = `ghcr.io/ikey168/modulo-a@sha256:${"a".repeat(64)}`;
const said = (row: RowInput) => sayingOf(rowsOf(scanReport(pod("n", "p", [image]), [row]))[0]!);

describe("rows of Kyverno's reports", () => {
  it("pass and fail only for the image that they name", () => {
    assert.deepEqual(said(rows.pass(image)), { about: "signature", image, passes: true, why: "" });
    const failed = said(rows.unsigned(image));
    assert.ok(failed?.about === "signature" && failed.image === image && failed.passes === false);
    assert.equal(rowReason(failed.why), "unsigned");
  });

  it("prove nothing where they only repeat the annotation", () => {
    assert.equal(said(rows.secondLook()), undefined);
    assert.equal(said({ ...rows.secondLook(), result: "fail", message: `unverified image ${image}` }), undefined);
  });

  it("tell a registry's trouble apart from a missing signature, whatever Kyverno calls it", () => {
    for (const row of [rows.registryDenied(image), rows.registrySilent(image)]) {
      const saying = said(row);
      assert.ok(saying?.about === "signature" && saying.passes === undefined, row.message);
    }
    const log = { ...rows.unsigned(image) };
    log.message += 'searching log query: Post "https://rekor.sigstore.dev/api/v1/log": dial tcp: i/o timeout';
    const saying = said(log);
    assert.ok(saying?.about === "signature" && saying.passes === undefined);
  });

  it("say who is wrong", () => {
    const saying = said(rows.wrongSigner(image));
    assert.ok(saying?.about === "signature" && saying.passes === false);
    assert.equal(rowReason(saying.why), "wrongSigner");
    assert.match(gist(saying.why), /^subject mismatch: expected/);
  });

  it("name the images that nobody signs, as policies see them", () => {
    assert.deepEqual(said(rows.noSigner(["docker.io/nginx:1.27", `a.io/b:1@sha256:${"c".repeat(64)}`])), {
      about: "signer",
      images: ["docker.io/nginx:1.27", `a.io/b@sha256:${"c".repeat(64)}`],
    });
    const refusing = { ...rows.noSigner(["a.io/b:1"]) };
    refusing.message = "no signer is configured for a.io/b:1, c.io/d:2. Images here must come from x and be signed.";
    assert.deepEqual(said(refusing), { about: "signer", images: ["a.io/b:1", "c.io/d:2"] });
  });

  it("of an ImageValidatingPolicy tell image by image in their properties, as policies see them", () => {
    const report = {
      kind: "PolicyReport",
      scope: { kind: "Pod" },
      results: [
        {
          policy: "require-signed-images",
          rule: "require-signed-images",
          result: "fail" as const,
          message: "no signature that counts for image b.io/c:1",
          timestamp: { seconds: 5 },
          properties: {
            process: "background scan",
            "entry0-signed": `modulo:1.0@sha256:${"d".repeat(64)} b.io/a:1`,
            "entry0-unsigned": "b.io/c:1",
            "entry12-signed": "",
            "entry1-else": "b.io/x:1",
          },
        },
      ],
    };
    const [whole, ...parts] = rowsOf(report as never);
    assert.equal(whole!.isPart, undefined);
    assert.deepEqual(
      parts.map(({ rule, result, isPart, at }) => [rule, result, isPart, at]),
      [
        ["entry0", "pass", true, 5],
        ["entry0", "pass", true, 5],
        ["entry0", "fail", true, 5],
      ],
    );
    const [first, second, third] = parts.map(sayingOf);
    assert.ok(first?.about === "signature" && first.passes === true);
    assert.equal(first.image, `docker.io/modulo@sha256:${"d".repeat(64)}`);
    assert.ok(second?.about === "signature" && second.image === "b.io/a:1");
    // That a signature could not be read looks the same, so it is not sure.
    assert.ok(third?.about === "signature" && third.passes === false && third.isSure === false);
  });

  it("never end the command, whatever is in them", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("pass", "fail", "error", "skip", "warn"), (message, result) => {
        const saying = said({ policy: "p", rule: "r", result, message });
        return saying === undefined || saying.about === "signature" || saying.images.length > 0;
      }),
    );
  });
});
