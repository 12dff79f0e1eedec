import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { compareStrength, type Strength } from "../../../../../components/posture/strength/strength";
import type { Posture } from "../../../../../components/posture/types";
import { MODULO, postureOf, settings, signerSettings } from "../../../../support/settings";
import { edit, posture } from "./arbitraryPosture";

const REVERSE: Record<Strength, Strength> = { same: "same", weaker: "stronger", stronger: "weaker", mixed: "mixed" };

describe("posture strength: a partial order", () => {
  it("is the same as itself", () => {
    fc.assert(fc.property(posture, (a) => compareStrength(a, a) === "same"));
  });

  it("reads backwards as its opposite", () => {
    fc.assert(
      fc.property(posture, edit, edit, (a, e, f) => {
        const b = f(e(a));
        assert.equal(compareStrength(b, a), REVERSE[compareStrength(a, b)]);
      }),
      { numRuns: 300 },
    );
  });

  it("is transitive, also where a step changes nothing", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(posture, edit, edit, (a, e, f) => {
        const b = e(a);
        const c = f(b);
        const [ab, bc, ac] = [compareStrength(a, b), compareStrength(b, c), compareStrength(a, c)];
        seen.set(`${ab} ${bc}`, (seen.get(`${ab} ${bc}`) ?? 0) + 1);
        if (ab === "same") assert.equal(ac, bc);
        if (bc === "same") assert.equal(ac, ab);
        if (ab === bc && ab !== "mixed") assert.equal(ac, ab);
      }),
      { numRuns: 1500 },
    );
    for (const chain of ["weaker weaker", "stronger stronger", "same weaker", "stronger same"])
      assert.ok((seen.get(chain) ?? 0) >= 3, `the property never saw ${chain}`);
  });
});

const NOTE = "x".repeat(12);
const SECOND = { keyless: { issuer: "https://accounts.google.com", subject: "release@example.com" } };
const bypass = (groups: string[], maxHours = 4) => ({ bypass: { groups, maxHours } });
const suspend = (policy: string, until = "2026-06-02T00:00:00Z") => ({ suspend: [{ policy, reason: NOTE, until }] });
const signers = (...given: unknown[]) => ({ images: [{ ...MODULO, signers: given }] });
const FIRST = MODULO.signers[0]!;
const tagged = (ref: string) => ({ github: { ...FIRST.github, ref } });
const exempt = (...repositories: string[]) => ({ uncovered: { exempt: [{ repositories, reason: NOTE }] } });

/** What each single change makes of a posture. */
const EDITS: readonly [what: string, before: object, after: object, strength: Strength][] = [
  ["audit to enforce", {}, { mode: "enforce" }, "stronger"],
  ["one namespace enforced", {}, { namespaces: { overrides: [{ namespace: "a-*", mode: "enforce" }] } }, "stronger"],
  [
    "one namespace audited",
    { mode: "enforce" },
    { mode: "enforce", namespaces: { overrides: [{ namespace: "prod-eu", mode: "audit" }] } },
    "weaker",
  ],
  ["a system namespace more", {}, { namespaces: { system: ["infra"] } }, "weaker"],
  [
    "a namespace turned to development",
    { mode: "enforce" },
    { mode: "enforce", namespaces: { development: ["development", "dev", "dev-*", "test"] } },
    "weaker",
  ],
  [
    "a namespace turned to production",
    {},
    { namespaces: { production: ["production", "prod", "prod-*", "shop"] } },
    "stronger",
  ],
  ["another who may sign", {}, signers(FIRST, SECOND), "weaker"],
  ["another who must sign", {}, { images: [{ ...MODULO, signers: [FIRST, SECOND], threshold: 2 }] }, "stronger"],
  ["another signer instead", {}, signers(SECOND), "mixed"],
  [
    "one of two to two of three",
    { images: [{ ...MODULO, signers: [FIRST, SECOND], threshold: 1 }] },
    { images: [{ ...MODULO, signers: [FIRST, SECOND, tagged("refs/heads/x")], threshold: 2 }] },
    "stronger",
  ],
  [
    "two of two to two of three",
    { images: [{ ...MODULO, signers: [FIRST, SECOND], threshold: 2 }] },
    { images: [{ ...MODULO, signers: [FIRST, SECOND, tagged("refs/heads/x")], threshold: 2 }] },
    "weaker",
  ],
  ["one tag to any tag", signers(tagged("refs/tags/v1")), signers(tagged("refs/tags/v*")), "weaker"],
  ["a caller that is bound", {}, signers({ github: { ...FIRST.github, callerRepository: "o/r" } }), "stronger"],
  [
    "an attestation more",
    {},
    { images: [{ ...MODULO, attestations: [{ predicateType: "https://slsa.dev/provenance/v1" }] }] },
    "stronger",
  ],
  [
    "an entry for images that were only reported",
    {},
    {
      images: [MODULO, { name: "tools", repositories: ["docker.io/acme/*"], signers: [FIRST] }],
      uncovered: { production: "report" },
    },
    "mixed",
  ],
  [
    "the same where they stay reported",
    { uncovered: { production: "report" } },
    {
      images: [MODULO, { name: "tools", repositories: ["docker.io/acme/*"], signers: [FIRST] }],
      uncovered: { production: "report" },
    },
    "stronger",
  ],
  ["signers in another order", signers(FIRST, SECOND), signers(SECOND, FIRST), "same"],
  ["uncovered images let through", {}, { uncovered: { production: "report" } }, "weaker"],
  ["an exemption", {}, exempt("registry.k8s.io/*"), "weaker"],
  ["a wider exemption", exempt("registry.k8s.io/pause"), exempt("registry.k8s.io/*"), "weaker"],
  ["tags kept", {}, { tags: "keep" }, "weaker"],
  ["a bypass", { mode: "enforce" }, { mode: "enforce", ...bypass(["g"]) }, "weaker"],
  ["a group more", bypass(["g"]), bypass(["g", "h"]), "weaker"],
  ["a longer bypass", bypass(["g"]), bypass(["g"], 8), "weaker"],
  ["another group", bypass(["g"]), bypass(["h"]), "mixed"],
  ["a suspension", {}, suspend("verify-image-signatures"), "weaker"],
  ["everything suspended", suspend("audit-unsigned-images"), suspend("all"), "weaker"],
  ["a longer suspension", suspend("all"), suspend("all", "2026-07-01T00:00:00Z"), "weaker"],
  ["failing open", { mode: "enforce" }, { mode: "enforce", failure: { enforce: "Ignore" } }, "weaker"],
  ["no backstop", { mode: "enforce" }, { mode: "enforce", backstop: { enabled: false } }, "weaker"],
  [
    "an author of namespaced policies",
    { mode: "enforce" },
    { mode: "enforce", backstop: { policyAuthors: { groups: ["g"] } } },
    "weaker",
  ],
  ["larger pods", { mode: "enforce" }, { mode: "enforce", backstop: { maxContainers: 60 } }, "weaker"],
  ["policies that only some write", {}, { backstop: { policyAuthors: { groups: ["g"] } } }, "stronger"],
  ["timeouts", { mode: "enforce" }, { mode: "enforce", failure: { enforceTimeoutSeconds: 10 } }, "same"],
  [
    "chart and Kyverno settings",
    {},
    { kyverno: { replicas: 3, chart: { repository: "https://mirror.example.com" } } },
    "same",
  ],
  [
    "policies of the newer kinds, where statements in bundles count",
    { kyverno: { target: "1.19" } },
    { kyverno: { target: "1.19", policies: "imageValidatingPolicy" } },
    "weaker",
  ],
  [
    "the same where only signatures do",
    { kyverno: { target: "1.19" }, images: [{ ...MODULO, format: "sigstoreBundle" }] },
    {
      kyverno: { target: "1.19", policies: "imageValidatingPolicy" },
      images: [{ ...MODULO, format: "sigstoreBundle" }],
    },
    "same",
  ],
  [
    "unsafe values",
    {},
    { kyverno: { values: { config: {}, features: { policyExceptions: { enabled: true } } }, allowUnsafeValues: true } },
    "weaker",
  ],
];

describe("posture strength: single edits", () => {
  for (const [what, before, after, strength] of EDITS) {
    it(`${what}: ${strength}`, () => {
      const [a, b] = [
        postureOf(settings(before as Record<string, unknown>)),
        postureOf(settings(after as Record<string, unknown>)),
      ];
      assert.equal(compareStrength(a, b), strength);
      assert.equal(compareStrength(b, a), REVERSE[strength]);
    });
  }

  it("trust: a certificate more, or no log, is weaker; another log is mixed", () => {
    const base = postureOf(settings());
    const trust = (changes: Partial<Posture["trust"]>): Posture => ({ ...base, trust: { ...base.trust, ...changes } });
    const more = [...base.trust.fulcioCertificates, "sha256:00"];
    assert.equal(compareStrength(base, trust({ fulcioCertificates: more })), "weaker");
    // acceptNoTransparencyLog
    assert.equal(compareStrength(base, trust({ rekor: undefined })), "weaker");
    assert.equal(
      compareStrength(base, trust({ rekor: { url: base.trust.rekor!.url, publicKey: "sha256:00" } })),
      "mixed",
    );
    assert.equal(compareStrength(base, trust({ rekor: { ...base.trust.rekor!, url: "https://other" } })), "same");
  });

  it("a missing guard is weaker, but enforcing with one missing is stronger than auditing", () => {
    const enforce = postureOf(settings({ mode: "enforce" }));
    const without = { ...enforce, policies: enforce.policies.filter(({ role }) => role !== "guard-image-verdicts") };
    assert.equal(compareStrength(enforce, without), "weaker");
    assert.equal(compareStrength(postureOf(settings()), without), "stronger");
  });

  it("a key and another key are different signers", () => {
    const key = (kms: string) => postureOf(signerSettings({ key: { kms } }));
    assert.equal(compareStrength(key("awskms:///alias/a"), key("awskms:///alias/b")), "mixed");
  });
});
