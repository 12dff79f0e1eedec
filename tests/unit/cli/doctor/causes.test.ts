import * as assert from "node:assert/strict";
import { rowsOf, sayingOf } from "../../../../cli/cluster/rows";
import { explain } from "../../../../cli/doctor/explain/explain";
import { causesOf, KNOWN_REFUSALS, verdictOf } from "../../../../cli/refusals/causes";
import { pod, scanReport } from "../../../support/clusterObjects";
import { CAUSES } from "./causes";

/** The refusal of a pod as Kyverno's webhook words it. */
const refusalOf = (message: string) =>
  [
    'admission webhook "mutate.kyverno.svc-fail" denied the request: ',
    "",
    "resource Pod/production/p was blocked due to the following policies ",
    "",
    "require-signed-images:",
    `  signed-by-modulo: ${JSON.stringify(message)}`,
    "",
  ].join("\n");

describe("causes of refusals, read in their place", () => {
  for (const { means, verdict, text, source } of CAUSES) {
    const ids = means.split(" ");
    it(`${means}: ${text.replace(/\s+/g, " ").slice(-90)} (${source})`, () => {
      const causes = causesOf(text);
      assert.deepEqual(
        causes.map(({ known }) => known?.id ?? "?"),
        ids,
        JSON.stringify(causes.map(({ place, text: said }) => [place, said])),
      );
      assert.equal(verdictOf(causes), verdict);

      // `doctor explain`: of the bare text, and of the refusal that holds it.
      const wanted = verdict === undefined ? ids.filter((id) => !isVerdict(id)) : ids;
      for (const given of text.startsWith("Internal error") ? [text] : [text, refusalOf(text)]) {
        const { findings, exitCode } = explain(given);
        assert.ok(wanted.includes(findings[0]!.id ?? "?"), `${findings[0]!.id}`);
        assert.equal(exitCode, findings[0]!.id ? 0 : 1);
      }

      // `report` and `impact`: a failure that is none of the image stays open.
      if (!text.startsWith("failed to verify image")) return;
      const image = /image (\S+):/.exec(text)![1]!;
      const row = { policy: "p", rule: "r", result: "fail", message: text };
      const saying = sayingOf(rowsOf(scanReport(pod("n", "p", [image]), [row]))[0]!);
      assert.deepEqual(saying && "passes" in saying && [saying.image, saying.passes], [
        image,
        verdict === undefined ? undefined : false,
      ]);
    });
  }

  const isVerdict = (id: string) => KNOWN_REFUSALS.find((known) => known.id === id)?.verdict !== undefined;

  it("the table has a case for every cause of the verifier", () => {
    const tried = new Set(CAUSES.flatMap(({ means }) => means.split(" ")));
    const missing = KNOWN_REFUSALS.filter(({ id, in: places }) => !tried.has(id) && !places.includes("rule"));
    assert.deepEqual(
      missing.map(({ id }) => id),
      [],
    );
  });
});
