import * as assert from "node:assert/strict";
import { postureByName } from "../../../../../components/posture/byName";
import { tellChanges } from "../../../../../components/posture/comparison/tell";
import { UNKNOWN_VALUE } from "../../../../../components/unknownValue";
import { MODULO, postureOf, settings } from "../../../../support/settings";

const kept = (changes: Record<string, unknown>) =>
  JSON.parse(JSON.stringify(postureByName(postureOf(settings(changes))))) as Record<string, unknown>;
const AUDIT = kept({ mode: "audit" });
const ENFORCE = kept({ mode: "enforce" });

/** What the engine's output says of a step; each line of the answer must match one expression, in this order. */
const CASES: [what: string, before: unknown, after: unknown, says: RegExp[]][] = [
  ["nothing changes", ENFORCE, ENFORCE, []],
  [
    "audit becomes enforce",
    AUDIT,
    ENFORCE,
    [
      /^posture STRONGER: .* \(\d+ stronger\)$/,
      /^stronger · mode: audit → enforce in prod, prod-\*, production; every other namespace$/,
    ],
  ],
  ["enforce becomes audit", ENFORCE, AUDIT, [/^posture WEAKER: more gets in/, /^weaker · mode: enforce → audit in /]],
  [
    "something becomes weaker, something stronger",
    kept({ mode: "audit" }),
    kept({ mode: "enforce", tags: "keep" }),
    [/^posture MIXED: /, /^weaker · tags: pin → keep$/, /^stronger · mode: /],
  ],
  [
    "the guard is new",
    undefined,
    ENFORCE,
    [/^posture NEW: the guard is created$/, /^mode audit: dev, dev-\*, development$/, /^mode enforce: prod/],
  ],
  [
    "a timeout changes",
    ENFORCE,
    kept({ mode: "enforce", kyverno: { timeoutSeconds: 900 } }),
    [/^posture SAME: /, /900/],
  ],
  [
    "the line of Kyverno changes",
    ENFORCE,
    kept({ mode: "enforce", kyverno: { target: "1.19" } }),
    [
      /^posture SAME: /,
      /^Kyverno: another line: the release is upgraded in place .* stop up before it changes/,
      /1\.19/,
    ],
  ],
  [
    "signatures of another format",
    ENFORCE,
    kept({ mode: "enforce", images: [{ ...MODULO, format: "sigstoreBundle" }], kyverno: { target: "1.19" } }),
    [/^posture MIXED: /, /^mixed · images: modulo signatures in the format cosign → sigstoreBundle$/],
  ],
  [
    "what is known only after the update",
    ENFORCE,
    { ...ENFORCE, images: UNKNOWN_VALUE },
    [/^posture UNKNOWN: /, /posture\.images will be known only after the update/],
  ],
  ["a state of another version", { mode: "audit" }, ENFORCE, [/^posture UNKNOWN: /, /not what this version writes/]],
];

describe("what the engine's output says of a change of the posture", () => {
  for (const [what, before, after, says] of CASES)
    it(what, () => {
      const lines = tellChanges(before, after).split("\n").filter(Boolean);
      assert.ok(lines.length <= 13);
      assert.equal(lines.length === 0, says.length === 0, lines.join("\n"));
      for (const [index, line] of says.entries()) assert.match((lines[index] ?? "").trim(), line, lines.join("\n"));
    });

  it("says what is lived with in words, and once", () => {
    const finding = "policyExceptions";
    const of = (acknowledged: object[]) => kept({ mode: "enforce", kyverno: { install: false, acknowledged } });
    const text = tellChanges(of([]), of([{ finding, reason: "decided by the platform board" }]));
    assert.match(text, /^posture WEAKER: .*\n {2}weaker · unsafe chart values: .*acknowledged: policyExceptions$/);
  });

  it("says that the policies take another form, and what counts for a signature then", () => {
    const of = (more: object) => kept({ mode: "enforce", kyverno: { target: "1.19", ...more } });
    const text = tellChanges(of({}), of({ policies: "imageValidatingPolicy" }));
    assert.match(text, /weaker · unsafe chart values: .*any statement in a bundle counts as a signature of modulo/);
    assert.match(
      text,
      /Kyverno: policies clusterPolicy → imageValidatingPolicy: each new one is in force before an old one/,
    );
  });

  it("is cut, and says where the rest is", () => {
    const images = Array.from({ length: 30 }, (_, at) => ({
      ...MODULO,
      name: `n${at}`,
      repositories: [`ghcr.io/x/${at}`],
    }));
    const lines = tellChanges(ENFORCE, kept({ mode: "enforce", images })).split("\n");
    assert.equal(lines.length, 13);
    assert.match(lines.at(-1)!, /more: image-signing-guard posture tells all/);
  });

  it("shows no value where something is secret", () => {
    const [verdict, mode] = tellChanges(AUDIT, ENFORCE, true).split("\n");
    assert.match(verdict!, /^posture STRONGER: /);
    assert.match(
      mode!,
      /^ {2}stronger · mode: audit → enforce in \[secret\], \[secret\], \[secret\]; every other namespace$/,
    );
  });

  it("shows no control character of a value", () => {
    const kyverno = { ...(ENFORCE.kyverno as object), priorityClassName: "a\u001b[2Jb" };
    const text = tellChanges(ENFORCE, { ...ENFORCE, kyverno });
    assert.ok(!text.includes("\u001b") && text.includes("\\u{1b}"), text);
  });
});
