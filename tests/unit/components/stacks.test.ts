import * as assert from "node:assert/strict";
import type { PolicyPlan } from "../../../components/posture/types";
import { compile, postureOf, SUBJECT, specOf, stackSettings, warningsOf } from "../../support/settings";

/** What matters of a policy, in one line. */
const lineOf = ({ name, mode, failurePolicy, timeoutSeconds, scopes, uncovered }: PolicyPlan) => ({
  [name]: {
    mode: `${mode}, ${failurePolicy}, ${timeoutSeconds} s, uncovered: ${uncovered}`,
    scopes: scopes.map(
      ({ include, exclude }) => `${include.join(" ") || "all"}${exclude.length > 0 ? ` but ${exclude.join(" ")}` : ""}`,
    ),
  },
});
const plansOf = (stack: "dev" | "prod") => Object.assign({}, ...postureOf(stackSettings(stack)).policies.map(lineOf));
const SYSTEM = "kube-node-lease kube-public kube-system kyverno";

describe("the stack file", () => {
  it("of dev audits everywhere, refuses nothing and lets everything through when Kyverno is down", () => {
    const production = "prod prod-* production";
    assert.deepEqual(plansOf("dev"), {
      "audit-unsigned-images": { mode: "audit, Ignore, 10 s, uncovered: report", scopes: ["all"] },
      "require-signed-images": { mode: "audit, Ignore, 10 s, uncovered: refuse", scopes: [production] },
      "verify-image-signatures": {
        mode: "audit, Ignore, 10 s, uncovered: report",
        scopes: [`all but ${SYSTEM} ${production}`],
      },
    });
  });

  it("of prod enforces everywhere but in development, and fails closed", () => {
    const development = "dev dev-* development";
    const production = "prod prod-* production";
    assert.deepEqual(plansOf("prod"), {
      "audit-unsigned-images": { mode: "audit, Ignore, 10 s, uncovered: report", scopes: ["all"] },
      "guard-image-bypass": {
        mode: "enforce, Fail, 30 s, uncovered: report",
        scopes: [`all but ${development} ${SYSTEM}`],
      },
      "guard-image-verdicts": {
        mode: "enforce, Fail, 30 s, uncovered: report",
        scopes: [`all but ${development} ${SYSTEM}`],
      },
      "require-signed-images": { mode: "enforce, Fail, 30 s, uncovered: refuse", scopes: [production] },
      "verify-image-signatures": {
        mode: "enforce, Fail, 30 s, uncovered: report",
        scopes: [`all but ${development} ${SYSTEM} ${production}`],
      },
      "verify-image-signatures-audit": { mode: "audit, Ignore, 10 s, uncovered: report", scopes: [development] },
    });
  });

  for (const stack of ["dev", "prod"] as const) {
    it(`of ${stack} believes one workflow on one branch, by the public-good instance`, () => {
      const { images, trust } = postureOf(stackSettings(stack));
      assert.deepEqual(
        images.map(({ repositories }) => repositories),
        [["ghcr.io/ikey168/modulo-*"]],
      );
      assert.deepEqual(
        images[0]!.signers.map((signer) => signer.kind === "keyless" && [signer.subject, signer.issuer]),
        [[SUBJECT, "https://token.actions.githubusercontent.com"]],
      );
      assert.equal(trust.root, "publicGood");
      assert.ok(trust.rekor && trust.ctLogPublicKey && trust.fulcioCertificates.length > 0);
    });

    it(`of ${stack} exempts and suspends nothing, and gives no cause for a warning`, () => {
      const { exempt, suspended, kyverno, extraPolicies } = postureOf(stackSettings(stack));
      assert.deepEqual([exempt, suspended, kyverno.unsafeValues, extraPolicies], [[], [], [], []]);
      assert.deepEqual(warningsOf(stackSettings(stack)), []);
    });

    it(`of ${stack} scans what runs already with every policy that judges pods`, () => {
      for (const policy of compile(stackSettings(stack)).policies) {
        const guards = /^guard-|-debug$/.test(policy.metadata.name);
        assert.equal(specOf(policy).background, !guards, policy.metadata.name);
      }
    });
  }

  it("of prod lets only the on-call group bypass, for four hours, and dev needs no bypass", () => {
    assert.deepEqual(postureOf(stackSettings("prod")).bypass, { groups: ["platform-oncall"], users: [], maxHours: 4 });
    assert.equal(postureOf(stackSettings("dev")).bypass, "off");
  });

  it("of prod runs three replicas of Kyverno 1.10.7, dev one", () => {
    const { replicas, chartVersion, appVersion } = postureOf(stackSettings("prod")).kyverno;
    assert.deepEqual([replicas, chartVersion, appVersion], [3, "3.0.9", "v1.10.7"]);
    assert.equal(postureOf(stackSettings("dev")).kyverno.replicas, 1);
  });
});
